//! `audit`: what is left of Compose and of the removed executors in a checkout, and on this machine.

mod sarif;
mod text;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::output::{self, Format};
use crate::domain::audit::baseline::{self, Baseline};
use crate::domain::audit::{Level, Report};
use crate::files::atomic;
use crate::runtime::audit::audit;
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
    let audited = audit(&args.path, !args.no_docker).await;
    let audited = audited.map_err(|error| Failure::invalid(error.to_string()))?;
    if let Some(why) = &audited.silent_engine {
        output::complain(&format!(
            "{why}; what Compose left on this machine is not told"
        ));
    }
    let mut report = audited.report;
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
