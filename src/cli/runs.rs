//! `runs`: list, show, follow, cancel, keep and remove, past ones too.

mod act;
mod ask;
mod diff;
mod export;
mod logs;
mod prune;
mod table;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::headless::Headless;
use super::output::{self, Format};
use super::session::Setup;
use crate::domain::logs::Follow;
use crate::domain::runs::document::RunDocument;
use crate::domain::runs::{Phase, Ran, Run, RunId};
use crate::domain::target::Target;
use crate::domain::verdict::Verdict;
use clap::Subcommand;
use serde::Serialize;
pub use table::sentence;

/// Arguments of `runs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do with runs. RUN is a number of the list, a Job, a UID or `last`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List runs: those in the cluster and those of the history
    List,
    /// Show one run with its timeline, verdict and result
    Show {
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Print the log of a run, also of one that is gone
    Logs(logs::Args),
    /// Print a line for each change, of one run until it is over or of all until interrupted
    Watch {
        #[arg(value_name = "RUN")]
        run: Option<String>,
    },
    /// Cancel a run: its pod gets the configured grace to end, its Job stays as evidence
    Cancel {
        #[arg(value_name = "RUN")]
        run: String,
        /// Seconds to end, instead of the setting
        #[arg(long, value_name = "S")]
        grace: Option<u32>,
    },
    /// Keep Jobs longer, out of reach of Studio's pruner as well
    Keep {
        #[arg(value_name = "RUN", required = true)]
        runs: Vec<String>,
        /// New time to live in seconds from the Job's end, 60 to 86400
        #[arg(long, value_name = "S", default_value_t = 86_400)]
        ttl: u32,
    },
    /// Keep Jobs longer than they are kept now, out of reach of Studio's pruner as well
    Extend {
        #[arg(value_name = "RUN", required = true)]
        runs: Vec<String>,
        /// Seconds to add to the time to live, which ends at 86400
        #[arg(long, value_name = "S", default_value_t = 3600)]
        by: u32,
    },
    /// Compare two runs: settings, times, result, log; exit 1 when more than the times differs
    Diff {
        #[arg(value_name = "A")]
        left: String,
        #[arg(value_name = "B")]
        right: String,
    },
    /// List what runs left behind (payloads without a Job, finished Jobs without a TTL, Jobs without pods), and remove it
    Prune {
        /// List only
        #[arg(long)]
        dry_run: bool,
        /// Remove without being asked
        #[arg(long, conflicts_with = "dry_run")]
        yes: bool,
    },
    /// Print every run that is known, one JSON document a line
    Export {
        /// With the lines of the logs that the history keeps
        #[arg(long)]
        logs: bool,
        /// Only runs of the last so many days
        #[arg(long, value_name = "N")]
        days: Option<u32>,
    },
    /// Remove Jobs with their pods now; their logs stay in the history
    Remove {
        #[arg(value_name = "RUN", required = true)]
        runs: Vec<String>,
        /// Remove more than one without being asked
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Serialize)]
struct ListDocument<'a> {
    schema: &'static str,
    target: &'a Target,
    namespace: &'a str,
    runs: Vec<RunDocument<'a>>,
}

/// Runs `runs`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let setup = Setup::read(globals)?;
    let mut headless = Headless::open(globals, &setup).await?;
    let done = perform(globals, &setup, &mut headless, args.verb).await;
    headless.world.close().await;
    done
}

async fn perform(
    globals: &Globals,
    setup: &Setup,
    headless: &mut Headless,
    verb: Verb,
) -> Result<Exit, Failure> {
    match verb {
        Verb::List => list(globals, headless),
        Verb::Show { run } => show(globals, headless, &run).await,
        Verb::Logs(args) => logs::run(globals, headless, &args).await,
        Verb::Watch { run } => watch(globals, headless, run.as_deref()).await,
        Verb::Cancel { run, grace } => act::cancel(globals, setup, headless, &run, grace).await,
        Verb::Keep { runs, ttl } => act::keep(headless, &runs, ttl).await,
        Verb::Extend { runs, by } => act::extend(headless, &runs, by).await,
        Verb::Diff { left, right } => diff::diff(globals, headless, &left, &right),
        Verb::Prune { dry_run, yes } => prune::prune(globals, headless, dry_run, yes).await,
        Verb::Export { logs, days } => export::export(headless, logs, days),
        Verb::Remove { runs, yes } => act::remove(headless, &runs, yes).await,
    }
}

