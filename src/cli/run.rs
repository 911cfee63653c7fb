//! `run SAMPLE`: starts one Kubernetes Job and, when asked to, waits for its verdict.

mod burst;
mod check;
mod dry;
mod like;
mod wait;
mod wanted;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::headless::Headless;
use super::output;
use super::session::Setup;
use crate::cluster::error::{Error, Kind};
use crate::domain::manifest::RunPlan;
use crate::domain::observed::JobSeen;
use crate::domain::runs::RunId;
use crate::domain::settings::images::ImageClass;
use jiff::Timestamp;
use std::path::PathBuf;
use wanted::Wanted;

/// So many numbers that others took are skipped.
const NUMBERS: u64 = 100;

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct Args {
    /// Which sample to run: hello, slow, fail, timeout, noisy, bad-image, silent, crash, start-node, or one of your own;
    /// `node` runs a node of TYPE
    #[arg(value_name = "SAMPLE", required_unless_present_any = ["payload", "like"])]
    pub sample: Option<String>,
    /// Node type after `node`: start, end, flowchart, task, plan, milestone, memory, decision, rag, `agent_task`, `llm_call`,
    /// `rag_chat_completion`
    #[arg(value_name = "TYPE")]
    pub kind: Option<String>,
    /// Run a payload of your own (contract v1) from a JSON or YAML file, or from standard input (-)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sample", "kind"])]
    pub payload: Option<PathBuf>,
    /// Run what the run RUN asked for: its payload, image, time-out, time to live and GPUs, as the cluster still has them, changed by
    /// the other options; with --again the very same request as its next pass
    #[arg(long, value_name = "RUN", conflicts_with_all = ["sample", "kind", "payload"])]
    pub like: Option<String>,
    /// Change a field of the payload: `env.NAME=value`, `timeout_seconds=60`, a node's field such as `task_prompt=text`; again for
    /// more
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// Wait for the verdict and end with its exit code
    #[arg(long)]
    pub wait: bool,
    /// Give up waiting after so many seconds (exit 6); the run goes on
    #[arg(long, value_name = "S", requires = "wait")]
    pub wait_timeout: Option<u64>,
    /// Give up waiting after the API server was out of reach for so many seconds (exit 8); the run may go on
    #[arg(long, value_name = "S", default_value_t = 300)]
    pub unreachable_timeout: u64,
    /// Start so many runs of it, wait for all, and end with the exit code of the worst
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub count: u32,
    /// So many of them at a time
    #[arg(long, value_name = "M", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub parallel: u32,
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
    /// Image class instead of the one that the model provider asks for
    #[arg(long, value_enum)]
    pub class: Option<Class>,
    /// GPUs to ask for
    #[arg(long, value_name = "N")]
    pub gpu: Option<u32>,
    /// Look at what the run needs and create nothing: namespace, account, node, image, quota, GPU, clock, live code;
    /// exit 4 when it cannot work
    #[arg(long, conflicts_with_all = ["wait", "follow"])]
    pub check: bool,
    /// Start without looking at the cluster first; what cannot work is created all the same
    #[arg(long, conflicts_with_all = ["check", "dry_run"])]
    pub no_check: bool,
    /// Print the Job and the ConfigMap that would be created, secrets masked, and create nothing; asks no cluster
    #[arg(long, conflicts_with_all = ["wait", "follow", "check"])]
    pub dry_run: bool,
    /// Execution number instead of the next free one; a run that is known already under its number is refused (exit 4)
    #[arg(long, value_name = "N")]
    pub execution: Option<u64>,
    /// Pass through the node, from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub index: Option<u64>,
    /// When the run is known already, run it again as the next pass
    #[arg(long)]
    pub again: bool,
}

/// Image classes of contract 3.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Class {
    Frontier,
    Vllm,
}

impl From<Class> for ImageClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Frontier => Self::Frontier,
            Class::Vllm => Self::Vllm,
        }
    }
}

/// Runs `run`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let setup = Setup::read(globals)?;
    setup.usable()?;
    let settings = setup
        .settings
        .effective()
        .for_runs(&setup.namespace(globals));
    if let Some(name) = &args.like {
        let mut headless = Headless::open(globals, &setup).await?;
        let ended = match like::wanted(&headless, &setup, name, &args, settings).await {
            Ok(wanted) => Box::pin(like_it(globals, &setup, &args, &mut headless, &wanted)).await,
            Err(failure) => Err(failure),
        };
        headless.world.close().await;
        return ended;
    }
    let wanted = Wanted::read(&setup, &args, settings)?;
    // What can be refused without a cluster is refused before one is asked.
    let first = wanted.plan(wanted.execution.unwrap_or(1), wanted.index)?;
    if args.dry_run {
        return dry::print(globals, &first);
    }
    if args.check {
        return check::run(globals, &setup, wanted.settings(), &first).await;
    }
    let mut headless = Headless::open(globals, &setup).await?;
    let ended = start(globals, &args, &mut headless, &wanted, &first).await;
    headless.world.close().await;
    ended
}

