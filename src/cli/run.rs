//! `run SAMPLE`: starts one Kubernetes Job and, when asked to, waits for its verdict.

mod check;
mod wait;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::headless::Headless;
use super::output;
use super::session::Setup;
use crate::cluster::error::Kind;
use crate::domain::manifest::{Refusal, RunOptions, RunPlan, plan_run};
use crate::domain::runs::RunId;
use crate::files::samples;

/// So many numbers that others took are skipped.
const NUMBERS: u64 = 100;

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which sample to run; `llmctl-dev run --help` names the built-in ones: hello, slow, fail, timeout, noisy,
    /// bad-image, silent, crash, start-node
    #[arg(value_name = "SAMPLE")]
    pub sample: String,
    /// Wait for the verdict and end with its exit code
    #[arg(long)]
    pub wait: bool,
    /// Give up waiting after so many seconds (exit 6); the run goes on
    #[arg(long, value_name = "S", requires = "wait")]
    pub wait_timeout: Option<u64>,
    /// Give up waiting after the API server was out of reach for so many seconds (exit 8); the run may go on
    #[arg(long, value_name = "S", default_value_t = 300)]
    pub unreachable_timeout: u64,
    /// Print the log while it runs (implies --wait)
    #[arg(long)]
    pub follow: bool,
    /// Time to live of the finished Job in seconds, 60 to 86400, instead of the setting
    #[arg(long, value_name = "S")]
    pub ttl: Option<u32>,
    /// Execution timeout of the run in seconds, instead of the setting; a run that takes longer ends with exit 6
    #[arg(long, value_name = "S")]
    pub timeout: Option<u32>,
    /// Image instead of the one in the settings
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// GPUs to ask for
    #[arg(long, value_name = "N")]
    pub gpu: Option<u32>,
    /// Look at what the run needs and create nothing: namespace, account, node, image, quota, GPU, clock, live code;
    /// exit 4 when it cannot work
    #[arg(long, conflicts_with_all = ["wait", "follow"])]
    pub check: bool,
}

/// Runs `run`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let setup = Setup::read(globals)?;
    setup.usable()?;
    let found = samples::load(Some(&setup.paths.samples_dir()));
    for problem in &found.problems {
        output::progress(&problem.to_string());
    }
    let Some(sample) = found.find(&args.sample) else {
        let names: Vec<&str> = found.samples.iter().map(|s| s.name.as_str()).collect();
        return Err(Failure::invalid(format!(
            "there is no sample `{}`; there are {}",
            args.sample,
            names.join(", ")
        )));
    };
    let options = RunOptions {
        timeout_seconds: args.timeout,
        ttl_seconds: args.ttl,
        gpu: args.gpu,
        image: args.image.clone(),
        ..RunOptions::default()
    };
    let settings = setup
        .settings
        .effective()
        .for_runs(&setup.namespace(globals));
    // What can be refused without a cluster is refused before one is asked.
    let first = plan_run(sample, 1, &settings, &options)
        .map_err(|refusal| Failure::invalid(refusal.to_string()))?;
    if args.check {
        return check::run(globals, &setup, &settings, &first).await;
    }
    let mut headless = Headless::open(globals, &setup).await?;
    let plan = |execution| plan_run(sample, execution, &settings, &options);
    let ended = match create(&mut headless, plan).await {
        Ok((id, plan)) => wait::follow(globals, &args, &mut headless, &id, &plan).await,
        Err(failure) => Err(failure),
    };
    headless.world.close().await;
    ended
}

/// Creates the run under the next free number: another program may take one between our look and our Job.
async fn create(
    headless: &mut Headless,
    plan: impl Fn(u64) -> Result<RunPlan, Refusal>,
) -> Result<(RunId, RunPlan), Failure> {
    let mut execution = headless.runs.next_execution();
    let last = execution + NUMBERS;
    loop {
        let plan = plan(execution).map_err(|refusal| Failure::invalid(refusal.to_string()))?;
        let asked = headless.now();
        let created = headless.world.cluster().create_run(&plan).await;
        if let Err(error) = &created
            && error.kind() == Kind::Conflict
            && execution < last
        {
            execution += 1;
            continue;
        }
        let (id, wants) = headless.runs.dispatching(&plan, asked);
        headless.want(wants, false);
        let now = headless.now();
        let job = match created {
            Ok(job) => job,
            Err(error) => {
                let wants = headless.runs.refused(&id, error.to_string(), now);
                headless.want(wants, false);
                return Err(error.into());
            }
        };
        let wants = headless.runs.accepted(&id, job, now);
        headless.want(wants, true);
        output::progress(&format!(
            "run {execution}: Job {job} created in namespace {namespace} at {target}",
            job = plan.job_name,
            namespace = plan.namespace,
            target = headless.world.target().badge(),
        ));
        return Ok((id, plan));
    }
}
