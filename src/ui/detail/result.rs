//! The result tab: the executor's result as a tree, or the line as printed when it is no result.

use super::super::theme::{Theme, Tone};
use super::super::{pane, text};
use crate::app::State;
use crate::app::limits::Limits;
use crate::domain::contract::RESULT_PREFIX;
use crate::domain::contract::checks::Check;
use crate::domain::runs::{Phase, Run};
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use serde_json::Value;

/// Lines of one text value; the log has all of it.
const TEXT_LINES: usize = 40;

/// Draws the tab, scrolled to `detail_top`.
pub(super) fn draw(
    state: &State,
    run: &Run,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    let room = usize::from(area.width);
    let lines = if let Some(result) = &run.executor {
        let mut lines = Vec::new();
        if let Some(line) = &result.line {
            let note = "not strict JSON: repaired to be read; as printed:";
            lines.push(Line::styled(note, theme.tone(Tone::Warning)));
            lines.extend(raw(line, room));
            lines.push(Line::default());
        }
        lines.extend(contract(&run.checks(), room, theme));
        tree(&result.raw, "", &mut lines, room, theme);
        lines
    } else if let Some(why) = run.log.reader().malformed() {
        unreadable(run, why, room, theme)
    } else {
        let (why, then) = emptiness(run);
        pane::empty(frame, area, theme, why, then);
        return;
    };
    limits.detail = pane::page(frame, theme, area, &lines, state.runs.detail_top);
}

/// The rules of the output contracts: each broken one by its name, the others counted.
fn contract(checks: &[Check], room: usize, theme: &Theme) -> Vec<Line<'static>> {
    if checks.is_empty() {
        return Vec::new();
    }
    let glyphs = theme.glyphs();
    let mut lines = Vec::new();
    let mut kept = 0;
    for check in checks {
        let Some(broken) = check.violation() else {
            kept += 1;
            continue;
        };
        for (n, part) in text::wrap(&sanitize(&broken), room.saturating_sub(2))
            .into_iter()
            .enumerate()
        {
            let lead = if n == 0 { glyphs.bad } else { " " };
            let tone = theme.tone(Tone::Bad);
            lines.push(Line::styled(format!("{lead} {part}"), tone));
        }
    }
    let kept = if kept == checks.len() {
        let all = text::count(kept, "rule");
        format!("{} the output contract: {all}, all kept", glyphs.good)
    } else {
        let broken = checks.len() - kept;
        format!(
            "  the output contract: {broken} of {} broken",
            text::count(checks.len(), "rule")
        )
    };
    lines.push(Line::styled(kept, theme.muted()));
    lines.push(Line::default());
    lines
}

/// Why the result line is none, and the line as printed while it is in memory.
fn unreadable(run: &Run, why: &str, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let sentence = format!("The executor's result line cannot be read: {why}");
    let mut lines: Vec<Line> = text::wrap(&sanitize(&sentence), room)
        .into_iter()
        .map(|part| Line::styled(part, theme.tone(Tone::Bad)))
        .collect();
    let printed = run.log.lines().rev().map(|(_, line)| line.text.trim());
    if let Some(line) = printed
        .into_iter()
        .find(|text| text.starts_with(RESULT_PREFIX))
    {
        lines.push(Line::default());
        lines.push(Line::styled("As printed:", theme.muted()));
        lines.extend(raw(line, room));
    }
    lines
}

fn raw(line: &str, room: usize) -> Vec<Line<'static>> {
    text::wrap(&sanitize(line), room)
        .into_iter()
        .map(Line::raw)
        .collect()
}

/// The members of an object or an array, one line each, deeper ones below with branches before them.
fn tree(value: &Value, lead: &str, lines: &mut Vec<Line<'static>>, room: usize, theme: &Theme) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(map) => ordered(map, lead.is_empty()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        other => {
            lines.push(Line::raw(text::fit(
                &sanitize(&other.to_string()),
                room,
                theme.glyphs().ellipsis,
            )));
            return;
        }
    };
    let [item, last_item, continued, blank] = theme.glyphs().branches;
    let count = members.len();
    for (at, (name, member)) in members.into_iter().enumerate() {
        let is_last = at + 1 == count;
        let branch = format!("{lead}{}", if is_last { last_item } else { item });
        let below = format!("{lead}{}", if is_last { blank } else { continued });
        let name = sanitize(&name).into_owned();
        leaf(&branch, &below, &name, member, lines, room, theme);
    }
}

