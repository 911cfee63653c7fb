//! What changes a run.

use super::super::args::Globals;
use super::super::exit::{Exit, Failure};
use super::super::headless::Headless;
use super::super::output::{self, Format};
use super::super::session::Setup;
use super::ask;
use crate::cluster::error::Kind;
use crate::cluster::jobs::Propagation;
use crate::domain::cancel::{CancelPlan, CancelStep};
use crate::domain::runs::document::RunDocument;
use crate::domain::runs::{Phase, Run, Ttl};
use crate::domain::target::Target;
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
struct CancelDocument<'a> {
    schema: &'static str,
    target: &'a Target,
    plan: CancelPlan,
    steps: Vec<StepDocument>,
    run: Option<RunDocument<'a>>,
}

#[derive(Serialize)]
struct StepDocument {
    at: Timestamp,
    #[serde(flatten)]
    step: CancelStep,
}

pub(super) async fn cancel(
    globals: &Globals,
    setup: &Setup,
    headless: &mut Headless,
    name: &str,
    grace: Option<u32>,
) -> Result<Exit, Failure> {
    let run = headless.named(name)?;
    let (id, job) = (run.id.clone(), run.job.clone());
    let mut plan = setup.settings.effective().cancel_plan();
    plan.grace = grace.unwrap_or(plan.grace);
    let now = headless.now();
    let wants = headless.runs.cancel_asked(&id, now);
    headless.want(wants, false);
    let namespace = headless.world.namespace().to_owned();
    let mut steps = headless.world.cluster().cancel(&namespace, &job, plan);
    // The log takes the executor's last word along when its pod goes.
    headless.read(&id);
    let mut failed = None;
    let mut told = Vec::new();
    let mut until = None;
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        let step = tokio::select! {
            step = steps.next() => step,
            news = headless.next(|run| *run == id) => {
                news?;
                continue;
            }
            _ = seconds.tick(), if until.is_some() => {
                if let Some(until) = until {
                    output::fleeting(&left(until, headless.now(), plan));
                }
                continue;
            }
        };
        output::fleeting("");
        let Some(step) = step else { break };
        until = match &step {
            CancelStep::Asked { grace, .. } => {
                Some(headless.now() + SignedDuration::from_secs(i64::from(*grace)))
            }
            _ => None,
        };
        told.push(StepDocument {
            at: headless.now(),
            step: step.clone(),
        });
        if step == CancelStep::AlreadyGone {
            return Err(Failure::new(
                Exit::Gone,
                format!("too late to cancel run {name}: its Job is gone"),
            ));
        }
        output::progress(&step.to_string());
        if step.is_failure() {
            failed = Some(step);
        }
    }
    headless.collect(&id).await?;
    if globals.output != Format::Text {
        let (target, now) = (headless.world.target(), headless.now());
        let document = CancelDocument {
            schema: "llmctl-dev/cancel/v1",
            target,
            plan,
            steps: told,
            run: headless
                .runs
                .find(&id)
                .map(|run| RunDocument::new(run, target, now)),
        };
        output::document(globals.output, &document)?;
    }
    match failed {
        None => Ok(Exit::Ok),
        Some(step) => Err(Failure::new(
            Exit::Uncertain,
            format!("cancel of Job {job}: {step}"),
        )),
    }
}

/// What a person reads while a pod has its grace.
fn left(until: Timestamp, now: Timestamp, plan: CancelPlan) -> String {
    let left = until.duration_since(now).as_secs();
    let then = if plan.force {
        "then it is removed by force"
    } else {
        "removing it by force is switched off"
    };
    if left > 0 {
        format!("{left} s of the grace left; {then}")
    } else {
        format!("the grace is over: waiting for the node's word; {then}")
    }
}

/// Sets a new time to live.
pub(super) async fn keep(
    headless: &mut Headless,
    names: &[String],
    ttl: u32,
) -> Result<Exit, Failure> {
    let allowed = Ttl::MIN.0..=Ttl::MAX.0;
    if !allowed.contains(&ttl) {
        return Err(Failure::invalid(format!(
            "--ttl {ttl}: a time to live is from {} to {} seconds",
            Ttl::MIN.0,
            Ttl::MAX.0
        )));
    }
    lengthen(headless, names, |_| Some(Ttl(ttl))).await
}

/// Adds to the time to live.
pub(super) async fn extend(
    headless: &mut Headless,
    names: &[String],
    by: u32,
) -> Result<Exit, Failure> {
    let longer = |run: &Run| Some(Ttl(run.ttl?.0.saturating_add(by).min(Ttl::MAX.0)));
    lengthen(headless, names, longer).await
}

/// Every name is looked up before anything is written; one that is too late does not hold up the others.
async fn lengthen(
    headless: &mut Headless,
    names: &[String],
    longer: impl Fn(&Run) -> Option<Ttl>,
) -> Result<Exit, Failure> {
    let mut wanted = Vec::new();
    for name in names {
        let run = headless.named(name)?;
        let gone = matches!(run.phase, Phase::Removed | Phase::Deleting);
        wanted.push((name, run.id.clone(), run.job.clone(), longer(run), gone));
    }
    let namespace = headless.world.namespace().to_owned();
    let mut late = Vec::new();
    for (name, id, job, ttl, gone) in wanted {
        let Some(ttl) = ttl else {
            output::progress(&format!(
                "run {name} has no time to live: its Job stays until somebody removes it"
            ));
            continue;
        };
        if gone {
            late.push(name.as_str());
            continue;
        }
        let cluster = headless.world.cluster();
        match cluster.keep_job(&namespace, &job, Some(&id.0), ttl).await {
            Ok(_) => output::progress(&format!(
                "Job {job} is kept for {} s from its end; Studio's pruner passes it by",
                ttl.0
            )),
            Err(error) if error.kind() == Kind::NotFound => late.push(name.as_str()),
            Err(error) => return Err(error.into()),
        }
    }
    if late.is_empty() {
        return Ok(Exit::Ok);
    }
    Err(Failure::new(
        Exit::Gone,
        format!(
            "too late to keep run {}: its Job is gone; its log is kept in the history",
            late.join(", run ")
        ),
    ))
}

/// Removes Jobs with their pods, after their logs were read to the end.
pub(super) async fn remove(
    headless: &mut Headless,
    names: &[String],
    yes: bool,
) -> Result<Exit, Failure> {
    let mut wanted = Vec::new();
    for name in names {
        let run = headless.named(name)?;
        if run.phase == Phase::Removed {
            return Err(Failure::new(
                Exit::Gone,
                format!("run {name} has no Job any more; its log is kept in the history"),
            ));
        }
        wanted.push((run.id.clone(), run.job.clone(), run.finished_at.is_some()));
    }
    if wanted.len() > 1 && !yes {
        let what = format!("Remove {} Jobs with their pods", wanted.len());
        ask::typed(headless, &what)?;
    }
    let namespace = headless.world.namespace().to_owned();
    for (id, job, finished) in wanted {
        let now = headless.now();
        let wants = headless.runs.cancel_asked(&id, now);
        headless.want(wants, false);
        if finished {
            // Its log goes with its pod, and the history may not have it.
            headless.read(&id);
            headless.collect(&id).await?;
        }
        headless
            .world
            .cluster()
            .delete_job(&namespace, &job, Some(&id.0), Propagation::Foreground)
            .await?;
        output::progress(&format!("Job {job} is being removed"));
    }
    Ok(Exit::Ok)
}
