//! The executor as its image runs it: the real binary, real children, real signals (contract 5).

mod commands;
mod nodes;
mod payloads;
mod signals;
mod sources;

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const RESULT_PREFIX: &str = "LLMCTL_EXECUTOR_RESULT_JSON=";
const PATIENCE: Duration = Duration::from_mins(1);

/// An executor about to start, in a directory of its own.
struct Executor {
    command: Command,
    home: tempfile::TempDir,
}

/// An executor at work.
struct Running {
    child: Child,
    stdout: BufReader<Box<dyn Read + Send>>,
    stderr: JoinHandle<Vec<u8>>,
    heard: Vec<u8>,
    home: tempfile::TempDir,
}

/// An executor that has ended.
#[derive(Debug)]
struct Finished {
    status: ExitStatus,
    stdout: String,
    stderr: String,
    home: tempfile::TempDir,
}

impl Executor {
    /// Nothing on standard input, no payload yet.
    fn new() -> Self {
        Self::with(Command::new(env!("CARGO_BIN_EXE_llmctl-dev")))
    }

    /// `command` is what the arguments of the executor are added to.
    fn with(mut command: Command) -> Self {
        let home = tempfile::tempdir().unwrap();
        command
            .arg("executor")
            .env("LLMCTL_EXECUTOR_DEFAULT_CWD", home.path().join("work"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("LLMCTL_") {
                command.env_remove(name);
            }
        }
        command.env("LLMCTL_EXECUTOR_DEFAULT_CWD", home.path().join("work"));
        Self { command, home }
    }

    /// With this payload, through a file as a pod gets it.
    fn of(payload: &Value) -> Self {
        Self::new().payload(payload)
    }

    /// A shell command with some more payload fields.
    fn shell(line: &str, more: Value) -> Self {
        let mut payload = json!({"contract_version": "v1", "provider": "kubernetes", "command": ["/bin/sh", "-c", line]});
        if let Value::Object(more) = more {
            payload.as_object_mut().unwrap().extend(more);
        }
        Self::of(&payload)
    }

    fn payload(mut self, payload: &Value) -> Self {
        let file = self.home.path().join("payload.json");
        fs::write(&file, payload.to_string()).unwrap();
        self.command.env("LLMCTL_EXECUTOR_PAYLOAD_FILE", file);
        self
    }

    fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn start(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let stdout: Box<dyn Read + Send> = Box::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut bytes = Vec::new();
            stderr.read_to_end(&mut bytes).unwrap();
            bytes
        });
        Running {
            child,
            stdout: BufReader::new(stdout),
            stderr,
            heard: Vec::new(),
            home: self.home,
        }
    }

    fn run(self) -> Finished {
        self.start().finish()
    }
}

impl Running {
    /// Reads standard output up to a line, which must come.
    fn wait_for_line(&mut self, line: &str) {
        self.wait_for(|heard| heard == line);
    }

    /// Reads up to the first line that the test wants, and returns it.
    fn wait_for(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let mut bytes = Vec::new();
            let count = self.stdout.read_until(b'\n', &mut bytes).unwrap();
            assert!(
                count > 0,
                "the output ended with: {}",
                String::from_utf8_lossy(&self.heard)
            );
            self.heard.extend_from_slice(&bytes);
            let heard = String::from_utf8_lossy(&bytes);
            if wanted(heard.trim_end()) {
                return heard.trim_end().to_owned();
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until the executor reads standard input, as the name of its thread tells.
    fn wait_until_reading(&self) {
        let tasks = format!("/proc/{}/task", self.child.id());
        eventually("the executor reads its payload", || {
            let names = fs::read_dir(&tasks).unwrap().flatten();
            names
                .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
                .any(|name| name.trim() == "payload")
        });
    }

    fn write(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn finish(mut self) -> Finished {
        drop(self.child.stdin.take());
        let pid = self.child.id();
        let mut stdout = self.stdout;
        let mut heard = self.heard;
        let reader = thread::spawn(move || {
            stdout.read_to_end(&mut heard).unwrap();
            heard
        });
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                panic!("executor {pid} did not end");
            }
            thread::sleep(Duration::from_millis(2));
        };
        Finished {
            status,
            stdout: String::from_utf8_lossy(&reader.join().unwrap()).into_owned(),
            stderr: String::from_utf8_lossy(&self.stderr.join().unwrap()).into_owned(),
            home: self.home,
        }
    }
}

impl Finished {
    /// The result, which must be strict JSON on the last line.
    fn result(&self) -> Value {
        assert!(self.stdout.ends_with('\n'), "{self:?}");
        let last = self.stdout.lines().last().unwrap_or_default();
        let text = last
            .strip_prefix(RESULT_PREFIX)
            .unwrap_or_else(|| panic!("no result line: {self:?}"));
        assert!(text.is_ascii());
        serde_json::from_str(text).unwrap()
    }

    fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| panic!("killed: {self:?}"))
    }

    /// What was printed between the start markers and the result.
    fn output(&self) -> String {
        let rest = self
            .stdout
            .strip_prefix("LLMCTL_EXECUTOR_STARTED\n")
            .unwrap();
        let rest = rest.split_once('\n').unwrap().1;
        let last = rest.lines().last().unwrap_or_default();
        rest[..rest.len() - last.len() - 1].to_owned()
    }

    #[track_caller]
    fn ended(&self, status: &str, code: i32) -> Value {
        let result = self.result();
        assert_eq!(result["status"], status, "{result}");
        assert_eq!(self.code(), code, "{result}");
        result
    }
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process with this id, as a child printed it, still runs. One that has ended and was not collected does not.
fn is_alive(pid: &str) -> bool {
    let pid: i32 = pid.trim().parse().unwrap();
    let is_there = rustix::process::test_kill_process(Pid::from_raw(pid).unwrap()).is_ok();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    is_there
        && !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .starts_with(" Z")
}

fn fixture(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/fixtures")
        .join(name);
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}
