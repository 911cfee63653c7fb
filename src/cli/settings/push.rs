//! `settings push`: what would change is shown first, then written, then whoever must restart to see it is named.

mod page;
mod restart;
mod studio;

use super::text;
use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Format};
use crate::cli::session::{self, Setup};
use crate::cli::studio::{Reach, Via};
use crate::cluster::settings::PushError;
use crate::domain::settings::held::{CONFIG_MAPS, Held, StoredChange};
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::{Layered, Origin};
use crate::domain::settings::problem::Problem;
use crate::domain::settings::push::{Push, Pushed, Workload};
use crate::domain::target::TargetKind;
use crate::runtime::World;
use crate::sanitize::sanitize;
use clap::ValueEnum;
use serde_json::json;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Where settings are pushed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// The ConfigMap that llmctl's workloads take their environment from
    Configmap,
    /// Rows of Studio's database, which count more than its environment
    Studio,
}

/// Arguments of `settings push`.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub(super) struct Args {
    /// What to write to
    #[arg(long, value_enum)]
    to: To,
    #[command(flatten)]
    reach: Reach,
    /// How Studio is reached: by its database, or by its own HTTP endpoint
    #[arg(long, value_enum, default_value_t = Via::Sql, conflicts_with = "postgres")]
    via: Via,
    /// Keys to push; without any, those that the file or the environment sets
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    /// Push every key, defaults too
    #[arg(long, conflicts_with = "keys")]
    all: bool,
    /// Another ConfigMap than llmctl-studio-config or, where that is not, llmctl-executor-settings
    #[arg(long, value_name = "NAME")]
    configmap: Option<String>,
    /// Show what would change and who is in the way; write nothing
    #[arg(long)]
    dry_run: bool,
    /// Take keys that others own
    #[arg(long)]
    force: bool,
    /// Restart the workloads that read it, and wait until they are ready
    #[arg(long)]
    restart: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Runs `settings push`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub(super) async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let setup = Setup::read(globals)?;
    setup.usable()?;
    let keys = keys(&args, &setup.settings)?;
    let asks = !args.yes && !args.dry_run && !globals.sandbox;
    if asks && !io::stdin().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "standard input is no terminal, so nobody can be asked: look at --dry-run, then give --yes",
        ));
    }
    match (args.to, args.via) {
        (To::Configmap, _) => {}
        (To::Studio, Via::Sql) => return studio::run(globals, &setup, &args, &keys).await,
        (To::Studio, Via::Http) => return page::run(globals, &setup, &args, &keys).await,
    }
    let world = session::open(globals, &setup).await?;
    let done = push(globals, &world, &setup, &args, &keys).await;
    world.close().await;
    done
}

/// The keys to push.
fn keys(args: &Args, settings: &Layered) -> Result<Vec<Key>, Failure> {
    if args.keys.is_empty() {
        let set = |key: &Key| args.all || settings.origin(*key) != Origin::Default;
        let keys: Vec<Key> = Key::ALL.into_iter().filter(set).collect();
        return if keys.is_empty() {
            Err(Failure::invalid(
                "no setting is set in the file or the environment: name keys, or give --all for the defaults too",
            ))
        } else {
            Ok(keys)
        };
    }
    let known = |name: &String| match Key::of_name(name) {
        Some(key) if key.is_secret() => Err(Failure::invalid(format!(
            "{key} is a secret and never in a ConfigMap; it belongs encrypted in Studio's database"
        ))),
        Some(key) => Ok(key),
        None => Err(Failure::invalid(Problem::unknown(name).to_string())),
    };
    args.keys.iter().map(known).collect()
}

