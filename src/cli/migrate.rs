//! `migrate`: bring what an older llmctl stored to the Kubernetes-only form, look at it first, and back.

mod ask;
mod meter;
mod source;
mod text;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::headless::caught;
use super::output::{self, Format};
use super::session::Setup;
use crate::database::migration::Request;
use crate::database::migration::error::Error;
use crate::domain::migration::{Options, Plan, ROWS_SHOWN};
use crate::files::backup::Backup;
use crate::runtime::migration::{Open, Stop, Tell, backup_path};
use clap::Subcommand;
use jiff::Timestamp;
use meter::Meter;
use serde_json::{Map, Value, json};
pub(super) use source::ADDRESS;
use source::Source;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments of `migrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show every change that a migration would make, and make none; exit code 1 when there are any
    Plan {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        choices: Choices,
    },
    /// Migrate: a backup first, then one transaction that verifies itself
    Apply {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        choices: Choices,
        /// Where the backup goes [default: a new file in the state directory]
        #[arg(long, value_name = "FILE")]
        backup: Option<PathBuf>,
        #[command(flatten)]
        consent: Consent,
    },
    /// Check that nothing is left to migrate; exit code 1 when something is
    Verify {
        #[command(flatten)]
        source: Source,
    },
    /// Put a backup back, exactly as it was
    Restore {
        /// The backup that `apply` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        source: Source,
        /// Also put rows back that changed since the migration
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        consent: Consent,
    },
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct Choices {
    /// Also raise a dispatch timeout of exactly 60 s, the old default, to today's
    #[arg(long)]
    raise_dispatch_timeout: bool,
    /// Show the changes of at most so many run rows; all of them are counted
    #[arg(long, value_name = "NUMBER", default_value_t = ROWS_SHOWN)]
    rows: usize,
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct Consent {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Wait so many seconds for somebody else's lock
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
}

impl Consent {
    fn patience(self) -> Duration {
        Duration::from_secs(self.wait)
    }
}

impl Choices {
    const NONE: Self = Self {
        raise_dispatch_timeout: false,
        rows: ROWS_SHOWN,
    };

    fn request(self, open: &Open, patience: Duration) -> Request {
        Request {
            options: Options {
                raise_dispatch_timeout: self.raise_dispatch_timeout,
                rows: self.rows,
            },
            secret: open.secret(),
            now: Timestamp::now(),
            patience,
        }
    }
}

/// Runs `migrate`.
///
/// # Errors
/// A [`Failure`] with its exit code and message. Whatever it is, the database is as it was.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    match args.what {
        What::Plan { source, choices } => {
            let mut open = source.open(globals).await?;
            let plan = planned(&mut open, choices).await?;
            shown(globals, &open, &plan)?;
            Ok(if plan.is_empty() {
                Exit::Ok
            } else {
                Exit::Failed
            })
        }
        What::Verify { source } => verify(globals, source).await,
        What::Apply {
            source,
            choices,
            backup,
            consent,
        } => apply(globals, source, choices, backup, consent).await,
        What::Restore {
            file,
            source,
            force,
            consent,
        } => restore(globals, &file, source, force, consent).await,
    }
}

async fn planned(open: &mut Open, choices: Choices) -> Result<Plan, Failure> {
    let request = choices.request(open, Duration::ZERO);
    Ok(open.plan(&request, meter()).await?)
}

/// What shows how far the work is; the line goes with it.
fn meter() -> Tell {
    let mut meter = Meter::new();
    Box::new(move |step| meter.show(step))
}

/// Does `work`, which rolls back when a signal comes.
async fn stoppable<T>(
    stop: &Stop,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    let mut signals = caught()?;
    let mut work = std::pin::pin!(work);
    let done = tokio::select! {
        done = &mut work => done,
        () = signals.any() => {
            stop.pull();
            work.await
        }
    };
    Ok(done?)
}

/// Prints a plan as what it is asked for.
fn shown(globals: &Globals, open: &Open, plan: &Plan) -> Result<(), Failure> {
    match globals.output {
        Format::Text => output::text(&text::plan(&open.place(), plan)),
        format => {
            let plan = plan.document();
            output::document(
                format,
                &document("migration-plan", &open.place(), json!({"plan": plan})),
            )
        }
    }
}

async fn verify(globals: &Globals, source: Source) -> Result<Exit, Failure> {
    let mut open = source.open(globals).await?;
    let plan = planned(&mut open, Choices::NONE).await?;
    let place = open.place();
    match globals.output {
        Format::Text if plan.is_empty() => {
            output::text(&text::for_a_person(&plan))?;
            output::foreign_line(&format!(
                "{place}: nothing legacy is left, a second plan is empty"
            ))?;
        }
        Format::Text => {
            output::foreign_line(&format!(
                "{place}: not migrated yet ({}); `llmctl-dev migrate plan` shows it",
                plan.summary()
            ))?;
        }
        format => {
            let body = json!({"migrated": plan.is_empty(), "plan": plan.document()});
            output::document(format, &document("migration-verify", &place, body))?;
        }
    }
    Ok(if plan.is_empty() {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

async fn apply(
    globals: &Globals,
    source: Source,
    choices: Choices,
    backup: Option<PathBuf>,
    consent: Consent,
) -> Result<Exit, Failure> {
    if !consent.yes {
        ask::needs_a_terminal("migrate plan")?;
    }
    let mut open = source.open(globals).await?;
    let plan = planned(&mut open, choices).await?;
    let place = open.place();
    if globals.output == Format::Text {
        output::text(&text::plan(&place, &plan))?;
    }
    let backup = backup.map_or_else(|| own_backup(globals), Ok)?;
    if plan.is_empty() {
        return applied(globals, &place, &plan, None);
    }
    if !consent.yes {
        let question = format!(
            "Migrate {place}? A backup goes to {} first. [y/N]",
            backup.display()
        );
        ask::consent(&question)?;
    }
    let request = choices.request(&open, consent.patience());
    let stop = Stop::default();
    let work = open.apply(&request, plan, backup.clone(), meter(), &stop);
    let done = stoppable(&stop, work).await?;
    applied(globals, &place, &done, Some(&backup))
}

fn applied(
    globals: &Globals,
    place: &str,
    plan: &Plan,
    backup: Option<&Path>,
) -> Result<Exit, Failure> {
    match (globals.output, backup) {
        (Format::Text, None) => {}
        (Format::Text, Some(backup)) => {
            output::foreign_line(&format!("migrated and verified: {}", plan.summary()))?;
            output::foreign_line(&format!(
                "backup: {} (`llmctl-dev migrate restore` puts it back)",
                backup.display()
            ))?;
        }
        (format, _) => {
            let body = json!({
                "migrated": true,
                "backup": backup.map(|path| path.display().to_string()),
                "plan": plan.document(),
            });
            output::document(format, &document("migration", place, body))?;
        }
    }
    Ok(Exit::Ok)
}

async fn restore(
    globals: &Globals,
    file: &Path,
    source: Source,
    force: bool,
    consent: Consent,
) -> Result<Exit, Failure> {
    let backup = Backup::open(file).map_err(|error| Failure::invalid(error.to_string()))?;
    let mut open = source.open(globals).await?;
    let place = open.place();
    if !consent.yes {
        ask::needs_a_terminal("the backup, which is text,")?;
        ask::consent(&format!(
            "Put {} rows of {place} back as they were on {} ({})? [y/N]",
            backup.len(),
            backup.header().made_at,
            backup.header().database,
        ))?;
    }
    let stop = Stop::default();
    let work = open.restore(backup, force, consent.patience(), meter(), &stop);
    let restored = stoppable(&stop, work).await?;
    match globals.output {
        Format::Text => {
            output::foreign_line(&format!("{place}: {restored} rows are as they were"))?;
        }
        format => output::document(
            format,
            &document("migration-restore", &place, json!({"rows": restored})),
        )?,
    }
    Ok(Exit::Ok)
}

/// A new file in the state directory, named by the time.
fn own_backup(globals: &Globals) -> Result<PathBuf, Failure> {
    let paths = Setup::read(globals)?.paths;
    Ok(backup_path(paths.state_dir(), Timestamp::now()))
}

fn document(kind: &str, place: &str, body: Value) -> Value {
    let mut document = Map::new();
    document.insert("schema".into(), format!("llmctl-dev/{kind}/v1").into());
    document.insert("database".into(), place.into());
    if let Value::Object(body) = body {
        document.extend(body);
    }
    document.into()
}
