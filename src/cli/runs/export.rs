//! `runs export`: every run that is known, with its log, as one JSON document a line.

use super::super::exit::{Exit, Failure};
use super::super::headless::Headless;
use super::super::output::{self, Format};
use crate::domain::runs::document::RunDocument;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

#[derive(Serialize)]
struct Exported<'a> {
    #[serde(flatten)]
    run: RunDocument<'a>,
    /// Lines of the log that the history keeps; absent when logs were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<Line>>,
}

#[derive(Serialize)]
struct Line {
    at: Option<Timestamp>,
    text: String,
}

/// Prints them, the oldest first; of those that began within `days`, if given.
pub(super) fn export(headless: &Headless, logs: bool, days: Option<u32>) -> Result<Exit, Failure> {
    let (target, now) = (headless.world.target(), headless.now());
    let since = days.and_then(|days| {
        now.checked_sub(SignedDuration::from_hours(i64::from(days) * 24))
            .ok()
    });
    let wanted = |created: Timestamp| since.is_none_or(|since| created >= since);
    for run in headless.runs.iter().rev().filter(|run| wanted(run.created)) {
        let lines = match headless.world.history() {
            Some(history) if logs => {
                let mut lines = Vec::new();
                history
                    .each_line(&run.id, |line| {
                        lines.push(Line {
                            at: line.at,
                            text: line.text,
                        });
                        Ok(())
                    })
                    .map_err(|error| {
                        Failure::other(format!(
                            "the log of run {} cannot be read: {error}",
                            run.label()
                        ))
                    })?;
                Some(lines)
            }
            _ => None,
        };
        let run = RunDocument::new(run, target, now);
        output::document(Format::Jsonl, &Exported { run, lines })?;
    }
    Ok(Exit::Ok)
}
