//! What a run will find in the cluster: all of it for `run --check`, which creates nothing, and what speaks against it before `run`.

use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Format};
use crate::cli::session::{self, Setup};
use crate::domain::manifest::{RunPlan, RunSettings};
use crate::domain::preflight::{Mark, Needs, Place, Preflight, Row};
use crate::domain::target::Target;
use crate::runtime::World;
use serde::Serialize;
use std::fmt::Write as _;

/// Name and version of the document's shape.
const SCHEMA: &str = "llmctl-dev/preflight/v1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    target: &'a Target,
    namespace: &'a str,
    sample: &'a str,
    image: &'a str,
    /// Nothing refuses the run.
    ready: bool,
    rows: &'a [Row],
}

/// Looks, prints, and ends with 4 when the run cannot work.
pub(super) async fn run(
    globals: &Globals,
    setup: &Setup,
    settings: &RunSettings,
    plan: &RunPlan,
) -> Result<Exit, Failure> {
    let world = session::open(globals, setup).await?;
    let facts = world.preflight(&Place::of(settings)).await;
    let preflight = Preflight::of(&Needs::of(plan), &facts, world.target());
    let printed = print(globals, world.target(), plan, &preflight);
    world.close().await;
    printed?;
    Ok(match preflight.refusal() {
        Some(_) => Exit::Refused,
        None => Exit::Ok,
    })
}

/// Looks before a run is created: what speaks against it is told, and what makes it impossible ends the command, with nothing created.
///
/// # Errors
/// [`Exit::Refused`] with what cannot work and how to mend it.
pub(super) async fn before(
    world: &World,
    settings: &RunSettings,
    plan: &RunPlan,
) -> Result<(), Failure> {
    let needs = Needs::of(plan);
    let mut place = Place::of(settings);
    if !needs.node {
        // Only a node's payload mounts it, and looking for it may take a second.
        place.live_code = None;
    }
    let facts = world.preflight(&place).await;
    let preflight = Preflight::of(&needs, &facts, world.target());
    for row in preflight.warnings() {
        output::progress(&format!("{}: {}", row.name, row.sentence()));
    }
    match preflight.refusal() {
        None => Ok(()),
        Some(row) => Err(Failure::new(
            Exit::Refused,
            format!(
                "nothing was created: {}: {} (--no-check starts it all the same)",
                row.name,
                row.sentence()
            ),
        )),
    }
}

fn print(
    globals: &Globals,
    target: &Target,
    plan: &RunPlan,
    preflight: &Preflight,
) -> Result<(), Failure> {
    if globals.output != Format::Text {
        let document = Document {
            schema: SCHEMA,
            target,
            namespace: &plan.namespace,
            sample: &plan.sample,
            image: &plan.image,
            ready: preflight.refusal().is_none(),
            rows: &preflight.rows,
        };
        return output::document(globals.output, &document);
    }
    let mut text = format!(
        "{} in namespace {} at {}\n",
        plan.sample,
        plan.namespace,
        target.badge()
    );
    for row in &preflight.rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {} {:<16} {}", word(row.mark), row.name, row.says);
        if let Some(fix) = &row.fix {
            let _ = writeln!(text, "{:27}fix: {fix}", "");
        }
    }
    let lines = text.lines().map(output::foreign_line);
    lines.collect()
}

/// Glyph and word, as wide as each other.
fn word(mark: Mark) -> &'static str {
    match mark {
        Mark::Ok => "ok     ",
        Mark::Warns => "warns  ",
        Mark::Refuses => "refuses",
        Mark::Unknown => "unknown",
    }
}
