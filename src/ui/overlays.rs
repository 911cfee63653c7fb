//! The overlays pane and the diff before an apply.

use super::Scroll;
use super::pane::{self, Pane};
use super::theme::Theme;
use crate::app::State;
use crate::app::action::Context;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Draws the pane.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    _scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let inside = Pane::new(state, theme, crate::app::Pane::Overlays).draw(frame, area);
    pane::empty(frame, inside, theme, "No overlays are read yet.", "");
}

/// Draws the diff over `area`.
pub(crate) fn draw_diff(
    _state: &State,
    theme: &Theme,
    _scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let inside = Pane::dialog(theme, "Diff", Context::Diff).draw(frame, area);
    pane::empty(frame, inside, theme, "Nothing is compared yet.", "");
}

/// What the header says of the overlay that is applied; nothing while that is not known.
pub(crate) fn in_header<'a>(_state: &State, _theme: &Theme) -> Option<Line<'a>> {
    None
}