fn list(globals: &Globals, headless: &Headless) -> Result<Exit, Failure> {
    let (target, now) = (headless.world.target(), headless.now());
    let documents = headless
        .runs
        .iter()
        .map(|run| RunDocument::new(run, target, now));
    match globals.output {
        Format::Text => output::text(&table::table(headless.runs.iter(), now))?,
        Format::Jsonl => {
            for document in documents {
                output::document(Format::Jsonl, &document)?;
            }
        }
        format @ (Format::Json | Format::Yaml) => output::document(
            format,
            &ListDocument {
                schema: "llmctl-dev/runs/v1",
                target,
                namespace: headless.world.namespace(),
                runs: documents.collect(),
            },
        )?,
    }
    Ok(Exit::Ok)
}

async fn show(globals: &Globals, headless: &mut Headless, name: &str) -> Result<Exit, Failure> {
    let run = headless.named(name)?;
    let id = run.id.clone();
    if lives(run) && !run.log.is_over() && run.pod.as_ref().is_some_and(|pod| pod.ran != Ran::No) {
        headless.read(&id);
        headless.catch_up(&id).await?;
    }
    let Some(run) = headless.runs.find(&id) else {
        return Err(Failure::other("the run is not known any more"));
    };
    if globals.output == Format::Text {
        let (target, now) = (headless.world.target(), headless.now());
        output::text(&table::detail(run, &headless.runs.usual(run), target, now))?;
    } else {
        let document = RunDocument::new(run, headless.world.target(), headless.now())
            .compared(&headless.runs.usual(run));
        output::document(globals.output, &document)?;
    }
    Ok(Exit::Ok)
}

/// Its pods can still be asked for their log.
fn lives(run: &Run) -> bool {
    !matches!(run.phase, Phase::Removed | Phase::NotDispatched)
        && !matches!(run.log.follow(), Follow::Gone(_))
}

async fn watch(
    globals: &Globals,
    headless: &mut Headless,
    name: Option<&str>,
) -> Result<Exit, Failure> {
    let only = match name {
        Some(name) => Some(headless.named(name)?.id.clone()),
        None => None,
    };
    headless.watch();
    let known: Vec<RunId> = headless.runs.iter().map(|run| run.id.clone()).collect();
    for id in known
        .iter()
        .filter(|id| only.as_ref().is_none_or(|only| only == *id))
    {
        headless.follow(id);
    }
    let mut told: std::collections::HashMap<RunId, (Phase, Verdict)> =
        std::collections::HashMap::new();
    loop {
        let now = headless.now();
        for run in headless.runs.iter().rev() {
            let wanted = only.as_ref().is_none_or(|id| run.id == *id);
            let state = (run.phase, run.verdict);
            if !wanted || told.get(&run.id) == Some(&state) {
                continue;
            }
            told.insert(run.id.clone(), state);
            match globals.output {
                Format::Text => output::text(&format!("{}\n", sentence(run, now)))?,
                _ => output::document(
                    Format::Jsonl,
                    &RunDocument::new(run, headless.world.target(), now),
                )?,
            }
        }
        if let Some(id) = &only
            && let Some(run) = headless.runs.find(id)
            && matches!(run.phase, Phase::Removed | Phase::NotDispatched)
        {
            return Ok(run.verdict.exit_code().map_or(Exit::Ok, Exit::of));
        }
        let follow = only.clone();
        headless
            .next(|run| follow.as_ref().is_none_or(|id| id == run))
            .await?;
    }
}

/// The phase in one word, as lists show it.
pub fn phase_word(run: &Run) -> String {
    table::state(run)
}
