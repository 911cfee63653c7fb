//! The runs pane: every executor Job of the namespace, Studio's and ours, and those that are gone.
//!
//! ```text
//! ╭ 3 Runs ──────────────────────────── 12 · 1 running · 2 expire < 5 min ╮
//! │  RUN   SAMPLE   STATE        VERDICT     AGE   TOOK   REMOVED IN      │
//! │▸ 208   hello    ● running    …           8s    8s     –               │
//! │  206   hello    ◔ retained   ✓ success   3m    0.4s   ▇▇▇▃· 27:02     │
//! ```

mod kept;

use super::pane::{self, Pane};
use super::theme::{Theme, Tone};
use super::{Scroll, field, found, gauge, said, text};
use crate::app::State;
use crate::app::link::Link;
use crate::app::runs::Slice;
use crate::app::runs::cancel::Cancel;
use crate::app::runs::list::Sort;
use crate::domain::runs::{Phase, Run};
use crate::sanitize::sanitize;
use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui_table::{Cell, HighlightSpacing, Row, Table};

/// A column of the list; which there are depends on the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Run,
    Sample,
    State,
    Verdict,
    Age,
    Took,
    /// With a gauge before the countdown.
    RemovedIn,
    /// The countdown alone.
    Left,
}

impl Column {
    fn for_width(width: u16) -> &'static [Self] {
        match width {
            ..67 => &[
                Self::Run,
                Self::Sample,
                Self::State,
                Self::Verdict,
                Self::Left,
            ],
            67..79 => &[
                Self::Run,
                Self::Sample,
                Self::State,
                Self::Verdict,
                Self::Age,
                Self::Took,
                Self::Left,
            ],
            _ => &[
                Self::Run,
                Self::Sample,
                Self::State,
                Self::Verdict,
                Self::Age,
                Self::Took,
                Self::RemovedIn,
            ],
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Run => "RUN",
            Self::Sample => "SAMPLE",
            Self::State => "STATE",
            Self::Verdict => "VERDICT",
            Self::Age => "AGE",
            Self::Took => "TOOK",
            Self::RemovedIn => "REMOVED IN",
            Self::Left => "REMOVED",
        }
    }

    fn width(self) -> Constraint {
        match self {
            Self::Run => Constraint::Length(5),
            Self::Sample => Constraint::Fill(1),
            Self::State => Constraint::Length(18),
            Self::Verdict => Constraint::Length(12),
            Self::Age => Constraint::Length(4),
            Self::Took => Constraint::Length(7),
            Self::Left => Constraint::Length(8),
            Self::RemovedIn => Constraint::Length(13),
        }
    }

    /// Columns that a cell of it has; the flexible one gets what is left.
    fn columns(self, all: &[Self], width: u16) -> usize {
        let fixed = |column: Self| match column.width() {
            Constraint::Length(columns) => columns,
            _ => 0,
        };
        if self != Self::Sample {
            return usize::from(fixed(self));
        }
        let taken: u16 = all.iter().map(|column| fixed(*column)).sum();
        let gaps = u16::try_from(all.len()).unwrap_or(0) + 1;
        usize::from(width.saturating_sub(taken + gaps))
    }
}

/// Draws the pane.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let runs = &state.runs;
    let pane = Pane::new(state, theme, crate::app::Pane::Runs).count(counts(state, theme));
    let focused = pane.is_focused();
    let mut inside = pane.draw(frame, area);
    if runs.filtering || !runs.filter.text().is_empty() {
        inside = draw_filter(runs, focused && runs.filtering, theme, frame, inside);
    }
    if runs.visible.is_empty() {
        let (why, then) = emptiness(state);
        pane::empty(frame, inside, theme, &why, then);
        return;
    }
    // The last column keeps its distance from the border.
    let inside = Rect {
        width: inside.width.saturating_sub(1),
        ..inside
    };
    draw_list(state, theme, scroll, frame, inside, focused);
}

