//! The diff before an apply, the apply while it runs, and what it could not do.
//!
//! ```text
//! ╭ minikube → llmctl @ MINIKUBE llmctl ─ 2 create · 1 change · 36 same · 1 would be pruned ─╮
//! │ + ConfigMap/llmctl-executor-settings                                                      │
//! │ ~ Deployment/llmctl-studio-backend                                                        │
//! │     spec.template.spec.containers[studio].image                                           │
//! │     - llmctl-studio-backend:0.1.0                                                         │
//! │     + llmctl-studio-backend:0.2.0                                                         │
//! ╰ enter apply  f take ownership  p prune too  / filter  esc close ──────────────────────────╯
//! ```

use super::super::Scroll;
use super::super::layout;
use super::super::pane::{self, Pane};
use super::super::text;
use super::super::theme::{Theme, Tone};
use super::filter_row;
use crate::app::State;
use crate::app::overlays::Row;
use crate::app::overlays::diff::{Applying, Diff, word};
use crate::domain::overlays::lines::{self, Mark};
use crate::domain::overlays::progress::{Applied, Outcome, Report};
use crate::domain::overlays::{Problem, Standing};
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Draws the diff over `area`.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let slice = &state.overlays;
    let Some((diff, row)) = slice
        .diff
        .as_ref()
        .and_then(|diff| slice.row(&diff.name).map(|row| (diff, row)))
    else {
        let inside = Pane::dialog(theme, "Diff", slice.context()).draw(frame, area);
        return pane::empty(
            frame,
            inside,
            theme,
            "This overlay is not there any more.",
            "",
        );
    };
    let applying = slice.applying.as_ref().filter(|one| one.name == diff.name);
    let width = area.width.saturating_sub(2).min(130);
    let rows = body(
        state,
        diff,
        row,
        applying,
        theme,
        usize::from(width.saturating_sub(4)),
    );
    let place = place(area, width, rows.len() + 3);
    let namespaces = row.plan.as_ref().map_or_else(
        || state.namespace.clone(),
        |plan| plan.namespaces.join(", "),
    );
    let arrow = theme.glyphs().right;
    let title = format!(
        "{} {arrow} {namespaces} @ {}",
        diff.name,
        state.target.badge()
    );
    let title = sanitize(&title).into_owned();
    let summary = summary(diff, row, theme);
    let fits =
        text::columns(&title) + Line::from(summary.clone()).width() + 10 < usize::from(place.width);
    let mut dialog = Pane::dialog(theme, title, slice.context());
    if fits {
        dialog = dialog.count(summary.clone());
    }
    let mut inside = dialog.draw(frame, place);
    if !fits && !summary.is_empty() {
        let line = pane::cut(
            Line::from(summary),
            usize::from(inside.width).saturating_sub(2),
            theme.glyphs().ellipsis,
        );
        frame.render_widget(
            line,
            pane::padded(Rect {
                height: 1.min(inside.height),
                ..inside
            }),
        );
        inside.y += 1.min(inside.height);
        inside.height = inside.height.saturating_sub(1);
    }
    if diff.filtering || !diff.filter.text().is_empty() {
        inside = filter_row(&diff.filter, diff.filtering, theme, frame, inside);
    }
    if rows.is_empty() {
        let (why, then) = nothing(state, diff, row);
        return pane::empty(frame, inside, theme, &why, &then);
    }
    let last = rows.last().map_or(0, |row| row.number);
    let at = match applying {
        // The newest is what somebody waits for.
        Some(_) => last,
        None => diff.at.min(last),
    };
    let height = usize::from(inside.height);
    // The whole of the line with the cursor is in sight, from its first row on.
    let first = rows.iter().position(|row| row.number == at).unwrap_or(0);
    let end = rows
        .iter()
        .rposition(|row| row.number == at)
        .unwrap_or(first);
    let top = layout::top_for(scroll.diff, end, rows.len(), height);
    scroll.diff = layout::top_for(top, first, rows.len(), height);
    let visible = rows.iter().skip(scroll.diff);
    for (row, y) in visible.zip(inside.top()..inside.bottom()) {
        let place = pane::padded(Rect {
            y,
            height: 1,
            ..inside
        });
        frame.render_widget(&row.line, place);
        if row.number == at && applying.is_none() {
            frame.buffer_mut().set_style(place, theme.selected(true));
        }
    }
    pane::scrollbar(theme, frame, inside, scroll.diff, rows.len());
}

