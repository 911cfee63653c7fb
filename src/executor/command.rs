//! Command mode: a program with its arguments (contract 5.2, 5.6).

use std::future;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::json;

use super::process::Exit;
use super::result::{ErrorCode, Outcome, Status};
use super::setting::{Setting, unexpected};

/// Runs `argv` and feeds it `stdin`.
pub(super) async fn run(argv: &[String], stdin: &str, setting: &mut Setting<'_>) -> Outcome {
    let Some((program, arguments)) = argv.split_first() else {
        return Outcome::infra("Unexpected executor failure: the command is empty.");
    };
    let fed = match feed(stdin) {
        Ok(fed) => fed,
        Err(error) => return unexpected(&error, "standard input"),
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(fed);
    let ended = match setting.run(command, future::pending()).await {
        Ok(ended) => ended,
        Err(error) => return unexpected(&error, program),
    };
    let mut outcome = setting
        .cut_short(ended.cause)
        .unwrap_or_else(|| verdict(ended.exit));
    outcome.stdout = ended.stdout;
    outcome.stderr = ended.stderr;
    outcome
}

fn verdict(exit: Exit) -> Outcome {
    let returncode = exit.returncode();
    if exit == Exit::Code(0) {
        return Outcome::success();
    }
    let outcome = if exit.was_cancelled() {
        let message = format!("Command was cancelled (exit code {returncode}).");
        Outcome::failed(Status::Cancelled, returncode, ErrorCode::Cancelled, message)
    } else {
        let message = format!("Command exited with non-zero code {returncode}.");
        Outcome::failed(
            Status::Failed,
            returncode,
            ErrorCode::ExecutionError,
            message,
        )
    };
    outcome.with_details(json!({"returncode": returncode}))
}

/// A pipe with `text` in it, written by a thread: a program that reads nothing must not hold us up.
fn feed(text: &str) -> io::Result<Stdio> {
    if text.is_empty() {
        return Ok(Stdio::null());
    }
    let (reader, mut writer) = io::pipe()?;
    let text = text.to_owned();
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            // The program may end, or close its input, before it has read everything.
            let _ = writer.write_all(text.as_bytes());
        })?;
    Ok(reader.into())
}
