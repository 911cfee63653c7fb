//! A text of several lines being typed: numbered, scrolled so that its cursor is in sight.

use super::theme::Theme;
use super::{field, layout, text};
use crate::app::page::Page;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns of the line numbers.
const NUMBERS: usize = 4;

/// Draws the text into `area`; `top` is the first line in sight and follows the cursor.
pub(crate) fn draw(page: &Page, top: &mut usize, theme: &Theme, frame: &mut Frame, area: Rect) {
    let (row, before) = page.cursor();
    let lines = page.lines();
    *top = layout::top_for(*top, row, lines.len(), usize::from(area.height));
    let room = usize::from(area.width).saturating_sub(NUMBERS);
    let column = text::columns(&sanitize(before));
    let skipped = (column + 1).saturating_sub(room.max(1));
    for ((at, line), y) in lines
        .iter()
        .enumerate()
        .skip(*top)
        .zip(area.top()..area.bottom())
    {
        let shown = text::tail(&sanitize(line), skipped);
        let line = Line::from(vec![
            Span::styled(format!("{:>3} ", at + 1), theme.muted()),
            Span::raw(text::fit(&shown, room, theme.glyphs().ellipsis)),
        ]);
        frame.render_widget(
            line,
            Rect {
                y,
                height: 1,
                ..area
            },
        );
    }
    field::put_cursor(frame, area, NUMBERS + column - skipped, row - *top);
}
