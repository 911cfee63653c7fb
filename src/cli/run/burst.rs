//! `run --count N --parallel M`: many runs of one sample, so many at a time, and one count of their verdicts.

use super::super::args::Globals;
use super::super::exit::{Exit, Failure};
use super::super::headless::Headless;
use super::super::output::{self, Format};
use super::Args;
use super::wanted::Wanted;
use crate::domain::runs::document::RunDocument;
use crate::domain::runs::{Run, RunId};
use crate::domain::target::Target;
use crate::domain::verdict::Verdict;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    target: &'a Target,
    count: usize,
    /// How many ended how; a run without a verdict is `pending`.
    verdicts: BTreeMap<String, usize>,
    exit: u8,
    runs: Vec<RunDocument<'a>>,
}

/// Starts the runs and waits for all of them.
///
/// # Errors
/// A [`Failure`] when a run cannot be created, or the wait ends before every run has its verdict; what was started goes on.
pub(super) async fn run(
    globals: &Globals,
    args: &Args,
    headless: &mut Headless,
    wanted: &Wanted,
) -> Result<Exit, Failure> {
    let count = usize::try_from(args.count).unwrap_or(usize::MAX);
    let parallel = usize::try_from(args.parallel).unwrap_or(usize::MAX);
    headless.watch();
    let mut started: Vec<RunId> = Vec::new();
    let mut living: Vec<RunId> = Vec::new();
    let begin = Instant::now();
    let mut until = begin;
    let unreachable = Duration::from_secs(args.unreachable_timeout);
    let mut failure = None;
    loop {
        while failure.is_none() && started.len() < count && living.len() < parallel {
            let created = super::create(headless, wanted, args.again).await?;
            // The last one may take as long as its deadline lets it.
            until = Instant::now()
                + Duration::from_secs(created.plan.deadline_seconds.into())
                + super::wait::SLACK;
            // It goes by the UID of its Job from now on.
            let known = headless.runs.find(&created.id);
            let id = known.map_or(created.id, |run| run.id.clone());
            started.push(id.clone());
            match created.refusal {
                None => living.push(id),
                // No more of them; those that live are waited for.
                Some(refusal) => failure = Some(refusal),
            }
        }
        living.retain(|id| {
            let run = headless.runs.find(id);
            run.is_some_and(|run| run.verdict == Verdict::Pending)
        });
        if living.is_empty() && (failure.is_some() || started.len() >= count) {
            break;
        }
        let own = args.wait_timeout.map(|s| begin + Duration::from_secs(s));
        let lost = headless.lost_since().map(|since| since + unreachable);
        let limit = [own, lost].into_iter().flatten().fold(until, Instant::min);
        tokio::select! {
            news = headless.next(|run| living.contains(run)) => drop(news?),
            () = sleep_until(limit) => {
                failure = Some(Failure::new(
                    if own.is_some_and(|own| own <= limit) { Exit::TimedOut } else { Exit::Uncertain },
                    format!("{} of {count} runs have no verdict; they go on", count - started.len() + living.len()),
                ));
                break;
            }
        }
    }
    let exit = report(globals, headless, &started)?;
    match failure {
        Some(failure) => Err(failure),
        None => Ok(exit),
    }
}

/// Prints all of them; the exit code is that of the worst: uncertain, gone, timed out, failed.
fn report(globals: &Globals, headless: &Headless, ids: &[RunId]) -> Result<Exit, Failure> {
    let runs: Vec<&Run> = ids.iter().filter_map(|id| headless.runs.find(id)).collect();
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for run in &runs {
        let word = serde_json::to_value(run.verdict).unwrap_or_default();
        let word = word.as_str().unwrap_or("pending").to_owned();
        *verdicts.entry(word).or_default() += 1;
    }
    let codes = runs.iter().filter_map(|run| run.verdict.exit_code());
    let exit = codes.max().map_or(Exit::Ok, Exit::of);
    if globals.output == Format::Text {
        let mut text = String::new();
        for run in &runs {
            text.push_str(&super::super::runs::sentence(run, headless.now()));
            text.push('\n');
        }
        let counts: Vec<String> = verdicts
            .iter()
            .map(|(word, number)| format!("{number} {word}"))
            .collect();
        output::text(&format!(
            "{text}{} runs: {}\n",
            runs.len(),
            counts.join(", ")
        ))?;
        return Ok(exit);
    }
    let (target, now) = (headless.world.target(), headless.now());
    let documents = runs.iter().map(|run| RunDocument::new(run, target, now));
    if globals.output == Format::Jsonl {
        for document in documents {
            output::document(Format::Jsonl, &document)?;
        }
        return Ok(exit);
    }
    output::document(
        globals.output,
        &Document {
            schema: "llmctl-dev/burst/v1",
            target,
            count: runs.len(),
            verdicts,
            exit: exit.code(),
            runs: documents.collect(),
        },
    )?;
    Ok(exit)
}
