//! The logs tab: the part of the log that is in sight, from the lines in memory.

mod line;
mod slice;

use super::super::theme::{Theme, Tone};
use super::super::{field, found, pane, text};
use crate::app::State;
use crate::app::limits::Limits;
use crate::app::runs::detail::logs::Json;
use crate::domain::logs::Follow;
use crate::domain::runs::{Phase, Ran, Run};
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use slice::Slice;

/// What stands beside the title: how many lines, and how the reading is going.
pub(super) fn count(state: &State, run: &Run, columns: u16, theme: &Theme) -> Vec<Span<'static>> {
    let glyphs = theme.glyphs();
    let total = usize::try_from(run.log.total()).unwrap_or(usize::MAX);
    let mut spans = Vec::new();
    let mut add = |text: String, tone: Tone| {
        if !spans.is_empty() {
            spans.push(Span::styled(format!(" {} ", glyphs.dot), theme.muted()));
        }
        spans.push(Span::styled(text, theme.tone(tone)));
    };
    if total > 0 {
        add(text::count(total, "line"), Tone::Plain);
    }
    let view = &state.runs.log_view;
    if let Some(minutes) = view.since.filter(|_| total > 0) {
        add(format!("last {minutes}m"), Tone::Warning);
    }
    if view.json == Json::LaidOut && columns > 80 {
        add("JSON".into(), Tone::Accent);
    }
    let (word, tone) = match run.log.follow() {
        Follow::Waiting => return spans,
        Follow::Following if state.runs.log_view.follow => ("following", Tone::Good),
        Follow::Following => ("paused", Tone::Warning),
        Follow::Broken(_) => ("resuming", Tone::Warning),
        Follow::Whole if run.phase == Phase::Removed => {
            let words = match columns {
                ..=80 => "kept",
                81..100 => "kept, Job gone",
                _ => "kept after the Job is gone",
            };
            (words, Tone::Accent)
        }
        Follow::Whole => ("whole", Tone::Muted),
        Follow::Gone(_) => ("incomplete?", Tone::Warning),
    };
    add(word.to_owned(), tone);
    spans
}

/// Draws the tab.
pub(super) fn draw(
    state: &State,
    run: &Run,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    let view = &state.runs.log_view;
    let mut area = area;
    if state.runs.searching || !view.search.text().is_empty() {
        area = draw_search(state, run, theme, frame, area);
    }
    let place = pane::padded(area);
    if run.log.lines().next().is_none() {
        let (why, then) = emptiness(run);
        pane::empty(frame, place, theme, &why, then);
        return;
    }
    let slice = Slice {
        log: &run.log,
        view,
        first: view.first(&run.log),
        theme,
        room: usize::from(place.width),
        height: usize::from(place.height),
    };
    let last_top = slice.last_top();
    limits.log = last_top;
    let lines = if view.follow {
        slice.tail()
    } else {
        slice.from(view.top.min(last_top))
    };
    for (line, y) in lines.iter().zip(place.top()..place.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..place
        };
        frame.render_widget(line, row);
    }
    let kept = usize::try_from(run.log.total() - slice.first).unwrap_or(usize::MAX);
    let top = if view.follow {
        kept.saturating_sub(slice.height)
    } else {
        usize::try_from(view.top.saturating_sub(slice.first)).unwrap_or(0)
    };
    pane::scrollbar(theme, frame, area, top, kept);
}

fn draw_search(state: &State, run: &Run, theme: &Theme, frame: &mut Frame, area: Rect) -> Rect {
    let view = &state.runs.log_view;
    let row = Rect {
        height: 1.min(area.height),
        ..area
    };
    let wanted = view.search.text();
    let hits = run
        .log
        .lines()
        .filter(|(_, line)| found::holds(&line.text, wanted))
        .count();
    let hits = match (wanted, hits) {
        ("", _) => String::new(),
        (_, 0) => "no line matches ".into(),
        (_, n) => format!("{} {} n N ", text::count(n, "line"), theme.glyphs().dot),
    };
    let right = u16::try_from(text::columns(&hits))
        .unwrap_or(0)
        .min(row.width);
    frame.render_widget(Span::styled(" / ", theme.key()), row);
    let hits = Line::from(Span::styled(hits, theme.muted()));
    frame.render_widget(hits.right_aligned(), row);
    let place = Rect {
        x: row.x + 3.min(row.width),
        width: row.width.saturating_sub(4 + right),
        ..row
    };
    let typing =
        state.runs.searching && state.dialogs.is_empty() && state.focus == crate::app::Pane::Detail;
    field::draw(&view.search, typing, theme, frame, place);
    Rect {
        y: area.y + row.height,
        height: area.height - row.height,
        ..area
    }
}

/// Why there is no line to show.
fn emptiness(run: &Run) -> (String, &'static str) {
    if run.log.total() > 0 {
        return (
            format!(
                "The log of {} is in the history file, not in memory.",
                text::count(
                    usize::try_from(run.log.total()).unwrap_or(usize::MAX),
                    "line"
                )
            ),
            "It is being read.",
        );
    }
    let why = match (&run.phase, run.log.follow()) {
        (_, Follow::Broken(reason)) => {
            return (
                format!("The connection of the log dropped: {}.", sanitize(reason)),
                "It is resumed by itself.",
            );
        }
        (Phase::Dispatching, _) => "No log yet: the API server has not accepted the Job.",
        (Phase::NotDispatched, _) => "No log: nothing ran.",
        (Phase::Queued, _) => "No log yet: no pod is on a node.",
        (Phase::Pending, _) => {
            let reason = sanitize(&run.reason.word).into_owned();
            let reason = if reason.is_empty() {
                String::new()
            } else {
                format!(" ({reason})")
            };
            return (
                format!("No log yet: the container is not running{reason}."),
                "The timeline says what it waits for.",
            );
        }
        (Phase::Running | Phase::Started, _) => "The container runs and has printed nothing yet.",
        (_, Follow::Whole) => "The container printed nothing.",
        (_, Follow::Gone(reason)) => {
            return (
                format!("No log was read: {}.", sanitize(reason)),
                "The pod is gone, and its log with it.",
            );
        }
        (Phase::Retained | Phase::Deleting, _)
            if run.pod.as_ref().is_none_or(|pod| pod.ran == Ran::No) =>
        {
            "No log: its container never ran."
        }
        (Phase::Retained | Phase::Deleting, _) => "Reading the log.",
        (Phase::Removed, _) => "No log was read before the pod was gone.",
    };
    (why.into(), "")
}
