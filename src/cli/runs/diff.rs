//! `runs diff A B`: two runs side by side.

use super::super::args::Globals;
use super::super::exit::{Exit, Failure};
use super::super::headless::Headless;
use super::super::output::{self, Format};
use super::table;
use crate::domain::runs::Run;
use crate::domain::runs::compare::logs::{LogRow, Side};
use crate::domain::runs::compare::{self, Section};
use crate::domain::target::Target;
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    target: &'a Target,
    left: String,
    right: String,
    /// Nothing but times differs.
    same: bool,
    sections: &'a [Section],
    log: &'a [LogRow],
}

/// Prints the comparison; exit 1 when what was given or what came out differs.
pub(super) fn diff(
    globals: &Globals,
    headless: &Headless,
    left: &str,
    right: &str,
) -> Result<Exit, Failure> {
    let (left, right) = (headless.named(left)?, headless.named(right)?);
    let sections = compare::sections(left, right, headless.now());
    let Some(history) = headless.world.history() else {
        return Err(Failure::other("the history cannot be read"));
    };
    let lines = |run: &Run| run.log.total();
    let log = history
        .diff((&left.id, lines(left)), (&right.id, lines(right)))
        .map_err(|error| Failure::other(format!("the logs cannot be compared: {error}")))?;
    let outcome_same = sections
        .iter()
        .filter(|section| section.name != "times")
        .all(|section| section.rows.iter().all(compare::Row::is_same));
    let same = outcome_same && log.same;
    if globals.output == Format::Text {
        let mut text = table::comparison(left, right, &sections);
        text.push_str("\nlog\n");
        for row in &log.rows {
            let sign = match row.side {
                Side::Both => ' ',
                Side::Neither => '=',
                Side::Left => '-',
                Side::Right => '+',
            };
            let _ = writeln!(text, "{sign} {}", crate::sanitize::sanitize(&row.text));
        }
        output::text(&text)?;
    } else {
        output::document(
            globals.output,
            &Document {
                schema: "llmctl-dev/diff/v1",
                target: headless.world.target(),
                left: left.label(),
                right: right.label(),
                same,
                sections: &sections,
                log: &log.rows,
            },
        )?;
    }
    Ok(if same { Exit::Ok } else { Exit::Failed })
}
