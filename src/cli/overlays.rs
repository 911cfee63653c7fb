//! `overlays` on the command line: list, render, diff, apply.

mod ask;
mod text;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::output::{self, Format};
use super::session::{self, Setup};
use crate::cluster::apply::ApplyError;
use crate::domain::masking;
use crate::domain::overlays::objects::Objects;
use crate::domain::overlays::plan::{Plan, Refusal};
use crate::domain::overlays::progress::{ApplyOptions, Report};
use crate::domain::overlays::{Overlay, Problem, Standing};
use crate::domain::target::{Target, TargetKind};
use crate::files::overlays::Shelf;
use crate::runtime::World;
use clap::Subcommand;
use serde::Serialize;
use serde_json::{Value, json};

/// Arguments of `overlays`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the overlays and how each stands to the cluster
    List,
    /// Print the objects of an overlay as YAML documents; no cluster is needed
    Render {
        #[arg(value_name = "NAME")]
        name: String,
        /// Print the values of Secrets too
        #[arg(long)]
        with_secrets: bool,
    },
    /// Show what applying an overlay would change; exit code 1 when it would change anything
    Diff {
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Show what would change, ask, and apply
    Apply {
        #[arg(value_name = "NAME")]
        name: String,
        /// Take the ownership of fields that others own
        #[arg(long)]
        force_conflicts: bool,
        /// Remove what the overlay had and has not any more
        #[arg(long)]
        prune: bool,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// Runs `overlays`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let setup = Setup::read(globals)?;
    let shelf = Shelf::new(setup.overlays(globals).into_iter().collect());
    match args.command {
        Command::List => list(globals, &setup, &shelf).await,
        Command::Render { name, with_secrets } => render(globals, &shelf, &name, with_secrets),
        Command::Diff { name } => {
            let objects = rendered(&shelf, &name)?;
            let world = session::open(globals, &setup).await?;
            let done = diff(globals, &world, &name, &objects).await;
            world.close().await;
            done
        }
        Command::Apply {
            name,
            force_conflicts,
            prune,
            yes,
        } => {
            let options = ApplyOptions {
                force: force_conflicts,
                prune,
            };
            let objects = rendered(&shelf, &name)?;
            // Said before anything is opened: whoever calls from a script learns it at once.
            if !yes && !globals.sandbox {
                ask::needs_a_terminal()?;
            }
            let world = session::open(globals, &setup).await?;
            let done = apply(globals, &world, &name, &objects, options, yes).await;
            world.close().await;
            done
        }
    }
}

fn rendered(shelf: &Shelf, name: &str) -> Result<Objects, Failure> {
    shelf
        .render(name)
        .objects
        .map_err(|problem| broken(name, &problem))
}

fn broken(name: &str, problem: &Problem) -> Failure {
    if problem.file.is_empty() {
        return Failure::invalid(problem.to_string());
    }
    Failure::invalid(format!("overlay {name} is broken: {problem}"))
}

#[derive(Serialize)]
struct ListDocument<'a> {
    schema: &'static str,
    /// Absent when no cluster could be asked.
    target: Option<&'a Target>,
    overlays: &'a [Overlay],
}

async fn list(globals: &Globals, setup: &Setup, shelf: &Shelf) -> Result<Exit, Failure> {
    let mut overlays = shelf.list();
    if overlays.is_empty() {
        output::progress(
            "no overlay there: name another directory with --overlays, or none for those inside the program",
        );
    }
    // The names are worth something without a cluster.
    let world = match session::open(globals, setup).await {
        Ok(world) => Some(world),
        Err(failure) => {
            output::complain(&failure.message);
            None
        }
    };
    if let Some(world) = &world {
        for overlay in &mut overlays {
            let Ok(objects) = shelf.render(&overlay.name).objects else {
                continue;
            };
            let planned = world
                .cluster()
                .plan(&overlay.name, &objects, world.namespace())
                .await;
            match planned {
                Ok(plan) => overlay.compared(&plan),
                Err(error) => output::complain(&error.to_string()),
            }
        }
    }
    let target = world.as_ref().map(World::target);
    let printed = match globals.output {
        Format::Text => output::text(&text::list(&overlays)),
        Format::Jsonl => overlays
            .iter()
            .try_for_each(|overlay| output::document(Format::Jsonl, overlay)),
        format => output::document(
            format,
            &ListDocument {
                schema: "llmctl-dev/overlays/v1",
                target,
                overlays: &overlays,
            },
        ),
    };
    if let Some(world) = world {
        world.close().await;
    }
    printed?;
    Ok(Exit::Ok)
}

