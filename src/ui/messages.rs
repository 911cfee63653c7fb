//! The message history: everything that the program told, newest first, whole sentences.

use super::pane::{self, Pane};
use super::text;
use super::theme::{Theme, Tone};
use crate::app::State;
use crate::app::action::Context;
use crate::app::limits::Limits;
use crate::app::notices::Weight;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the history over `area`, scrolled to `state.page_top`.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    let count = state.notices.iter().count();
    let columns = area.width.min(110);
    let lines = lines(state, theme, usize::from(columns.saturating_sub(4)));
    let rows = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).max(6);
    let place = super::layout::middle(area, columns, rows);
    let inside = Pane::dialog(theme, "Messages", Context::Messages)
        .count([Span::raw(count.to_string())])
        .draw(frame, place);
    if count == 0 {
        pane::empty(
            frame,
            inside,
            theme,
            "Nothing was said yet.",
            "What is done, and what fails, is kept here for this session.",
        );
        return;
    }
    limits.page = pane::page(frame, theme, pane::padded(inside), &lines, state.page_top);
}

fn lines(state: &State, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs();
    let mut lines = Vec::new();
    for (at, notice) in state.notices.iter() {
        let (glyph, tone) = match notice.weight {
            Weight::Good => (glyphs.good, Tone::Good),
            Weight::Info => (glyphs.info, Tone::Accent),
            Weight::Warning => (glyphs.warning, Tone::Warning),
            Weight::Bad => (glyphs.bad, Tone::Bad),
        };
        let parts = text::wrap(&sanitize(&notice.text), room.saturating_sub(12));
        for (n, part) in parts.into_iter().enumerate() {
            let (time, glyph) = if n == 0 {
                (theme.clock(*at), glyph)
            } else {
                (" ".repeat(8), " ")
            };
            lines.push(Line::from(vec![
                Span::styled(time, theme.muted()),
                Span::styled(format!(" {glyph} "), theme.tone(tone)),
                Span::raw(part),
            ]));
        }
    }
    lines
}
