//! Two runs side by side; what differs is marked.
//!
//! ```text
//! ╭ Compare ────────────────────────────────────────────╮
//! │               207 hello          208 hello          │
//! │ given                                               │
//! │   image       …:0.1.0            …:0.2.0          ≠ │
//! │ log                                                 │
//! │   one                                               │
//! │ - two                                               │
//! ╰ esc close ──────────────────────────────────────────╯
//! ```

use super::pane::{self, Pane};
use super::theme::{Theme, Tone};
use super::{said, text};
use crate::app::State;
use crate::app::action::Context;
use crate::app::limits::Limits;
use crate::app::runs::compare::Logs;
use crate::domain::runs::Run;
use crate::domain::runs::compare::logs::{self, LogDiff, LogRow, Side};
use crate::domain::runs::compare::{self, Row};
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::convert::Infallible;

/// Columns of the sign at the end.
const SIGN: usize = 2;

/// Draws the page over `area`, scrolled to `state.page_top`.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    let place = super::layout::middle(area, area.width.min(120), area.height);
    let inside = Pane::dialog(theme, "Compare", Context::Compare).draw(frame, place);
    let page = pane::padded(inside);
    let pair = state.runs.compared.as_ref().and_then(|compared| {
        let find = |id| state.runs.all.find(id);
        Some((
            find(&compared.left)?,
            find(&compared.right)?,
            &compared.logs,
        ))
    });
    let Some((left, right, logs)) = pair else {
        pane::empty(
            frame,
            inside,
            theme,
            "One of them is not known any more.",
            "esc closes.",
        );
        return;
    };
    let lines = lines((left, right), logs, state, theme, usize::from(page.width));
    limits.page = pane::page(frame, theme, page, &lines, state.page_top);
}

fn lines(
    (left, right): (&Run, &Run),
    logs: &Logs,
    state: &State,
    theme: &Theme,
    room: usize,
) -> Vec<Line<'static>> {
    let name = |run: &Run| format!("{} {}", sanitize(&run.label()), said::sample(run));
    let sections = compare::sections(left, right, state.now);
    let rows = sections.iter().flat_map(|section| &section.rows);
    let longest = rows.map(|row| text::columns(&sanitize(&row.name))).max();
    // Two blanks before it and one after; the values count for more.
    let column = (longest.unwrap_or_default() + 3).min(room * 3 / 10);
    let cells = Cells {
        name: column,
        half: room.saturating_sub(column + SIGN) / 2,
        theme,
    };
    let mut lines = vec![cells.line("", &name(left), &name(right), theme.strong(), "")];
    for section in sections {
        lines.push(Line::styled(section.name, theme.muted()));
        lines.extend(section.rows.iter().map(|row| cells.row(row)));
    }
    lines.push(Line::styled("log", theme.muted()));
    let (mut shown, why) = match logs {
        Logs::InMemory => {
            let Ok::<_, Infallible>(diff) = logs::diff(texts(left), texts(right));
            (log(&diff, room, theme), "  neither wrote anything".into())
        }
        Logs::Differ(diff) => (log(diff, room, theme), "  neither wrote anything".into()),
        Logs::Asked(_) => (
            Vec::new(),
            "  the lines are being read from the history".into(),
        ),
        Logs::Failed(why) => (
            Vec::new(),
            format!("  they cannot be compared: {}", sanitize(why)),
        ),
    };
    if shown.is_empty() {
        shown.push(Line::styled(why, theme.muted()));
    }
    lines.append(&mut shown);
    lines
}

/// The lines in memory.
fn texts(run: &Run) -> impl Iterator<Item = Result<&str, Infallible>> {
    run.log.lines().map(|(_, line)| Ok(line.text.as_str()))
}

struct Cells<'a> {
    /// Columns of a name.
    name: usize,
    /// Columns of one side.
    half: usize,
    theme: &'a Theme,
}

impl Cells<'_> {
    fn row(&self, row: &Row) -> Line<'static> {
        let name = format!("  {}", sanitize(&row.name));
        let (style, sign) = if row.is_same() {
            (self.theme.plain(), "")
        } else {
            (self.theme.tone(Tone::Warning), "!")
        };
        let cell = |value: &str| {
            let value = sanitize(value).replace('\n', " ");
            if value.is_empty() {
                self.theme.glyphs().none.to_owned()
            } else {
                value
            }
        };
        self.line(&name, &cell(&row.left), &cell(&row.right), style, sign)
    }

    fn line(
        &self,
        name: &str,
        left: &str,
        right: &str,
        style: ratatui::style::Style,
        sign: &'static str,
    ) -> Line<'static> {
        let ellipsis = self.theme.glyphs().ellipsis;
        let side = |value: &str| {
            let value = text::fit_middle(value, self.half.saturating_sub(1), ellipsis);
            text::pad(&value, self.half, ellipsis)
        };
        Line::from(vec![
            // The end of a path tells one from the other.
            Span::styled(
                text::pad(
                    &text::fit_middle(name, self.name.saturating_sub(1), ellipsis),
                    self.name,
                    ellipsis,
                ),
                self.theme.muted(),
            ),
            Span::styled(side(left), style),
            Span::styled(side(right), style),
            Span::styled(sign, self.theme.tone(Tone::Warning)),
        ])
    }
}

fn log(diff: &LogDiff, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let row = |row: &LogRow| {
        let (sign, style) = match row.side {
            Side::Both => (" ", theme.plain()),
            Side::Left => ("-", theme.tone(Tone::Bad)),
            Side::Right => ("+", theme.tone(Tone::Good)),
            Side::Neither => (theme.glyphs().gap, theme.tone(Tone::Accent)),
        };
        let text = text::fit(
            &sanitize(&row.text),
            room.saturating_sub(2),
            theme.glyphs().ellipsis,
        );
        Line::styled(format!("{sign} {text}"), style)
    };
    diff.rows.iter().map(row).collect()
}
