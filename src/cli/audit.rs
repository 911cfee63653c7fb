//! `audit`: what is left of Compose and of the removed executors in a checkout, and on this machine.

mod sarif;
mod text;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::output::{self, Format};
use crate::docker;
use crate::domain::audit::baseline::{self, Baseline};
use crate::domain::audit::{Level, Report, leftovers};
use crate::files::{atomic, audit};
use clap::ValueEnum;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Root of the checkout
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// From which level on findings end the command with exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "LEVEL")]
    fail_on: FailOn,
    /// File with findings that are accepted
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Accept everything that is found now: write it to this file
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
    /// Show what is allowed, and the files that were not read, too
    #[arg(short, long)]
    all: bool,
    /// Print SARIF 2.1.0, for CI
    #[arg(long)]
    sarif: bool,
    /// Do not ask the Docker Engine of this machine what Compose left there
    #[arg(long)]
    no_docker: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    Error,
    Notice,
    Never,
}

/// Runs `audit`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let accepted = args.baseline.as_deref().map(read_baseline).transpose()?;
    let path = args.path.clone();
    let read = tokio::task::spawn_blocking(move || audit::audit(&path)).await;
    let mut report = read
        .map_err(|error| Failure::other(format!("the audit broke off: {error}")))?
        .map_err(|error| Failure::invalid(error.to_string()))?;
    if !args.no_docker {
        engine(&args.path, &mut report).await;
    }
    if let Some(accepted) = accepted {
        accepted.apply(&mut report);
    }
    if let Some(file) = &args.write_baseline {
        return write_baseline(file, &report);
    }
    if args.sarif {
        output::document(Format::Json, &sarif::log(&report))?;
    } else {
        print(globals, &args, &report)?;
    }
    let failed = match args.fail_on {
        FailOn::Error => report.has(Level::Error),
        FailOn::Notice => report.has(Level::Notice),
        FailOn::Never => false,
    };
    Ok(if failed { Exit::Failed } else { Exit::Ok })
}

/// Adds what Compose left on this machine, where an engine is there to be asked.
async fn engine(checkout: &Path, report: &mut Report) {
    let Some(socket) = docker::socket() else {
        return;
    };
    match docker::leftovers(&socket).await {
        Ok(found) => {
            let checkout = std::path::absolute(checkout).unwrap_or_else(|_| checkout.to_owned());
            let root = checkout.to_string_lossy();
            report
                .findings
                .extend(leftovers::judge(&found, root.trim_end_matches("/.")));
        }
        Err(error) => output::complain(&format!(
            "{error}; what Compose left on this machine is not told"
        )),
    }
}

fn read_baseline(file: &Path) -> Result<Baseline, Failure> {
    let broken = |reason: String| {
        Failure::invalid(format!(
            "--baseline {}: {reason}; write one with --write-baseline",
            file.display()
        ))
    };
    let text = std::fs::read_to_string(file).map_err(|error| broken(error.to_string()))?;
    let read: Baseline = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    if read.schema != baseline::SCHEMA {
        return Err(broken(format!(
            "its schema is {}, not {}",
            read.schema,
            baseline::SCHEMA
        )));
    }
    Ok(read)
}

fn write_baseline(file: &Path, report: &Report) -> Result<Exit, Failure> {
    let accepted = Baseline::of(report);
    let text = serde_json::to_string_pretty(&accepted)
        .map_err(|error| Failure::other(format!("cannot write the baseline: {error}")))?;
    let before = std::fs::read(file).ok();
    atomic::replace(file, before.as_deref(), format!("{text}\n").as_bytes())
        .map_err(|error| Failure::other(format!("--write-baseline {}: {error}", file.display())))?;
    output::progress(&format!(
        "{} accepted in {}",
        text::counted(accepted.accepted.len(), "finding"),
        file.display()
    ));
    Ok(Exit::Ok)
}

fn print(globals: &Globals, args: &Args, report: &Report) -> Result<(), Failure> {
    match globals.output {
        Format::Text => {
            let colour = globals.color.on(&std::io::stdout());
            output::text(&text::report(report, args.all, colour))
        }
        Format::Jsonl => report
            .findings
            .iter()
            .try_for_each(|finding| output::document(Format::Jsonl, finding)),
        format => output::document(
            format,
            &json!({
                "schema": "llmctl-dev/audit/v1",
                "path": args.path.to_string_lossy(),
                "files": report.files,
                "findings": report.findings,
                "skipped": report.skipped,
                "accepted": report.accepted,
                "counts": {
                    "error": report.count(Level::Error),
                    "notice": report.count(Level::Notice),
                    "allowed": report.count(Level::Allowed),
                },
            }),
        ),
    }
}
