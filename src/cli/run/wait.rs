//! Waiting for a run that was started: it ends in every case, with a verdict or with what is known without one.

use super::super::args::Globals;
use super::super::exit::{Exit, Failure};
use super::super::headless::{Headless, News};
use super::super::output::{self, Format};
use super::Args;
use crate::domain::logs::LogEvent;
use crate::domain::manifest::RunPlan;
use crate::domain::runs::document::RunDocument;
use crate::domain::runs::{Run, RunId};
use crate::domain::verdict::Verdict;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What a Job may take beyond its deadline until its end is seen and its log is read. A Job that has not ended then is
/// held by something that no deadline counts: it was suspended, or its controller is away.
pub(super) const SLACK: Duration = Duration::from_mins(2);

/// How long a command waits, and for what.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// The person's own limit.
    wanted: Option<Instant>,
    /// The Job's deadline, with slack.
    overdue: Instant,
    /// Silence of the API server.
    unreachable: Duration,
}

/// Why a command stopped waiting without a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    WantedTime,
    Overdue,
    Unreachable,
}

/// Waits for the run as the arguments ask, and prints what is known then.
///
/// # Errors
/// A [`Failure`] with the exit code of the verdict, or of the wait that ended without one.
pub(super) async fn follow(
    globals: &Globals,
    args: &Args,
    headless: &mut Headless,
    id: &RunId,
    plan: &RunPlan,
) -> Result<Exit, Failure> {
    if !(args.wait || args.follow) {
        print(globals, headless, id, None)?;
        return Ok(Exit::Ok);
    }
    headless.watch();
    let begin = Instant::now();
    let patience = Patience {
        wanted: args
            .wait_timeout
            .map(|seconds| begin + Duration::from_secs(seconds)),
        overdue: begin + Duration::from_secs(plan.deadline_seconds.into()) + SLACK,
        unreachable: Duration::from_secs(args.unreachable_timeout),
    };
    let Some(without) = wait(globals, args, headless, id, patience).await? else {
        print(globals, headless, id, None)?;
        let code = find(headless, id)?.verdict.exit_code();
        return Ok(code.map_or(Exit::Ok, Exit::of));
    };
    let job = &plan.job_name;
    let (exit, message) = match without {
        Without::WantedTime => (
            Exit::TimedOut,
            format!(
                "no verdict within {} s; the run goes on: llmctl-dev runs show {job}",
                args.wait_timeout.unwrap_or_default()
            ),
        ),
        Without::Overdue => (
            Exit::Uncertain,
            format!(
                "Job {job} has not ended {} s after its deadline: it may be suspended, or the cluster's Job controller is away; look at it with llmctl-dev runs show {job}",
                SLACK.as_secs()
            ),
        ),
        Without::Unreachable => (
            Exit::Uncertain,
            format!(
                "the API server was out of reach for {} s while Job {job} ran: what became of it is not known; ask again later with llmctl-dev runs show {job}",
                args.unreachable_timeout
            ),
        ),
    };
    let uncertain = (exit == Exit::Uncertain).then_some(message.as_str());
    print(globals, headless, id, uncertain)?;
    Err(Failure::new(exit, message))
}

/// Takes messages until the run has its verdict, telling what happens meanwhile; or until patience ends.
async fn wait(
    globals: &Globals,
    args: &Args,
    headless: &mut Headless,
    id: &RunId,
    patience: Patience,
) -> Result<Option<Without>, Failure> {
    let mut phase = None;
    loop {
        let run = find(headless, id)?;
        if phase.as_ref() != Some(&run.phase) {
            phase = Some(run.phase);
            output::progress(&told(run));
        }
        if run.verdict != Verdict::Pending {
            return Ok(None);
        }
        let ours = run.id.clone();
        let (until, without) = limit(patience, headless.lost_since());
        let news = tokio::select! {
            news = headless.next(|run| *run == ours || run == id) => news?,
            () = sleep_until(until) => return Ok(Some(without)),
        };
        if let News::Log {
            run,
            event: LogEvent::Lines(lines),
        } = news
            && args.follow
            && (run == ours || run == *id)
        {
            for line in lines {
                if globals.output == Format::Text {
                    output::foreign_line(&line.text)?;
                } else {
                    output::progress(&line.text);
                }
            }
        }
    }
}

/// The first moment at which patience ends, as things are.
fn limit(patience: Patience, lost_since: Option<Instant>) -> (Instant, Without) {
    let wanted = patience.wanted.map(|at| (at, Without::WantedTime));
    let lost = lost_since.map(|since| (since + patience.unreachable, Without::Unreachable));
    [wanted, lost].into_iter().flatten().fold(
        (patience.overdue, Without::Overdue),
        |first, other| {
            if other.0 < first.0 { other } else { first }
        },
    )
}

fn find<'a>(headless: &'a Headless, id: &RunId) -> Result<&'a Run, Failure> {
    headless
        .runs
        .find(id)
        .ok_or_else(|| Failure::other(format!("run {} is not known any more", id.0)))
}

fn told(run: &Run) -> String {
    let phase = super::super::runs::phase_word(run);
    if run.why.is_empty() {
        phase
    } else {
        format!("{phase}: {}", run.why)
    }
}

/// Prints a run that was not created, for whoever reads documents; its exit code is that of the refusal.
///
/// # Errors
/// When it cannot be printed.
pub(super) fn not_created(
    globals: &Globals,
    headless: &Headless,
    id: &RunId,
    refusal: &Failure,
) -> Result<(), Failure> {
    if globals.output == Format::Text {
        return Ok(());
    }
    let run = find(headless, id)?;
    let mut document = RunDocument::new(run, headless.world.target(), headless.now());
    document.exit = Some(refusal.exit.code());
    output::document(globals.output, &document)
}

/// Prints the run; `uncertain` says why nobody can know its outcome although the cluster has not told of an end.
fn print(
    globals: &Globals,
    headless: &Headless,
    id: &RunId,
    uncertain: Option<&str>,
) -> Result<(), Failure> {
    let run = find(headless, id)?;
    if globals.output == Format::Text {
        let line = super::super::runs::sentence(run, headless.now());
        return output::text(&format!("{line}\n"));
    }
    let mut document = RunDocument::new(run, headless.world.target(), headless.now())
        .compared(&headless.runs.usual(run));
    if let Some(why) = uncertain {
        document.verdict = Verdict::Uncertain;
        document.uncertain = true;
        document.exit = Verdict::Uncertain.exit_code();
        why.clone_into(&mut document.why.sentence);
    }
    output::document(globals.output, &document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_limit_counts() {
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let patience = |wanted: Option<u64>| Patience {
            wanted: wanted.map(at),
            overdue: at(100),
            unreachable: Duration::from_secs(30),
        };
        let table = [
            (None, None, 100, Without::Overdue),
            (Some(20), None, 20, Without::WantedTime),
            (Some(200), None, 100, Without::Overdue),
            (None, Some(10), 40, Without::Unreachable),
            (None, Some(90), 100, Without::Overdue),
            (Some(35), Some(10), 35, Without::WantedTime),
            (Some(50), Some(10), 40, Without::Unreachable),
        ];
        for (wanted, lost, until, without) in table {
            let found = limit(patience(wanted), lost.map(at));
            assert_eq!(found, (at(until), without), "{wanted:?} {lost:?}");
        }
    }
}
