//! A question before something is written. Enter alone never says yes to a y/N question.

use super::field;
use super::layout::middle;
use super::pane::Pane;
use super::text;
use super::theme::Theme;
use crate::app::question::Question;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the question in the middle of `area`.
pub(crate) fn draw(question: &Question, theme: &Theme, frame: &mut Frame, area: Rect) {
    let columns = area.width.saturating_sub(8).clamp(20, 76);
    let room = usize::from(columns.saturating_sub(4));
    let mut lines: Vec<Line> = question
        .text
        .lines()
        .flat_map(|line| text::wrap(&sanitize(line), room))
        .map(Line::raw)
        .collect();
    let mut cursor = None;
    if let Some(name) = &question.wants {
        lines.push(Line::default());
        let prompt = format!("Type {} to go on: ", sanitize(name));
        let left = room.saturating_sub(text::columns(&prompt));
        let typed = field::shown(&question.typed, left, true, theme);
        cursor = Some((text::columns(&prompt) + typed.cursor, lines.len()));
        lines.push(Line::from(vec![
            Span::styled(prompt, theme.muted()),
            typed.span,
        ]));
    }
    let rows = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let place = middle(area, columns, rows);
    let inside = Pane::dialog(theme, "Question", question.context()).draw(frame, place);
    let inside = super::pane::padded(inside);
    frame.render_widget(ratatui::widgets::Paragraph::new(lines), inside);
    if let Some((column, row)) = cursor {
        field::put_cursor(frame, inside, column, row);
    }
}
