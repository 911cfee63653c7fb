//! Overlays, plans and reports for people.

use crate::cli::args::Globals;
use crate::cli::exit::Failure;
use crate::domain::overlays::lines::{self, Mark};
use crate::domain::overlays::plan::Plan;
use crate::domain::overlays::progress::{Outcome, Progress, Report};
use crate::domain::overlays::{Overlay, Standing};
use crate::domain::target::Target;
use crate::sanitize::sanitize;
use serde_json::Value;
use std::fmt::Write as _;

/// One row per overlay; what is broken says why below it.
pub(super) fn list(overlays: &[Overlay]) -> String {
    let rows: Vec<[String; 4]> = overlays
        .iter()
        .map(|overlay| {
            let applied = if overlay.applied { "applied" } else { "" };
            [
                overlay.name.clone(),
                overlay.standing.words(),
                applied.to_owned(),
                overlay.origin.to_string(),
            ]
        })
        .collect();
    let width = |column: usize, head: &str| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head.len()]).max().unwrap_or(0)
    };
    let (name, state, applied) = (width(0, "OVERLAY"), width(1, "STATE"), width(2, ""));
    let mut out = format!(
        "{:name$}  {:state$}  {:applied$}  FROM\n",
        "OVERLAY", "STATE", ""
    );
    for (row, overlay) in rows.iter().zip(overlays) {
        let [a, b, c, d] = row;
        push(
            &mut out,
            &format!("{a:name$}  {b:state$}  {c:applied$}  {d}"),
        );
        if let Standing::Broken(problem) = &overlay.standing {
            push(&mut out, &format!("  {problem}"));
        }
    }
    out
}

/// Adds a line, harmless to a terminal.
fn push(out: &mut String, line: &str) {
    out.push_str(&sanitize(line));
    out.push('\n');
}

/// YAML documents, each begun by `---`.
pub(super) fn yaml(objects: &[Value]) -> Result<String, Failure> {
    let mut out = String::new();
    for object in objects {
        let text = serde_saphyr::to_string(object)
            .map_err(|error| Failure::other(format!("cannot print an object: {error}")))?;
        out += "---\n";
        out += &text;
    }
    Ok(out)
}

/// Head and lines of a plan; what is the same is only counted.
pub(super) fn plan(globals: &Globals, plan: &Plan, target: &Target, colour: bool) -> String {
    let to = plan.namespaces.join(", ");
    let (arrow, dot) = if globals.ascii {
        ("->", "-")
    } else {
        ("→", "·")
    };
    let mut out = String::new();
    push(
        &mut out,
        &format!(
            "{} {arrow} {to} @ {}: {}",
            plan.overlay,
            target.badge(),
            plan.summary().replace('·', dot)
        ),
    );
    for line in lines::of(plan) {
        let glyph = if globals.ascii {
            ascii(line.mark)
        } else {
            line.mark.glyph()
        };
        let text = sanitize(&line.text);
        let plain = format!("{:indent$}{glyph} {text}", "", indent = line.mark.indent());
        if let Some(code) = paint(line.mark).filter(|_| colour) {
            let _ = writeln!(out, "\x1b[{code}m{}\x1b[0m", plain.trim_end());
        } else {
            out += plain.trim_end();
            out.push('\n');
        }
    }
    out
}

fn ascii(mark: Mark) -> &'static str {
    match mark {
        Mark::Prune => "x",
        Mark::Failed => "E",
        other => other.glyph(),
    }
}

fn paint(mark: Mark) -> Option<&'static str> {
    match mark {
        Mark::Create | Mark::After => Some("32"),
        Mark::Before | Mark::Prune | Mark::Failed => Some("31"),
        Mark::Update | Mark::Conflict => Some("33"),
        Mark::Field | Mark::Note => None,
    }
}

/// One object that is done: `3/7 ConfigMap/x created`.
pub(super) fn progress(progress: &Progress) -> String {
    let Progress {
        done,
        total,
        applied,
    } = progress;
    format!(
        "{done}/{total} {} {}",
        applied.object,
        words(&applied.outcome)
    )
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Created => "created".into(),
        Outcome::Updated => "updated".into(),
        Outcome::Unchanged => "unchanged".into(),
        Outcome::Pruned => "pruned".into(),
        Outcome::Failed(why) => format!("failed: {why}"),
        Outcome::Skipped(why) => format!("skipped: {why}"),
    }
}

/// What an apply came to, and everything that is not as the overlay says.
pub(super) fn report(globals: &Globals, report: &Report, target: &Target) -> String {
    let summary = report.summary();
    let summary = if globals.ascii {
        summary.replace('·', "-")
    } else {
        summary
    };
    let mut out = String::new();
    push(
        &mut out,
        &format!("{} @ {}: {summary}", report.overlay, target.badge()),
    );
    for (object, why) in report.failures() {
        push(&mut out, &format!("  {object}: {why}"));
    }
    out
}