/// The same for a request that was read from a cluster: its numbers are known by now.
async fn like_it(
    globals: &Globals,
    setup: &Setup,
    args: &Args,
    headless: &mut Headless,
    wanted: &Wanted,
) -> Result<Exit, Failure> {
    let execution = wanted
        .execution
        .unwrap_or_else(|| headless.runs.next_execution());
    let first = wanted.plan(execution, wanted.index)?;
    if args.dry_run {
        return dry::print(globals, &first);
    }
    if args.check {
        return check::run(globals, setup, wanted.settings(), &first).await;
    }
    start(globals, args, headless, wanted, &first).await
}

/// Looks once whether it can work, however many runs there are to be, then creates and waits.
async fn start(
    globals: &Globals,
    args: &Args,
    headless: &mut Headless,
    wanted: &Wanted,
    first: &RunPlan,
) -> Result<Exit, Failure> {
    if !args.no_check {
        check::before(&headless.world, wanted.settings(), first).await?;
    }
    if args.count > 1 {
        return burst::run(globals, args, headless, wanted).await;
    }
    let created = create(headless, wanted, args.again).await?;
    if let Some(refusal) = created.refusal {
        wait::not_created(globals, headless, &created.id, &refusal)?;
        return Err(refusal);
    }
    wait::follow(globals, args, headless, &created.id, &created.plan).await
}

/// A run that the API server was asked to create.
struct Created {
    id: RunId,
    plan: RunPlan,
    /// Why it was not, or may not have been.
    refusal: Option<Failure>,
}

/// Creates the run: under the number that it names when there is no such run yet, else under the next free number.
async fn create(headless: &mut Headless, wanted: &Wanted, again: bool) -> Result<Created, Failure> {
    let mut execution = wanted
        .execution
        .unwrap_or_else(|| headless.runs.next_execution());
    let mut index = wanted.index;
    for _ in 0..NUMBERS {
        let plan = wanted.plan(execution, index)?;
        let now = headless.now();
        if let Some(run) = headless.runs.duplicate(&plan, now) {
            if !again {
                return Err(refused(&run.known_already(), &run.label()));
            }
            index += 1;
            continue;
        }
        let created = headless.world.cluster().create_run(&plan).await;
        let taken = created
            .as_ref()
            .is_err_and(|error| error.kind() == Kind::Conflict);
        // Another program may take a number, or a name, between our look and our Job.
        match (taken, wanted.execution) {
            (true, None) => execution += 1,
            (true, Some(_)) if again => index += 1,
            (true, Some(_)) => {
                let why = format!("a Job {} is there already", plan.job_name);
                return Err(refused(&why, &plan.job_name));
            }
            (false, _) => {
                let (id, refusal) = dispatched(headless, &plan, created, now);
                return Ok(Created { id, plan, refusal });
            }
        }
    }
    Err(Failure::other(format!(
        "the next {NUMBERS} numbers from {} on are taken; name one with --execution",
        wanted
            .execution
            .unwrap_or(execution.saturating_sub(NUMBERS))
    )))
}

fn refused(why: &str, run: &str) -> Failure {
    Failure::new(
        Exit::Refused,
        format!("{why}; `llmctl-dev runs show {run}` shows it, --again runs it as the next pass"),
    )
}

/// Lists the run with what the API server answered; tells what it refused.
fn dispatched(
    headless: &mut Headless,
    plan: &RunPlan,
    created: Result<JobSeen, Error>,
    asked: Timestamp,
) -> (RunId, Option<Failure>) {
    let (id, wants) = headless.runs.dispatching(plan, asked);
    headless.want(wants, false);
    let now = headless.now();
    let job = match created {
        Ok(job) => job,
        Err(error) => {
            let why = error.to_string();
            let wants = if error.kind() == Kind::Unknown {
                headless.runs.unanswered(&id, why, now)
            } else {
                headless.runs.refused(&id, why, now)
            };
            headless.want(wants, false);
            return (id, Some(error.into()));
        }
    };
    let wants = headless.runs.accepted(&id, job, now);
    headless.want(wants, true);
    output::progress(&format!(
        "run {execution}: Job {job} created in namespace {namespace} at {target}",
        execution = plan.request.execution_id,
        job = plan.job_name,
        namespace = plan.namespace,
        target = headless.world.target().badge(),
    ));
    (id, None)
}