fn render(
    globals: &Globals,
    shelf: &Shelf,
    name: &str,
    with_secrets: bool,
) -> Result<Exit, Failure> {
    let rendered = shelf.render(name);
    let objects = rendered.objects.map_err(|problem| broken(name, &problem))?;
    let is_secret = |object: &Value| object.get("kind").and_then(Value::as_str) == Some("Secret");
    let shown: Vec<Value> = objects
        .all()
        .iter()
        .map(|object| {
            let mut object = object.clone();
            if !with_secrets && is_secret(&object) {
                masking::mask(&mut object);
            }
            object
        })
        .collect();
    if !with_secrets && objects.all().iter().any(is_secret) {
        output::progress("the values of Secrets are masked; --with-secrets prints them");
    }
    match globals.output {
        Format::Text | Format::Yaml => output::text(&text::yaml(&shown)?)?,
        Format::Jsonl => {
            for object in &shown {
                output::document(Format::Jsonl, object)?;
            }
        }
        Format::Json => output::document(
            Format::Json,
            &json!({
                "schema": "llmctl-dev/overlay-objects/v1",
                "overlay": name,
                "files": rendered.files,
                "objects": shown,
            }),
        )?,
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct PlanDocument<'a> {
    schema: &'static str,
    target: &'a Target,
    standing: Standing,
    summary: String,
    counts: crate::domain::overlays::plan::Counts,
    #[serde(flatten)]
    plan: &'a Plan,
}

async fn diff(
    globals: &Globals,
    world: &World,
    name: &str,
    objects: &Objects,
) -> Result<Exit, Failure> {
    let plan = world
        .cluster()
        .plan(name, objects, world.namespace())
        .await?;
    match globals.output {
        Format::Text => {
            let colour = globals.color.on(&std::io::stdout());
            output::text(&text::plan(globals, &plan, world.target(), colour))?;
        }
        Format::Jsonl => {
            for change in &plan.changes {
                output::document(Format::Jsonl, change)?;
            }
        }
        format => output::document(
            format,
            &PlanDocument {
                schema: "llmctl-dev/overlay-diff/v1",
                target: world.target(),
                standing: Standing::of(&plan),
                summary: plan.summary(),
                counts: plan.counts(),
                plan: &plan,
            },
        )?,
    }
    let counts = plan.counts();
    Ok(if counts.failed > 0 {
        Exit::InvalidInput
    } else if counts.same < plan.changes.len() {
        Exit::Failed
    } else {
        Exit::Ok
    })
}

#[derive(Serialize)]
struct ReportDocument<'a> {
    schema: &'static str,
    target: &'a Target,
    whole: bool,
    summary: String,
    #[serde(flatten)]
    report: &'a Report,
}

async fn apply(
    globals: &Globals,
    world: &World,
    name: &str,
    objects: &Objects,
    options: ApplyOptions,
    yes: bool,
) -> Result<Exit, Failure> {
    let plan = world
        .cluster()
        .plan(name, objects, world.namespace())
        .await?;
    for line in text::plan(globals, &plan, world.target(), false).lines() {
        output::progress(line);
    }
    if let Some(refusal) = plan.refusal(options) {
        return Err(refused(ApplyError::Refused {
            overlay: name.to_owned(),
            refusal,
        }));
    }
    let prunes = options.prune && plan.prunable().next().is_some();
    let report = if plan.is_in_sync() && plan.applied && !prunes {
        Report::untouched(&plan)
    } else {
        // A sandbox ends with the command: there is nothing to be careful with.
        if !yes && world.target().kind != TargetKind::Sandbox {
            ask::consent(&plan, world.target(), options)?;
        }
        let told = |progress| output::progress(&text::progress(&progress));
        world
            .cluster()
            .apply(&plan, options, told)
            .await
            .map_err(refused)?
    };
    match globals.output {
        Format::Text => output::text(&text::report(globals, &report, world.target()))?,
        Format::Jsonl => {
            for applied in &report.applied {
                output::document(Format::Jsonl, applied)?;
            }
        }
        format => output::document(
            format,
            &ReportDocument {
                schema: "llmctl-dev/overlay-apply/v1",
                target: world.target(),
                whole: report.is_whole(),
                summary: report.summary(),
                report: &report,
            },
        )?,
    }
    Ok(if report.is_whole() {
        Exit::Ok
    } else if report.lost {
        Exit::Unreachable
    } else {
        Exit::Failed
    })
}

/// A conflict is refused for safety (exit 4), an object that the cluster refuses is invalid input (exit 5).
fn refused(error: ApplyError) -> Failure {
    match error {
        ApplyError::Refused {
            refusal: Refusal::Conflict(what),
            overlay,
        } => Failure::new(
            Exit::Refused,
            format!(
                "overlay {overlay} is not applied: {what}; --force-conflicts takes the ownership, or leave the field out of the overlay"
            ),
        ),
        error @ ApplyError::Refused { .. } => Failure::invalid(error.to_string()),
        ApplyError::Cluster(error) => error.into(),
    }
}