async fn push(
    globals: &Globals,
    world: &World,
    setup: &Setup,
    args: &Args,
    keys: &[Key],
) -> Result<Exit, Failure> {
    let held = find(world, args.configmap.as_deref()).await?;
    let changes = held.changes(setup.settings.effective(), keys);
    let diff = text::pushing(&held, &changes);
    diff.lines().for_each(output::progress);
    let push = Push {
        namespace: world.namespace().to_owned(),
        configmap: held.name.clone(),
        changes,
        force: args.force,
    };
    let mut pushed = Pushed::default();
    if !push.changes.is_empty() {
        // Who is in the way is known before anybody is asked.
        pushed = world
            .cluster()
            .push_settings(&push, true)
            .await
            .map_err(refused)?;
        for taken in &pushed.taken {
            let fields = taken.fields.join(", ");
            output::progress(&format!("! {fields} is taken from {}", taken.owner));
        }
        if !args.dry_run {
            consent(globals, world, args, &push)?;
            pushed = world
                .cluster()
                .push_settings(&push, false)
                .await
                .map_err(refused)?;
        }
    }
    let readers = world
        .cluster()
        .readers_of(world.namespace(), &held.name)
        .await?;
    let writes = !args.dry_run && !push.changes.is_empty();
    report(globals, world, args, &push, &pushed, &readers)?;
    if args.restart && !args.dry_run && !readers.is_empty() {
        return restart::all(world, &readers).await;
    }
    if writes && !readers.is_empty() && globals.output == Format::Text {
        output::progress("they see it after a restart: --restart does it and waits");
    }
    Ok(Exit::Ok)
}

/// The ConfigMap to write: the named one, or the first that is there.
async fn find(world: &World, named: Option<&str>) -> Result<Held, Failure> {
    let (cluster, namespace) = (world.cluster(), world.namespace());
    let found = match named {
        Some(name) => cluster.settings_map(namespace, name).await?,
        None => cluster.settings_maps(namespace).await?.into_iter().next(),
    };
    found.ok_or_else(|| {
        let configmap = named.map_or_else(|| CONFIG_MAPS.join(" or "), str::to_owned);
        refused(PushError::Missing {
            namespace: namespace.to_owned(),
            configmap,
        })
    })
}

fn consent(globals: &Globals, world: &World, args: &Args, push: &Push) -> Result<(), Failure> {
    // A sandbox ends with the command: there is nothing to be careful with.
    if args.yes || globals.sandbox || world.target().kind == TargetKind::Sandbox {
        return Ok(());
    }
    let n = push.changes.len();
    let ending = if n == 1 { "" } else { "s" };
    let (configmap, namespace) = (&push.configmap, &push.namespace);
    let badge = world.target().badge();
    consented(&format!(
        "Write {n} setting{ending} to ConfigMap {configmap} in {namespace} @ {badge}?"
    ))
}

/// Asks on standard error and reads one line.
///
/// # Errors
/// Refused when the answer is not yes.
fn consented(question: &str) -> Result<(), Failure> {
    let mut err = io::stderr().lock();
    let _ = write!(err, "{} [y/N] ", sanitize(question));
    let _ = err.flush();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    let answer = answer.trim().to_ascii_lowercase();
    if read.is_ok() && matches!(&answer[..], "y" | "yes") {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        "not pushed: nothing was changed",
    ))
}

fn report(
    globals: &Globals,
    world: &World,
    args: &Args,
    push: &Push,
    pushed: &Pushed,
    readers: &[Workload],
) -> Result<(), Failure> {
    let changes: &[StoredChange] = &push.changes;
    match globals.output {
        Format::Text => {
            let n = changes.len();
            let place = format!("ConfigMap {} in {}", push.configmap, push.namespace);
            let badge = world.target().badge();
            let mut line = match (n, args.dry_run) {
                (0, _) => format!("{place} @ {badge} says the same: nothing to push\n"),
                (n, true) => format!("would push {n} to {place} @ {badge}\n"),
                (n, false) => format!("pushed {n} to {place} @ {badge}\n"),
            };
            if n > 0 && !readers.is_empty() {
                let names: Vec<String> = readers.iter().map(ToString::to_string).collect();
                line = format!("{line}read by {}\n", names.join(", "));
            }
            output::text(&line)
        }
        format => output::document(
            format,
            &json!({
                "schema": "llmctl-dev/settings-push/v1",
                "target": world.target(),
                "to": "configmap",
                "namespace": push.namespace,
                "configmap": push.configmap,
                "dry_run": args.dry_run,
                "changes": changes,
                "taken": pushed.taken,
                "restart_needed_by": if changes.is_empty() { &[] } else { readers },
            }),
        ),
    }
}

/// What others own is refused for safety, what changed meanwhile failed, what is not there is invalid input.
fn refused(error: PushError) -> Failure {
    let message = error.to_string();
    match error {
        PushError::Conflict { .. } => {
            Failure::new(Exit::Refused, format!("{message}: --force takes them"))
        }
        PushError::Missing { .. } => Failure::invalid(message),
        PushError::Moved { .. } => Failure::other(message),
        PushError::Cluster(error) => error.into(),
    }
}
