//! `run --like RUN`: the request of a run that was there, sent once more or changed.

use super::Args;
use super::wanted::Wanted;
use crate::cli::exit::{Exit, Failure};
use crate::cli::headless::Headless;
use crate::cli::output;
use crate::cli::session::Setup;
use crate::cluster::error::Kind;
use crate::domain::manifest::RunSettings;
use crate::domain::manifest::asked::Asked;
use crate::domain::runs::{Phase, Run};
use crate::files::samples;

/// Reads what the run `name` asked for, as its objects say it; when they are gone, its sample as it is now.
///
/// # Errors
/// There is no such run, or nothing is left of what it asked for.
pub(super) async fn wanted(
    headless: &Headless,
    setup: &Setup,
    name: &str,
    args: &Args,
    settings: RunSettings,
) -> Result<Wanted, Failure> {
    let run = headless.named(name)?;
    let gone = matches!(run.phase, Phase::Removed | Phase::NotDispatched);
    let mut wanted = match asked(headless, run, gone).await? {
        Some(asked) => Wanted::like(asked, args, settings)?,
        None => of_sample(setup, run, args, settings)?,
    };
    if args.again {
        let execution = run
            .execution
            .unwrap_or_else(|| headless.runs.next_execution());
        let plan = wanted.plan(execution, 1)?;
        wanted.execution = Some(execution);
        wanted.index = args
            .index
            .unwrap_or_else(|| headless.runs.next_pass(&plan.request, run, headless.now()));
    }
    Ok(wanted)
}

async fn asked(headless: &Headless, run: &Run, gone: bool) -> Result<Option<Asked>, Failure> {
    if gone {
        return Ok(None);
    }
    let cluster = headless.world.cluster();
    let namespace = headless.world.namespace();
    match cluster.asked(namespace, &run.job, &run.id.0).await {
        Ok(asked) => Ok(Some(asked)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn of_sample(
    setup: &Setup,
    run: &Run,
    args: &Args,
    settings: RunSettings,
) -> Result<Wanted, Failure> {
    let label = run.label();
    let Some(name) = &run.sample else {
        return Err(Failure::new(
            Exit::Gone,
            format!(
                "run {label} was started by Studio, and its payload is not in the cluster any more: only Studio can run it again"
            ),
        ));
    };
    let found = samples::load(Some(&setup.paths.samples_dir()));
    let Some(sample) = found.find(name) else {
        return Err(Failure::new(
            Exit::Gone,
            format!(
                "the payload of run {label} went with its Job, and there is no sample {name} to take instead; --payload FILE sends one of your own"
            ),
        ));
    };
    output::progress(&format!(
        "the payload of run {label} went with its Job: taken is sample {name} as it is now"
    ));
    let options = Asked::of_settings(&run.image, run.settings.as_ref());
    Wanted::of(sample.clone(), None, options, args, settings)
}
