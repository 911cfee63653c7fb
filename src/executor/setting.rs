//! What both modes run in: directory, environment, limits, streams and signals.

use std::env;
use std::fs;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::payload::Payload;
use super::process::{self, Cause, Ended, Limits};
use super::result::{ErrorCode, Outcome, Status};
use super::stop::{Stop, Stops};
use super::stream::Outlets;

const DIRECTORY_VARIABLE: &str = "LLMCTL_EXECUTOR_DEFAULT_CWD";
const DEFAULT_DIRECTORY: &str = "/tmp/llmctl-workspace";
const GRACE_VARIABLE: &str = "LLMCTL_EXECUTOR_GRACE_SECONDS";
/// Well inside the 30 s that a cluster gives a pod by default, so that the result line still gets out.
const DEFAULT_GRACE_SECONDS: u64 = 5;
const MOST_GRACE_SECONDS: u64 = 3_600;

/// Everything a mode needs besides its own part of the payload.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    payload: &'a Payload,
    cwd: PathBuf,
    outlets: &'a Outlets,
    stop: &'a mut Stops,
}

impl<'a> Setting<'a> {
    pub(super) fn new(
        payload: &'a Payload,
        cwd: PathBuf,
        outlets: &'a Outlets,
        stop: &'a mut Stops,
    ) -> Self {
        Self {
            payload,
            cwd,
            outlets,
            stop,
        }
    }

    /// Runs a program in this setting; see [`process::run`].
    pub(super) async fn run(
        &mut self,
        mut command: Command,
        answered: impl Future<Output = ()>,
    ) -> io::Result<Ended> {
        command.current_dir(&self.cwd).envs(&self.payload.env);
        let limits = Limits {
            timeout: Duration::from_secs(self.payload.timeout_seconds),
            grace: grace(),
            capture: self.payload.capture_limit_bytes,
        };
        process::run(command, limits, self.outlets, self.stop, answered).await
    }

    /// The outcome of a run that was ended from here, whatever it ran.
    pub(super) fn cut_short(&self, cause: Cause) -> Option<Outcome> {
        match cause {
            Cause::Ended => None,
            Cause::TimedOut => {
                let seconds = self.payload.timeout_seconds;
                let message = format!("Execution timed out after {seconds} seconds.");
                let outcome = Outcome::failed(Status::Timeout, 124, ErrorCode::Timeout, message);
                Some(outcome.with_details(json!({"timeout_seconds": seconds})))
            }
            Cause::Stopped(stop) => Some(stopped(stop)),
        }
    }
}

/// The outcome when the executor itself was told to stop.
pub(super) fn stopped(stop: Stop) -> Outcome {
    let (what, details) = match stop {
        Stop::Signal(signal) => (format!("received {signal}"), json!({"signal": signal})),
        Stop::ParentGone => (
            "lost its parent process".to_owned(),
            json!({"signal": null}),
        ),
    };
    let message = format!("Execution was cancelled: the executor {what}.");
    Outcome::failed(Status::Cancelled, 130, ErrorCode::Cancelled, message).with_details(details)
}

/// The directory a payload runs in, absolute.
pub(super) fn directory(payload: &Payload) -> PathBuf {
    let wanted = payload.cwd.clone().unwrap_or_else(|| {
        let set = env::var_os(DIRECTORY_VARIABLE).filter(|value| !value.is_empty());
        set.map_or_else(|| DEFAULT_DIRECTORY.into(), PathBuf::from)
    });
    std::path::absolute(&wanted).unwrap_or(wanted)
}

/// Makes the directory when it is missing.
///
/// # Errors
/// It can neither be found nor made.
pub(super) fn make_directory(cwd: &Path) -> io::Result<()> {
    fs::create_dir_all(cwd)
}

/// An operating system error about `subject`, worded as Python words it.
pub(super) fn unexpected(error: &io::Error, subject: &str) -> Outcome {
    Outcome::infra(match error.raw_os_error() {
        Some(number) => {
            let text = error.to_string();
            let reason = text
                .strip_suffix(&format!(" (os error {number})"))
                .unwrap_or(&text);
            let subject = super::python::quoted(subject);
            format!("Unexpected executor failure: [Errno {number}] {reason}: {subject}")
        }
        None => format!("Unexpected executor failure: {subject}: {error}"),
    })
}

fn grace() -> Duration {
    let set = env::var(GRACE_VARIABLE).ok();
    let seconds = set.and_then(|text| text.trim().parse().ok());
    Duration::from_secs(
        seconds
            .unwrap_or(DEFAULT_GRACE_SECONDS)
            .min(MOST_GRACE_SECONDS),
    )
}