/// Members in the order of interest at the top: what came of it first, the bulk last.
fn ordered(map: &serde_json::Map<String, Value>, at_top: bool) -> Vec<(String, &Value)> {
    const FIRST: [&str; 5] = [
        "status",
        "exit_code",
        "error",
        "output_state",
        "routing_state",
    ];
    const LAST: [&str; 3] = ["stdout", "stderr", "provider_metadata"];
    let rank = |name: &str| {
        if !at_top {
            return 0;
        }
        FIRST
            .iter()
            .position(|n| *n == name)
            .or_else(|| LAST.iter().position(|n| *n == name).map(|at| at + 100))
            .unwrap_or(50)
    };
    let mut members: Vec<(String, &Value)> = map.iter().map(|(k, v)| (k.clone(), v)).collect();
    members.sort_by_key(|(name, _)| rank(name));
    members
}

fn leaf(
    branch: &str,
    below: &str,
    name: &str,
    value: &Value,
    lines: &mut Vec<Line<'static>>,
    room: usize,
    theme: &Theme,
) {
    let ellipsis = theme.glyphs().ellipsis;
    let mut head = vec![
        Span::styled(branch.to_owned(), theme.muted()),
        Span::styled(format!("{name}  "), theme.accent()),
    ];
    let used = text::columns(branch) + text::columns(name) + 2;
    let left = room.saturating_sub(used);
    match value {
        Value::Object(map) if map.is_empty() => head.push(Span::styled("{}", theme.muted())),
        Value::Array(items) if items.is_empty() => head.push(Span::styled("[]", theme.muted())),
        Value::Object(_) | Value::Array(_) => {
            lines.push(Line::from(head));
            tree(value, below, lines, room, theme);
            return;
        }
        Value::String(shown) if shown.trim_end().contains('\n') => {
            lines.push(Line::from(head));
            text_block(shown, below, lines, room, theme);
            return;
        }
        Value::String(shown) => {
            let tone = match (name, shown.as_str()) {
                ("status", "success") => Tone::Good,
                ("status", _) => Tone::Bad,
                _ => Tone::Plain,
            };
            let shown = sanitize(shown.trim_end()).into_owned();
            head.push(Span::styled(
                text::fit(&shown, left, ellipsis),
                theme.tone(tone),
            ));
        }
        Value::Null => head.push(Span::styled("null", theme.muted())),
        other => head.push(Span::styled(other.to_string(), theme.tone(Tone::Busy))),
    }
    lines.push(Line::from(head));
}

fn text_block(shown: &str, lead: &str, lines: &mut Vec<Line<'static>>, room: usize, theme: &Theme) {
    let left = room.saturating_sub(text::columns(lead));
    let all = shown.trim_end().lines().count();
    for line in shown.trim_end().lines().take(TEXT_LINES) {
        lines.push(Line::from(vec![
            Span::styled(lead.to_owned(), theme.muted()),
            Span::raw(text::fit(&sanitize(line), left, theme.glyphs().ellipsis)),
        ]));
    }
    if all > TEXT_LINES {
        lines.push(Line::from(vec![
            Span::styled(lead.to_owned(), theme.muted()),
            Span::styled(
                format!("{} more in the log", text::count(all - TEXT_LINES, "line")),
                theme.muted(),
            ),
        ]));
    }
}

fn emptiness(run: &Run) -> (&'static str, &'static str) {
    match run.phase {
        Phase::Dispatching | Phase::Queued | Phase::Pending => (
            "No result yet: no container has run.",
            "The executor prints it as the last line of its log.",
        ),
        Phase::Running | Phase::Started => (
            "No result yet: the executor prints it as the last line of its log.",
            "l follows the log.",
        ),
        Phase::NotDispatched => ("No result: nothing ran.", "The timeline says why."),
        Phase::Retained | Phase::Deleting | Phase::Removed => (
            "The executor printed no result line.",
            "l shows what it did print; the timeline says what Kubernetes saw.",
        ),
    }
}