fn draw_list(
    state: &State,
    theme: &Theme,
    scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
    focused: bool,
) {
    let runs = &state.runs;
    let now = state.now;
    let columns = Column::for_width(area.width);
    let header = columns.iter().map(|column| column.title());
    let row = |at: usize| {
        let run = runs.visible.get(at).and_then(|id| runs.all.find(id));
        run.map_or_else(Row::default, |run| {
            let marked = runs.marked.contains(&run.id);
            cells(
                run,
                (marked, runs.cancel_of(&run.id)),
                runs.filter.text(),
                now,
                columns,
                area.width,
                theme,
            )
        })
    };
    let table = Table::lazy_rows(
        runs.visible.len(),
        columns.iter().map(|column| column.width()),
        row,
    )
    .header(Row::new(header).style(theme.muted()))
    .column_spacing(1)
    .highlight_spacing(HighlightSpacing::Always)
    .highlight_symbol(format!("{} ", theme.glyphs().mark))
    .row_highlight_style(theme.selected(focused));
    scroll.runs.select(runs.row());
    frame.render_stateful_widget(table, area, &mut scroll.runs);
    let list = Rect {
        y: area.y + 1.min(area.height),
        height: area.height.saturating_sub(1),
        width: area.width + 1,
        ..area
    };
    pane::scrollbar(theme, frame, list, scroll.runs.offset(), runs.visible.len());
}

fn cells(
    run: &Run,
    (marked, cancel): (bool, Option<&Cancel>),
    filter: &str,
    now: Timestamp,
    columns: &[Column],
    width: u16,
    theme: &Theme,
) -> Row<'static> {
    let glyphs = theme.glyphs();
    let parts: Vec<(Column, Line<'static>)> = columns
        .iter()
        .map(|column| {
            let mut line = line(*column, run, cancel, now, theme);
            if marked && *column == Column::Sample {
                let mark = format!("{} ", theme.glyphs().ours);
                line.spans
                    .insert(0, Span::styled(mark, theme.tone(Tone::Accent)));
            }
            (*column, line)
        })
        .collect();
    let found = found::in_lines(
        filter,
        parts.iter().map(|(column, line)| {
            // What counts by time is not searched.
            let searched = !matches!(
                column,
                Column::Age | Column::Took | Column::RemovedIn | Column::Left
            );
            searched.then(|| line.to_string())
        }),
    );
    let cells = parts.into_iter().zip(found).map(|((column, line), found)| {
        let line = found::mark(line, &found, theme);
        let room = column.columns(columns, width);
        Cell::from(pane::cut(line, room, glyphs.ellipsis))
    });
    Row::new(cells)
}

fn line(
    column: Column,
    run: &Run,
    cancel: Option<&Cancel>,
    now: Timestamp,
    theme: &Theme,
) -> Line<'static> {
    let none = || Span::styled(theme.glyphs().none, theme.muted());
    let span = match column {
        Column::Run => Span::raw(sanitize(&run.label()).into_owned()),
        Column::Sample => {
            let style = if run.ours {
                theme.plain()
            } else {
                theme.tone(Tone::Accent)
            };
            Span::styled(said::sample(run), style)
        }
        Column::State => said::ending(cancel, run, now, theme)
            .unwrap_or_else(|| said::state(run, theme))
            .span(theme),
        Column::Verdict => said::verdict(run, theme).span(theme),
        Column::Age => Span::raw(text::age(text::between(run.created, now))),
        Column::Took => said::took(run, now).map_or_else(none, Span::raw),
        Column::RemovedIn => return removal(run, now, 5, theme),
        Column::Left => {
            return kept::about(run, now, theme).unwrap_or_else(|| {
                let mut line = removal(run, now, 0, theme);
                // Countdowns end where their column does.
                if line.width() == 7 {
                    line.spans.insert(0, Span::raw(" "));
                }
                line
            });
        }
    };
    Line::from(span)
}

