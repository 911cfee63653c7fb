//! The events tab: what Kubernetes told of the Job and its pod, oldest first.

use super::super::theme::{Theme, Tone};
use super::super::{pane, text};
use crate::app::State;
use crate::app::limits::Limits;
use crate::domain::observed::EventSeen;
use crate::domain::runs::{Phase, Run};
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns before a message.
const LEAD: usize = 42;

/// Columns of a reason; the longest of Kubernetes' own has 22.
const REASON: usize = 23;

/// What stands beside the title.
pub(super) fn count(run: &Run) -> Vec<Span<'static>> {
    if run.events.is_empty() {
        return Vec::new();
    }
    vec![Span::raw(text::count(run.events.len(), "event"))]
}

/// Draws the tab, scrolled to `detail_top`.
pub(super) fn draw(
    state: &State,
    run: &Run,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    if run.events.is_empty() {
        let (why, then) = emptiness(run);
        pane::empty(frame, area, theme, why, then);
        return;
    }
    let room = usize::from(area.width);
    let mut events: Vec<&EventSeen> = run.events.iter().collect();
    events.sort_by_key(|event| event.order());
    let mut lines = vec![Line::styled(
        "TIME       OBJECT  REASON                 MESSAGE",
        theme.muted(),
    )];
    for event in events {
        lines.extend(event_lines(event, room, theme));
    }
    limits.detail = pane::page(frame, theme, area, &lines, state.runs.detail_top);
}

fn event_lines(event: &EventSeen, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs();
    let (glyph, tone) = if event.level == "Normal" {
        (" ", Tone::Plain)
    } else {
        (glyphs.warning, Tone::Warning)
    };
    let times = if event.count > 1 {
        format!(" ({}{})", glyphs.times, event.count)
    } else {
        String::new()
    };
    let message = format!("{}{times}", sanitize(&event.message));
    let lead = LEAD;
    let parts = text::wrap(&message, room.saturating_sub(lead).max(12));
    let mut lines = Vec::new();
    for (n, part) in parts.into_iter().enumerate() {
        if n > 0 {
            lines.push(Line::raw(format!("{}{part}", " ".repeat(lead))));
            continue;
        }
        lines.push(Line::from(vec![
            Span::styled(theme.clock(event.last), theme.muted()),
            Span::styled(format!(" {glyph} "), theme.tone(tone)),
            Span::styled(
                text::pad(&sanitize(&event.kind), 8, glyphs.ellipsis),
                theme.muted(),
            ),
            Span::styled(
                text::pad(&sanitize(&event.reason), REASON, glyphs.ellipsis),
                theme.tone(tone),
            ),
            Span::raw(part),
        ]));
    }
    lines
}

fn emptiness(run: &Run) -> (&'static str, &'static str) {
    match run.phase {
        Phase::Dispatching => ("The API server has not answered yet.", ""),
        Phase::NotDispatched => (
            "No event: nothing was created.",
            "The timeline says what was refused.",
        ),
        Phase::Removed => (
            "No event of this run was seen.",
            "Kubernetes keeps events for about an hour; those seen here stay with the run.",
        ),
        _ => ("Kubernetes told no event about this run yet.", ""),
    }
}
