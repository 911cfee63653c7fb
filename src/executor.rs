//! The executor contract v1, as an image runs it (contract section 5).
//!
//! ```text
//! source -> payload -> start markers -> command | node (one child, its family, its streams) -> result line, exit code
//! ```
//! It improves on Python's executor where that loses something: as process 1 it answers SIGTERM, and every ending has a
//! result line (W16, W30, W32); results are strict JSON (W31); the timeout holds for nodes too (W29); Kubernetes is
//! the only provider (W33); standard input is read to its end (W58). Output is passed on as it comes.

mod command;
mod delivery;
mod family;
mod fields;
mod json;
mod node;
pub mod node_contract;
pub mod payload;
mod process;
mod python;
pub mod result;
mod setting;
mod source;
pub mod stop;
mod stream;
pub mod tree;

use std::env;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use payload::{CONTRACT_VERSION, Payload, Rejection, Work};
use result::{Report, START_MARKER};
use setting::Setting;
use source::{Document, Source};
use stop::Stops;
use stream::Outlets;

/// A payload that takes longer to arrive has a writer that forgot it, and a person who wonders.
const PATIENCE: Duration = Duration::from_secs(5);

/// The command line of one execution; the variables of contract 5.1 stand behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    pub payload_file: Option<PathBuf>,
    pub payload_json: Option<String>,
    /// Also gets the result, as indented JSON.
    pub output_file: Option<PathBuf>,
}

/// Executes one payload and returns the exit code of the process, 0 to 255 (contract 5.6).
///
/// Takes the whole process: it handles the signals, waits for any child, ends every descendant, and writes the result
/// as the last line of standard output. Must not be called inside a runtime.
pub fn main(invocation: &Invocation) -> i32 {
    let Ok(outlets) = Outlets::open() else {
        // There is nothing to say it on.
        return 1;
    };
    let started = Timestamp::now();
    let report = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(execute(invocation, &outlets)),
        Err(error) => Report::before_payload(setting::unexpected(&error, "runtime"), started),
    };
    delivery::deliver(report, invocation, &outlets)
}

async fn execute(invocation: &Invocation, outlets: &Outlets) -> Report {
    let started = Timestamp::now();
    // First of all: what arrives from now on is answered.
    let mut stop = match Stops::listen() {
        Ok(stop) => stop,
        Err(error) => {
            return Report::before_payload(setting::unexpected(&error, "signals"), started);
        }
    };
    let source = Source::choose(invocation, |name| env::var_os(name));
    let document = tokio::select! {
        read = receive(source, outlets) => read,
        stop = stop.next() => return Report::before_payload(setting::stopped(stop), started),
    };
    let parsed =
        document.and_then(|document| Ok((Payload::parse(&document.value)?, document.text)));
    match parsed {
        Ok((payload, text)) => run(&payload, &text, outlets, &mut stop).await,
        Err(rejection) => Report::of_rejection(rejection, Timestamp::now()),
    }
}

/// Reads on a thread, so that signals are still heard.
async fn receive(source: Source, outlets: &Outlets) -> Result<Document, Rejection> {
    let from_stdin = source == Source::Stdin;
    let (send, mut arrived) = oneshot::channel();
    let reader = thread::Builder::new()
        .name("payload".to_owned())
        .spawn(move || {
            // Nobody waits any more after a signal.
            let _ = send.send(source.read());
        });
    if let Err(error) = reader {
        return Err(Rejection::infra(format!(
            "Unexpected executor failure: {error}"
        )));
    }
    let impatient = Instant::now() + PATIENCE;
    let read = tokio::select! {
        read = &mut arrived => read,
        () = sleep_until(impatient), if from_stdin => {
            outlets.stderr.say("still waiting for the payload on standard input");
            arrived.await
        }
    };
    read.unwrap_or_else(|_| {
        Err(Rejection::infra(
            "Unexpected executor failure: the payload reader died.",
        ))
    })
}

async fn run(payload: &Payload, text: &str, outlets: &Outlets, stop: &mut Stops) -> Report {
    if payload.emit_start_markers {
        outlets.stdout.pass(start_markers().as_bytes());
    }
    let started = Timestamp::now();
    let cwd = setting::directory(payload);
    let about = description(payload, &cwd);
    let mut outcome = if let Err(error) = setting::make_directory(&cwd) {
        setting::unexpected(&error, &cwd.to_string_lossy())
    } else {
        let mut setting = Setting::new(payload, cwd, outlets, stop);
        match &payload.work {
            Work::Command { argv, stdin } => command::run(argv, stdin, &mut setting).await,
            Work::Node(call) => node::run(call, text, &mut setting).await,
        }
    };
    outcome
        .warnings
        .splice(0..0, payload.warnings.iter().cloned());
    Report::of_run(payload, about, started, Timestamp::now(), outcome)
}

/// The two lines that say a valid payload has started (contract 5.5).
fn start_markers() -> String {
    let event = json!({"contract_version": CONTRACT_VERSION, "event": "executor_started", "ts": result::iso(Timestamp::now())});
    format!("{START_MARKER}\n{event}\n")
}

/// The part of `provider_metadata` that tells what ran and where.
fn description(payload: &Payload, cwd: &Path) -> Map<String, Value> {
    let mut about = Map::new();
    about.insert("cwd".to_owned(), json!(cwd.to_string_lossy()));
    match &payload.work {
        Work::Command { argv, .. } => {
            about.insert("execution_mode".to_owned(), json!("command"));
            about.insert("command".to_owned(), json!(argv));
        }
        Work::Node(call) => {
            about.insert("execution_mode".to_owned(), json!("node_execution"));
            about.insert(
                "node_execution_entrypoint".to_owned(),
                json!(call.entrypoint),
            );
            about.insert(
                "node_execution_context".to_owned(),
                json!(call.request_context),
            );
        }
    }
    about
}
