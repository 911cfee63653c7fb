//! The dialog that starts a sample run.

use super::pane::Pane;
use super::theme::Theme;
use crate::app::State;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Draws the dialog over `area`.
pub(crate) fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let place = super::layout::middle(area, 76, 12);
    Pane::dialog(theme, "Run a sample", state.runs.dialog_context()).draw(frame, place);
}
