//! Standard output holds the document and nothing else; what happens meanwhile goes to standard error.

use super::args::{Colour, Globals};
use super::exit::{Exit, Failure};
use crate::sanitize::{json, sanitize, sanitize_lines};
use clap::ValueEnum;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use tracing_appender::non_blocking::WorkerGuard;

/// What standard output holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// One JSON document per line and item.
    Jsonl,
    /// One YAML document.
    Yaml,
}

/// Prints `text` as it is; a closed pipe ends the program's work quietly.
///
/// # Errors
/// When standard output cannot be written for another reason.
pub fn text(text: &str) -> Result<(), Failure> {
    written(io::stdout().lock().write_all(text.as_bytes()))
}

/// Prints one line of text that came from a cluster, a log or a file.
///
/// # Errors
/// As [`text`].
pub fn foreign_line(line: &str) -> Result<(), Failure> {
    text(&format!("{}\n", sanitize(line)))
}

/// Prints one document in `format`; for text the caller has its own form, so JSON is printed there.
///
/// # Errors
/// As [`text`].
pub fn document(format: Format, value: &impl Serialize) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::other(format!("cannot print the document: {error}"))
    };
    let out = match format {
        Format::Yaml => serde_saphyr::to_string(value).map_err(|error| broken(&error))?,
        Format::Jsonl => serde_json::to_string(value).map_err(|error| broken(&error))? + "\n",
        Format::Json | Format::Text => {
            serde_json::to_string_pretty(value).map_err(|error| broken(&error))? + "\n"
        }
    };
    text(&match format {
        // Quoted or not, what YAML does not escape itself is shown as everywhere.
        Format::Yaml => sanitize_lines(&out) + "\n",
        Format::Json | Format::Jsonl | Format::Text => json(&out).into_owned(),
    })
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result.and_then(|()| io::stdout().flush()) {
        // `llmctl-dev … | head` read what it wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::read_enough()),
        other => other.map_err(|error| {
            Failure::new(
                Exit::Failed,
                format!("cannot write to standard output: {error}"),
            )
        }),
    }
}

/// Prints one line of progress to standard error.
pub fn progress(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", sanitize(line));
}

/// Puts a text on standard error that the next one takes away; nothing where it is no terminal. Blank text only takes away.
pub fn fleeting(line: &str) {
    let mut err = io::stderr().lock();
    if err.is_terminal() {
        let _ = write!(err, "\r\x1b[K{}", sanitize(line));
        let _ = err.flush();
    }
}

/// Prints the message of a failure to standard error.
pub fn complain(message: &str) {
    let mut err = io::stderr().lock();
    for (n, line) in message.lines().enumerate() {
        let lead = if n == 0 { "llmctl-dev: " } else { "  " };
        let _ = writeln!(err, "{lead}{}", sanitize(line));
    }
}

/// Colour by the rules of `--color auto`: a terminal, and `NO_COLOR` unset or empty.
pub fn wants_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl Colour {
    /// Whether to colour what goes to `stream`.
    pub fn on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => wants_colour(stream),
        }
    }
}

/// The program's own log: only where `--log-file` says, never on the terminal. Keep the guard to the end.
///
/// # Errors
/// When the file cannot be opened.
pub fn logging(globals: &Globals) -> Result<Option<WorkerGuard>, Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};
    let Some(path) = &globals.log_file else {
        return Ok(None);
    };
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| Failure::invalid(format!("--log-file {}: {error}", path.display())))?;
    let level = match globals.verbose {
        0 => "warn,llmctl_dev=info",
        1 => "info,llmctl_dev=debug",
        _ => "debug",
    };
    let (writer, guard) = tracing_appender::non_blocking(file);
    tracing_subscriber::registry()
        .with(EnvFilter::new(level))
        .with(
            tracing_subscriber::fmt::layer()
                .json()
                .with_writer(writer)
                .with_ansi(false),
        )
        .with(tracing_error::ErrorLayer::default())
        .init();
    Ok(Some(guard))
}
