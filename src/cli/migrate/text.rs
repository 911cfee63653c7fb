//! A plan for people.

use crate::domain::migration::Plan;
use crate::domain::migration::runs::RunChange;
use crate::sanitize::sanitize;
use std::fmt::Write as _;

/// The whole plan: counts, every change with its reason, what stays, and what needs a person.
pub(super) fn plan(place: &str, plan: &Plan) -> String {
    let mut lines = vec![format!("{place}: {}", plan.summary())];
    lines.extend(plan.remarks.iter().map(|remark| format!("  {remark}")));
    if !plan.settings.changes.is_empty() {
        lines.push(String::new());
        lines.push("Settings rows".into());
        for change in &plan.settings.changes {
            lines.push(format!("  {}  ({})", change.text(), change.why));
        }
    }
    if plan.runs.changed > 0 {
        lines.push(String::new());
        lines.push(format!(
            "Run rows: {} of {} change",
            plan.runs.changed, plan.runs.looked_at
        ));
        for (column, rows) in &plan.runs.columns {
            lines.push(format!("  {:<22} in {rows}", column.name()));
        }
        lines.extend(plan.runs.rows.iter().map(run));
        let shown = plan.runs.rows.len() as u64;
        if shown < plan.runs.changed {
            let more = plan.runs.changed - shown;
            lines.push(format!(
                "  … and {more} more (--rows NUMBER shows more of them)"
            ));
        }
    }
    if plan.runs.newer_markers > 0 {
        lines.push(format!(
            "  {} run rows carry a marker of newer revisions in the fallback columns, which is left alone",
            plan.runs.newer_markers
        ));
    }
    if !plan.schema.is_empty() {
        lines.push(String::new());
        lines.push("Table of runs".into());
        lines.extend(
            plan.schema
                .iter()
                .map(|change| format!("  {}", change.text())),
        );
    }
    let quiet: Vec<_> = plan
        .settings
        .kept
        .iter()
        .filter(|kept| !kept.needs_person)
        .collect();
    if !quiet.is_empty() {
        lines.push(String::new());
        lines.push("Kept".into());
        lines.extend(
            quiet
                .iter()
                .map(|kept| format!("  {}: {}", kept.key, kept.why)),
        );
    }
    let mut text = lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{}", sanitize(line));
        text
    });
    text += &for_a_person(plan);
    text
}

/// What only a person can settle; empty when there is nothing.
pub(super) fn for_a_person(plan: &Plan) -> String {
    let all = plan.for_a_person();
    if all.is_empty() {
        return String::new();
    }
    all.iter()
        .fold("\nNeeds a person\n".to_owned(), |mut text, line| {
            let _ = writeln!(text, "  {}", sanitize(line));
            text
        })
}

fn run(change: &RunChange) -> String {
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".into());
    let cells: Vec<String> = change
        .cells
        .iter()
        .map(|(column, before, after)| {
            format!("{} {} → {}", column.name(), word(before), word(after))
        })
        .collect();
    format!(
        "  run {} ({}): {}",
        change.id,
        change.status,
        cells.join(", ")
    )
}
