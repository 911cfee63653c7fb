//! The logs tab: the part of the log that is in sight, from the lines in memory.

mod line;
mod slice;

use super::super::theme::{Theme, Tone};
use super::super::{field, pane, text};
use crate::app::State;
use crate::app::limits::Limits;
use crate::app::runs::detail::logs::{Json, LogView};
use crate::domain::logs::Follow;
use crate::domain::logs::quest::Reading;
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
    let view = &state.runs.log_view;
    if view.quests.is_waiting() && view.is_of(run) {
        add("looking".into(), Tone::Warning);
    }
    if let Some(minutes) = view.since.filter(|_| total > 0) {
        add(format!("last {minutes}m"), Tone::Warning);
    }
    if total > 0 {
        add(text::count(total, "line"), Tone::Plain);
    }
    if view.json == Json::LaidOut && columns > 80 {
        add("JSON".into(), Tone::Accent);
    }
    let (word, tone) = match run.log.follow() {
        Follow::Waiting => return spans,
        Follow::Following if state.runs.log_view.follow => ("live", Tone::Good),
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
    let mut place = pane::padded(area);
    if run.log.lines().next().is_none() {
        let (why, then) = emptiness(run);
        pane::empty(frame, place, theme, &why, then);
        return;
    }
    limits.log_rows = Some(usize::from(place.height));
    if !view.follow && view.is_of(run) && view.top < run.log.first() {
        place.height = place.height.saturating_sub(1);
        draw_place(view, run, theme, frame, place);
    }
    let slice = Slice {
        log: &run.log,
        view,
        is_of: view.is_of(run),
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
    let kept = run.log.end().saturating_sub(slice.first);
    let kept = usize::try_from(kept).unwrap_or(usize::MAX);
    let top = if view.follow {
        kept.saturating_sub(slice.height)
    } else {
        usize::try_from(view.top.saturating_sub(slice.first)).unwrap_or(0)
    };
    pane::scrollbar(theme, frame, area, top, kept);
}

/// Says below the log that these are not the lines that come in.
fn draw_place(view: &LogView, run: &Run, theme: &Theme, frame: &mut Frame, above: Rect) {
    let gap = theme.glyphs().gap.repeat(2);
    let (line, end) = (view.mark.unwrap_or(view.top) + 1, run.log.end());
    let words =
        format!("{gap} line {line} of {end}, from the history file; G goes to the newest {gap}");
    let words = text::fit(&words, usize::from(above.width), theme.glyphs().ellipsis);
    let row = Rect {
        y: above.bottom(),
        height: 1,
        ..above
    };
    frame.render_widget(Line::styled(words, theme.tone(Tone::Accent)), row);
}

fn draw_search(state: &State, run: &Run, theme: &Theme, frame: &mut Frame, area: Rect) -> Rect {
    let view = &state.runs.log_view;
    let row = Rect {
        height: 1.min(area.height),
        ..area
    };
    let hits = hits(view, run, theme);
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

/// How many lines have what is searched, and the how-manieth one the view stands on.
fn hits(view: &LogView, run: &Run, theme: &Theme) -> String {
    let Some(quest) = view.quests.search().filter(|_| view.is_of(run)) else {
        return String::new();
    };
    let within = view.first(&run.log)..run.log.end();
    let count = quest.count(within.clone());
    let at = view
        .mark
        .filter(|mark| within.contains(mark) && quest.has(*mark));
    let of = text::count(usize::try_from(count).unwrap_or(usize::MAX), "line");
    let found = match at {
        Some(mark) => format!("{} of {of}", quest.count(within.start..mark + 1)),
        None => of,
    };
    let dot = theme.glyphs().dot;
    match (quest.reading(), quest.lacking()) {
        (Reading::UnderWay, _) => format!("{found} so far {dot} {} % searched ", quest.percent()),
        (_, 0) if count == 0 => "no line matches ".into(),
        (_, 0) => format!("{found} {dot} n N "),
        (_, lacking) => {
            let lacking = text::count(usize::try_from(lacking).unwrap_or(usize::MAX), "line");
            format!("{found} {dot} {lacking} not searched ")
        }
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
