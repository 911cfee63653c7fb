//! What changes a run.

use super::super::exit::{Exit, Failure};
use super::super::headless::Headless;
use super::super::output;
use super::super::session::Setup;
use crate::cluster::jobs::Propagation;
use crate::domain::cancel::CancelStep;
use crate::domain::runs::{Phase, Ttl};
use futures::StreamExt as _;

pub(super) async fn cancel(
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
    loop {
        let step = tokio::select! {
            step = steps.next() => step,
            news = headless.next(|run| *run == id) => {
                news?;
                continue;
            }
        };
        let Some(step) = step else { break };
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
    match failed {
        None => Ok(Exit::Ok),
        Some(step) => Err(Failure::new(
            Exit::Uncertain,
            format!("cancel of Job {job}: {step}"),
        )),
    }
}

pub(super) async fn keep(headless: &mut Headless, name: &str, ttl: u32) -> Result<Exit, Failure> {
    let allowed = Ttl::MIN.0..=Ttl::MAX.0;
    if !allowed.contains(&ttl) {
        return Err(Failure::invalid(format!(
            "--ttl {ttl}: a time to live is from {} to {} seconds",
            Ttl::MIN.0,
            Ttl::MAX.0
        )));
    }
    let run = headless.named(name)?;
    if matches!(run.phase, Phase::Removed | Phase::Deleting) {
        return Err(Failure::new(
            Exit::Gone,
            format!("too late to keep run {name}: its Job is gone; its log is kept in the history"),
        ));
    }
    let job = headless
        .world
        .cluster()
        .extend_ttl(&run.namespace, &run.job, Some(&run.id.0), Ttl(ttl))
        .await?;
    output::progress(&format!(
        "Job {} is kept for {ttl} s from its end",
        job.name
    ));
    Ok(Exit::Ok)
}

pub(super) async fn remove(headless: &mut Headless, name: &str) -> Result<Exit, Failure> {
    let run = headless.named(name)?;
    let (id, job, namespace) = (run.id.clone(), run.job.clone(), run.namespace.clone());
    if run.phase == Phase::Removed {
        return Err(Failure::new(
            Exit::Gone,
            format!("run {name} has no Job any more; its log is kept in the history"),
        ));
    }
    let finished = run.finished_at.is_some();
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
    Ok(Exit::Ok)
}
