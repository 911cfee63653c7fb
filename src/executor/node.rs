//! Node mode: a Python callable, run by `python3` in the contract's way (contract 5.3).
//!
//! Python's own executor calls it in its own process. Here it is a child like any command, so the timeout holds for it
//! (W29), whatever it does still ends in a result (W30), and its output and that of its children is both shown live
//! and captured. The runner script talks over the socket that is its standard input, so nothing the callable prints
//! can be taken for its answer.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::node_contract;
use super::payload::NodeCall;
use super::process::Exit;
use super::result::{ErrorCode, Outcome, Status};
use super::setting::{Setting, unexpected};

const RUNNER: &str = include_str!("node_runner.py");
/// For what is left in the socket when all processes that could write to it are gone.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The runner's last line.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    states: Option<(Value, Value)>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    details: Option<Value>,
    #[serde(default)]
    warnings: Vec<String>,
}

/// What was heard from the runner so far.
#[derive(Debug)]
struct Conversation {
    lines: mpsc::UnboundedReceiver<String>,
    ready: bool,
    answer: Option<String>,
}

/// Runs the callable. `payload` is the payload as it was written: the runner takes the request from there, so that no
/// number in it is read twice.
pub(super) async fn run(call: &NodeCall, payload: &str, setting: &mut Setting<'_>) -> Outcome {
    let Ok(python) = which::which("python3") else {
        return Outcome::infra(
            "python3 was not found on PATH, and a node_execution payload runs a Python callable. Use an image with \
             python3 and the Studio backend, or send a command instead.",
        );
    };
    let (stdin, mut conversation) = match Conversation::begin(call, payload) {
        Ok(begun) => begun,
        Err(error) => return unexpected(&error, "socket to python3"),
    };
    let mut command = Command::new(&python);
    command.arg("-c").arg(RUNNER).stdin(stdin);
    let ended = match setting.run(command, conversation.answered()).await {
        Ok(ended) => ended,
        Err(error) => return unexpected(&error, &python.to_string_lossy()),
    };
    conversation.finish().await;
    let mut outcome = setting
        .cut_short(ended.cause)
        .unwrap_or_else(|| conversation.verdict(call, ended.exit));
    outcome.stdout = ended.stdout;
    outcome.stderr = ended.stderr;
    outcome
}

impl Conversation {
    /// Sends the job and listens, both on threads. The returned end is the runner's standard input.
    fn begin(call: &NodeCall, payload: &str) -> io::Result<(Stdio, Self)> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut sending = ours.try_clone()?;
        let head = json!({
            "entrypoint": call.entrypoint,
            "python_paths": call.python_paths,
            "request_context": call.request_context,
        });
        let job = format!("{head}\n{payload}");
        thread::Builder::new()
            .name("job".to_owned())
            .spawn(move || {
                // A runner that is gone before it has read its job is told from how it ended.
                let _ = sending.write_all(job.as_bytes());
                let _ = sending.shutdown(Shutdown::Write);
            })?;
        let (answers, lines) = mpsc::unbounded_channel();
        thread::Builder::new()
            .name("answer".to_owned())
            .spawn(move || {
                for line in BufReader::new(ours).lines().map_while(Result::ok) {
                    if answers.send(line).is_err() {
                        break;
                    }
                }
            })?;
        let conversation = Self {
            lines,
            ready: false,
            answer: None,
        };
        Ok((Stdio::from(OwnedFd::from(theirs)), conversation))
    }

    /// Completes when the answer is there, and never if there will be none: the end of the process says that.
    async fn answered(&mut self) {
        while self.answer.is_none() {
            match self.lines.recv().await {
                Some(line) => self.hear(line),
                None => std::future::pending().await,
            }
        }
    }

    /// Takes in what was sent before the end.
    async fn finish(&mut self) {
        while let Ok(Some(line)) = timeout(LAST_WORDS, self.lines.recv()).await {
            self.hear(line);
        }
    }

    /// The first line says that the runner is up, the second is its answer.
    fn hear(&mut self, line: String) {
        if self.ready {
            self.answer.get_or_insert(line);
        } else {
            self.ready = true;
        }
    }

    fn verdict(&self, call: &NodeCall, exit: Exit) -> Outcome {
        match &self.answer {
            Some(answer) => match serde_json::from_str::<Answer>(answer) {
                Ok(answer) => answer.verdict(&call.node_type()),
                Err(error) => failed(&format!("the answer of python3 cannot be read: {error}.")),
            },
            None => without_answer(self.ready, exit),
        }
    }
}

impl Answer {
    fn verdict(self, node_type: &str) -> Outcome {
        let mut outcome = match (self.error, self.states) {
            (None, Some((output, routing))) => {
                match node_contract::check(node_type, &output, &routing) {
                    Ok(()) => Outcome {
                        states: Some((output, routing)),
                        ..Outcome::success()
                    },
                    Err(problem) => failed(&problem),
                }
            }
            (error, _) => failed(
                error
                    .as_deref()
                    .unwrap_or("python3 gave neither states nor an error."),
            ),
        };
        if let Some(details) = self.details {
            outcome = outcome.with_details(details);
        }
        outcome.warnings = self.warnings;
        outcome
    }
}

fn without_answer(ready: bool, exit: Exit) -> Outcome {
    let returncode = exit.returncode();
    if exit.was_cancelled() {
        let message = format!("Node execution was cancelled (exit code {returncode}).");
        return Outcome::failed(Status::Cancelled, returncode, ErrorCode::Cancelled, message);
    }
    let how = match exit {
        Exit::Code(code) => format!("ended with exit code {code}"),
        Exit::Signal(9) => {
            "was killed by SIGKILL, most often for using too much memory,".to_owned()
        }
        Exit::Signal(signal) => format!("was killed by signal {signal}"),
    };
    let outcome = if ready {
        failed(&format!("python3 {how} before the callable returned."))
    } else {
        Outcome::infra(format!(
            "python3 {how} before it could run anything; its standard error says why. Python 3.7 or newer is needed."
        ))
    };
    outcome.with_details(json!({"returncode": returncode}))
}

fn failed(problem: &str) -> Outcome {
    let message = format!("Node execution failed: {problem}");
    Outcome::failed(Status::Failed, 1, ErrorCode::ExecutionError, message)
}