/// As high as what it shows, within the screen, and not so low that a small plan looks lost.
fn place(area: Rect, width: u16, rows: usize) -> Rect {
    let rows = u16::try_from(rows).unwrap_or(u16::MAX).max(area.height / 2);
    layout::middle(area, width, rows)
}

/// One row of the dialog and the line it belongs to: a long line takes several.
struct Shown {
    number: usize,
    line: Line<'static>,
}

/// The switches that are on and the counts of the plan.
fn summary<'a>(diff: &Diff, row: &Row, theme: &Theme) -> Vec<Span<'a>> {
    let dot = theme.glyphs().dot;
    let mut parts: Vec<(String, Style)> = Vec::new();
    if diff.options.force {
        parts.push(("takes ownership".into(), theme.tone(Tone::Warning)));
    }
    if diff.options.prune {
        parts.push(("prunes".into(), theme.tone(Tone::Warning)));
    }
    if row.comparing {
        parts.push(("comparing".into(), theme.tone(Tone::Busy)));
    }
    if let Some(plan) = &row.plan {
        parts.push((plan.summary().replace('·', dot), theme.strong()));
    }
    let mut spans = Vec::new();
    for (text, style) in parts {
        if !spans.is_empty() {
            spans.push(Span::styled(format!(" {dot} "), theme.muted()));
        }
        spans.push(Span::styled(text, style));
    }
    spans
}

fn body(
    state: &State,
    diff: &Diff,
    row: &Row,
    applying: Option<&Applying>,
    theme: &Theme,
    room: usize,
) -> Vec<Shown> {
    let mut lines: Vec<Vec<Line>> = Vec::new();
    if let Some(applying) = applying {
        lines.extend(progress(applying, theme, room));
    } else {
        lines.extend(
            diff.report
                .iter()
                .flat_map(|report| failures(report, theme, room)),
        );
        if let Standing::Broken(problem) = &row.overlay.standing {
            lines.extend(broken(problem, theme, room));
        } else {
            let plan = diff.lines(row);
            lines.extend(plan.iter().map(|line| plan_line(line, state, theme, room)));
        }
    }
    lines
        .into_iter()
        .enumerate()
        .flat_map(|(number, rows)| rows.into_iter().map(move |line| Shown { number, line }))
        .collect()
}

/// Where it is broken, why, and what to do.
fn broken(problem: &Problem, theme: &Theme, room: usize) -> Vec<Vec<Line<'static>>> {
    let place = match problem.line {
        Some(line) => format!("{}, line {line}", problem.file),
        None => problem.file.clone(),
    };
    [
        (place, theme.strong()),
        (problem.what.clone(), theme.tone(Tone::Bad)),
        (problem.next.clone(), theme.plain()),
    ]
    .iter()
    .filter(|(text, _)| !text.is_empty())
    .map(|(text, style)| wrapped(text, room, *style))
    .collect()
}

fn wrapped(text: &str, room: usize, style: Style) -> Vec<Line<'static>> {
    text::wrap(&sanitize(text), room)
        .into_iter()
        .map(|line| Line::styled(line, style))
        .collect()
}

/// One line of a plan; what does not fit goes on below, further in.
fn plan_line(line: &lines::Line, state: &State, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs();
    let glyph = match line.mark {
        Mark::Prune if theme.is_ascii() => glyphs.removed,
        Mark::Failed => glyphs.bad,
        mark => mark.glyph(),
    };
    let force = state
        .overlays
        .diff
        .as_ref()
        .is_some_and(|diff| diff.options.force);
    let style = match line.mark {
        Mark::Create | Mark::After => theme.tone(Tone::Good),
        Mark::Update => theme.tone(Tone::Warning),
        // Once the fields are to be taken the conflict is no obstacle any more.
        Mark::Conflict if force => theme.tone(Tone::Warning),
        Mark::Conflict | Mark::Failed | Mark::Before | Mark::Prune => theme.tone(Tone::Bad),
        Mark::Field => theme.plain(),
        Mark::Note => theme.muted(),
    };
    let lead = format!("{}{glyph} ", " ".repeat(line.mark.indent()));
    hanging(&lead, &line.text, style, room)
}

