//! The logs tab: the part of the log that is in sight, from the lines in memory.

use super::super::theme::{Theme, Tone};
use super::super::{field, found, pane, text};
use crate::app::State;
use crate::app::limits::Limits;
use crate::app::runs::detail::LogView;
use crate::domain::contract::{RESULT_PREFIX, STARTED};
use crate::domain::logs::{Follow, Gap, Log, LogLine};
use crate::domain::runs::{Phase, Ran, Run};
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::collections::VecDeque;

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
    let kept = usize::try_from(run.log.total() - run.log.first()).unwrap_or(usize::MAX);
    let top = if view.follow {
        kept.saturating_sub(slice.height)
    } else {
        usize::try_from(view.top.saturating_sub(run.log.first())).unwrap_or(0)
    };
    pane::scrollbar(theme, frame, area, top, kept);
}

/// The part of a log that is in sight.
struct Slice<'a> {
    log: &'a Log,
    view: &'a LogView,
    theme: &'a Theme,
    room: usize,
    height: usize,
}

impl Slice<'_> {
    /// The last lines.
    fn tail(&self) -> Vec<Line<'static>> {
        let mut shown: VecDeque<Line<'static>> = self.end().into_iter().collect();
        for (number, line) in self.log.lines().rev() {
            for part in self.line(number, line).into_iter().rev() {
                shown.push_front(part);
            }
            if shown.len() >= self.height {
                break;
            }
        }
        if shown.len() < self.height {
            for part in self.beginning().into_iter().rev() {
                shown.push_front(part);
            }
        }
        let over = shown.len().saturating_sub(self.height);
        shown.into_iter().skip(over).collect()
    }

    /// The line that is on top when the last one is at the bottom; the first one of a log that fits whole.
    fn last_top(&self) -> u64 {
        let mut left = self.height.saturating_sub(self.end().len());
        let mut top = self.log.total();
        for (number, line) in self.log.lines().rev() {
            let rows = self.line(number, line).len();
            if rows > left {
                break;
            }
            left -= rows;
            top = number;
        }
        top.min(self.log.total().saturating_sub(1))
    }

    /// Lines from this number on.
    fn from(&self, top: u64) -> Vec<Line<'static>> {
        let first = self.log.first();
        let top = top.max(first);
        let mut shown = if top == first {
            self.beginning()
        } else {
            Vec::new()
        };
        let numbered = (top..self.log.total()).filter_map(|n| Some((n, self.log.line(n)?)));
        for (number, line) in numbered {
            shown.extend(self.line(number, line));
            if shown.len() >= self.height {
                return shown;
            }
        }
        shown.extend(self.end());
        shown
    }

    /// What is said before the first line in memory.
    fn beginning(&self) -> Vec<Line<'static>> {
        let first = usize::try_from(self.log.first()).unwrap_or(usize::MAX);
        if first == 0 {
            return Vec::new();
        }
        let before = text::count(first, "earlier line");
        vec![self.mark(
            &format!("{before} in the history file; ctrl-s saves the whole log"),
            Tone::Muted,
        )]
    }

    /// What is said behind the last line.
    fn end(&self) -> Vec<Line<'static>> {
        let mut lines: Vec<Line> = self
            .log
            .gaps()
            .iter()
            .filter(|gap| gap.before >= self.log.total())
            .map(|gap| self.gap(gap))
            .collect();
        match self.log.follow() {
            Follow::Broken(reason) => lines.push(self.mark(
                &format!("the connection of the log dropped: {reason}; it is resumed without loss"),
                Tone::Warning,
            )),
            Follow::Gone(reason) => lines.push(self.mark(
                &format!("the log ends here, complete or not: {reason}"),
                Tone::Warning,
            )),
            Follow::Waiting | Follow::Following | Follow::Whole => {}
        }
        lines
    }

    fn gap(&self, gap: &Gap) -> Line<'static> {
        self.mark(
            &format!("lines are missing here: {}", gap.reason),
            Tone::Bad,
        )
    }

    fn mark(&self, words: &str, tone: Tone) -> Line<'static> {
        let gap = self.theme.glyphs().gap.repeat(2);
        let shown = format!("{gap} {} {gap}", sanitize(words));
        let shown = text::fit(&shown, self.room, self.theme.glyphs().ellipsis);
        Line::styled(shown, self.theme.tone(tone))
    }

    /// One line of the log as it is shown: gaps before it, its time, its text wrapped or cut, what was searched marked.
    fn line(&self, number: u64, line: &LogLine) -> Vec<Line<'static>> {
        let mut shown: Vec<Line> = self
            .log
            .gaps()
            .iter()
            .filter(|gap| gap.before == number)
            .map(|gap| self.gap(gap))
            .collect();
        let time = match (self.view.times, line.at) {
            (false, _) => String::new(),
            (true, Some(at)) => format!("{} ", self.theme.clock_millis(at)),
            (true, None) => " ".repeat(13),
        };
        let room = self.room.saturating_sub(time.len());
        let text = sanitize(&line.text);
        // What machines read is cut: wrapped, the result line alone would fill the page.
        let parts = if self.view.wrap && !is_protocol(&text) {
            text::wrap(&text, room)
        } else {
            vec![text::fit(&text, room, self.theme.glyphs().ellipsis)]
        };
        for (n, part) in parts.into_iter().enumerate() {
            let mut spans = Vec::new();
            if !time.is_empty() {
                let time = if n == 0 {
                    time.clone()
                } else {
                    " ".repeat(time.len())
                };
                spans.push(Span::styled(time, self.theme.muted()));
            }
            spans.extend(self.searched(&part));
            let mut line = Line::from(spans);
            if is_protocol(&text) {
                line.style = self.theme.muted();
            }
            shown.push(line);
        }
        shown
    }

    fn searched(&self, shown: &str) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        let mut from = 0;
        for hit in found::occurrences(shown, self.view.search.text()) {
            spans.push(Span::raw(shown[from..hit.start].to_owned()));
            spans.push(Span::styled(
                shown[hit.clone()].to_owned(),
                self.theme.found(),
            ));
            from = hit.end;
        }
        spans.push(Span::raw(shown[from..].to_owned()));
        spans
    }
}

/// What the executor prints for machines: there, but not what a person looks for.
fn is_protocol(text: &str) -> bool {
    text == STARTED
        || text.starts_with(RESULT_PREFIX)
        || (text.starts_with('{') && text.contains("\"executor_started\""))
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
