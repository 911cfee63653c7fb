//! The settings pane and the settings form.

use super::Scroll;
use super::pane::{self, Pane};
use super::theme::Theme;
use crate::app::State;
use crate::app::action::Context;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

/// Draws the pane.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    _scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let inside = Pane::new(state, theme, crate::app::Pane::Settings).draw(frame, area);
    pane::empty(frame, inside, theme, "No settings are read yet.", "");
}

/// Draws the form over `area`.
pub(crate) fn draw_form(
    _state: &State,
    theme: &Theme,
    _scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let place = super::layout::middle(area, 100, area.height);
    let inside = Pane::dialog(theme, "Settings", Context::SettingsForm).draw(frame, place);
    pane::empty(frame, inside, theme, "No settings are read yet.", "");
}

/// What the name of the pane carries on a narrow terminal: whether something is edited.
pub(crate) fn in_tab<'a>(_state: &State, _theme: &Theme) -> Vec<Span<'a>> {
    Vec::new()
}
