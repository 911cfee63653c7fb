//! `run --check`: what a run would find in the cluster, without creating anything.

use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Format};
use crate::cli::session::{self, Setup};
use crate::domain::manifest::{RunPlan, RunSettings};
use crate::domain::preflight::{Mark, Needs, Place, Preflight, Row};
use crate::domain::target::Target;
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
