//! The detail of the selected run, in tabs.

use super::pane::{self, Pane};
use super::theme::Theme;
use crate::app::State;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Draws the pane.
pub(crate) fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let inside = Pane::new(state, theme, crate::app::Pane::Detail).draw(frame, area);
    pane::empty(frame, inside, theme, "No run is selected.", "");
}