/// When the Job will be removed: a gauge of its TTL and the time that is left.
pub(crate) fn removal(run: &Run, now: Timestamp, cells: usize, theme: &Theme) -> Line<'static> {
    let none = || Line::styled(theme.glyphs().none, theme.muted());
    match run.phase {
        Phase::Retained => {}
        Phase::Deleting => return Line::styled("now", theme.tone(Tone::Bad)),
        _ => return none(),
    }
    let (Some(ttl), Some(due)) = (run.ttl, run.expires_at()) else {
        return Line::styled("never", theme.tone(Tone::Warning));
    };
    let left = due.duration_since(now);
    if left.as_secs() <= 0 {
        return Line::styled("due", theme.tone(Tone::Bad));
    }
    let countdown = format!("{:>7}", text::countdown(left));
    let mut spans = Vec::new();
    if cells > 0 && run.kept {
        spans.push(Span::styled(
            format!("{:<cells$} ", "kept"),
            theme.tone(Tone::Accent),
        ));
    } else if cells > 0 {
        let whole = SignedDuration::from_secs(i64::from(ttl.0));
        spans.push(gauge::left(left, whole, cells, theme));
        spans.push(Span::raw(" "));
    }
    spans.push(Span::styled(countdown, theme.tone(gauge::tone(left))));
    Line::from(spans)
}

fn counts<'a>(state: &State, theme: &Theme) -> Vec<Span<'a>> {
    let runs = &state.runs;
    let counts = runs.all.counts(state.now);
    if counts.total == 0 {
        return Vec::new();
    }
    let dot = format!(" {} ", theme.glyphs().dot);
    let shown = if runs.filter.text().is_empty() {
        counts.total.to_string()
    } else {
        format!("{} of {}", runs.visible.len(), counts.total)
    };
    let mut spans = vec![Span::styled(shown, theme.strong())];
    let mut add = |text: String, tone: Tone| {
        spans.push(Span::styled(dot.clone(), theme.muted()));
        spans.push(Span::styled(text, theme.tone(tone)));
    };
    if runs.sort != Sort::Newest {
        add(format!("by {}", runs.sort.word()), Tone::Accent);
    }
    if !runs.marked.is_empty() {
        add(format!("{} marked", runs.marked.len()), Tone::Accent);
    }
    if counts.running > 0 {
        add(format!("{} running", counts.running), Tone::Busy);
    }
    if counts.pending > 0 {
        add(format!("{} waiting", counts.pending), Tone::Busy);
    }
    if counts.expiring > 0 {
        let verb = if counts.expiring == 1 {
            "expires"
        } else {
            "expire"
        };
        add(format!("{} {verb} < 5 min", counts.expiring), Tone::Warning);
    }
    spans
}

fn draw_filter(runs: &Slice, typing: bool, theme: &Theme, frame: &mut Frame, area: Rect) -> Rect {
    let row = Rect {
        height: 1.min(area.height),
        ..area
    };
    frame.render_widget(Span::styled(" / ", theme.key()), row);
    let place = Rect {
        x: row.x + 3.min(row.width),
        width: row.width.saturating_sub(4),
        ..row
    };
    field::draw(&runs.filter, typing, theme, frame, place);
    Rect {
        y: area.y + row.height,
        height: area.height - row.height,
        ..area
    }
}

/// Why the list is empty, and what fills it.
fn emptiness(state: &State) -> (String, &'static str) {
    let total = state.runs.all.counts(state.now).total;
    if total > 0 {
        let text = sanitize(state.runs.filter.text()).into_owned();
        return (
            format!("None of {} matches `{text}`.", text::count(total, "run")),
            "esc clears the filter.",
        );
    }
    match &state.link {
        Link::Connecting { .. } => (
            format!("Connecting to {}.", sanitize(&state.target.badge())),
            "Its runs are listed as soon as it answers.",
        ),
        Link::Lost { .. } => (
            format!(
                "{} does not answer: no run was read yet.",
                sanitize(&state.target.badge())
            ),
            "It is tried again by itself; ! shows what failed.",
        ),
        Link::Live { .. } => (
            format!(
                "No executor Job in namespace {} yet.",
                sanitize(&state.namespace)
            ),
            "r starts a sample run.",
        ),
    }
}
