//! `run --dry-run`: the objects of a run, as they would be created.

use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Format};
use crate::domain::manifest::RunPlan;

/// Prints both objects: one YAML stream for people and `-o yaml`, a List or a line each as JSON. Values of the payload's
/// environment and its standard input are masked; the ConfigMap has no owner yet.
pub(super) fn print(globals: &Globals, plan: &RunPlan) -> Result<Exit, Failure> {
    let objects = plan.shown();
    match globals.output {
        Format::Text | Format::Yaml => {
            for (at, object) in objects.iter().enumerate() {
                if at > 0 {
                    output::text("---\n")?;
                }
                output::document(Format::Yaml, object)?;
            }
        }
        Format::Jsonl => {
            for object in &objects {
                output::document(Format::Jsonl, object)?;
            }
        }
        Format::Json => {
            let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
            output::document(Format::Json, &list)?;
        }
    }
    Ok(Exit::Ok)
}