/// Text behind a lead, wrapped so that it stays behind it.
fn hanging(lead: &str, text: &str, style: Style, room: usize) -> Vec<Line<'static>> {
    let indent = text::columns(lead);
    text::wrap(&sanitize(text), room.saturating_sub(indent).max(8))
        .into_iter()
        .enumerate()
        .map(|(n, part)| {
            let lead = if n == 0 {
                lead.to_owned()
            } else {
                " ".repeat(indent)
            };
            Line::styled(format!("{lead}{part}"), style)
        })
        .collect()
}

/// What an apply has done so far, the gauge last, where the eye waits.
fn progress(applying: &Applying, theme: &Theme, room: usize) -> Vec<Vec<Line<'static>>> {
    let done = applying.applied.iter().map(|one| outcome(one, theme, room));
    done.chain([vec![gauge(applying, theme, room)]]).collect()
}

fn outcome(one: &Applied, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs();
    let (glyph, tone) = match &one.outcome {
        Outcome::Created | Outcome::Updated => (glyphs.good, Tone::Good),
        Outcome::Unchanged => (glyphs.good, Tone::Muted),
        Outcome::Pruned => (glyphs.removed, Tone::Warning),
        Outcome::Failed(_) => (glyphs.bad, Tone::Bad),
        Outcome::Skipped(_) => (glyphs.uncertain, Tone::Uncertain),
    };
    let text = match &one.outcome {
        Outcome::Failed(why) | Outcome::Skipped(why) => format!("{}: {why}", one.object),
        _ => one.object.to_string(),
    };
    let lead = format!("{glyph} {:<9} ", word(&one.outcome));
    hanging(&lead, &text, theme.tone(tone), room)
}

/// How far an apply is: `applying 3 of 7 ▇▇▇····`.
pub(super) fn gauge(applying: &Applying, theme: &Theme, room: usize) -> Line<'static> {
    let glyphs = theme.glyphs();
    let words = format!(
        "{} applying {} of {} ",
        glyphs.running, applying.done, applying.total
    );
    let cells = room.saturating_sub(text::columns(&words)).min(40);
    let filled = (cells * applying.done)
        .checked_div(applying.total)
        .unwrap_or(0)
        .min(cells);
    let full = glyphs.levels.last().copied().unwrap_or_default();
    Line::from(vec![
        Span::styled(words, theme.tone(Tone::Busy)),
        Span::styled(full.repeat(filled), theme.tone(Tone::Busy)),
        Span::styled(glyphs.ground.repeat(cells - filled), theme.muted()),
    ])
}

/// What the last apply could not do.
fn failures(report: &Report, theme: &Theme, room: usize) -> Vec<Vec<Line<'static>>> {
    let head = format!(
        "Applied in part: {}",
        report.summary().replace('·', theme.glyphs().dot)
    );
    let failed = report
        .applied
        .iter()
        .filter(|one| matches!(one.outcome, Outcome::Failed(_) | Outcome::Skipped(_)));
    [vec![Line::styled(head, theme.tone(Tone::Bad))]]
        .into_iter()
        .chain(failed.map(|one| outcome(one, theme, room)))
        .chain([vec![Line::default()]])
        .collect()
}

/// Why there is nothing to show, and what to do.
fn nothing(state: &State, diff: &Diff, row: &Row) -> (String, String) {
    let badge = sanitize(&state.target.badge()).into_owned();
    if let Some(why) = &row.failure {
        return (
            sanitize(why).into_owned(),
            "It is compared again when the cluster answers.".into(),
        );
    }
    let Some(plan) = &row.plan else {
        return if row.comparing {
            (format!("Comparing with {badge}."), String::new())
        } else {
            (
                format!("Not compared: {badge} does not answer."),
                "It is compared as soon as it does.".into(),
            )
        };
    };
    if !diff.filter.text().is_empty() {
        let text = sanitize(diff.filter.text()).into_owned();
        return (
            format!("No object matches `{text}`."),
            "esc clears the filter.".into(),
        );
    }
    let count = text::count(plan.counts().same, "object");
    let then = if plan.applied {
        "Nothing to apply.".to_owned()
    } else {
        format!("enter marks them as those of {}.", sanitize(&diff.name))
    };
    (format!("In sync: {count} as the overlay says."), then)
}
