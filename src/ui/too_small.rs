//! What a terminal that is too small shows: one line with the size needed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

const COLUMNS: u16 = 60;
const ROWS: u16 = 15;

/// Nothing sensible fits.
pub(crate) fn is(area: Rect) -> bool {
    area.width < COLUMNS || area.height < ROWS
}

/// Draws the line, in the middle if it fits.
pub(crate) fn draw(frame: &mut Frame, area: Rect) {
    if area.is_empty() {
        return;
    }
    let size = format!("{}x{}", area.width, area.height);
    let full = format!("llmctl-dev needs {COLUMNS}x{ROWS}, this terminal is {size}");
    let short = format!("needs {COLUMNS}x{ROWS}");
    let text = [full, short]
        .into_iter()
        .find(|text| text.len() <= usize::from(area.width))
        .unwrap_or_else(|| format!("{COLUMNS}x{ROWS}"));
    let place = Rect {
        y: area.y + area.height / 2,
        height: 1,
        ..area
    };
    frame.render_widget(Line::raw(text).centered(), place);
}
