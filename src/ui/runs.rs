//! The runs pane: every executor Job of the namespace.

use super::Scroll;
use super::pane::{self, Pane};
use super::theme::Theme;
use crate::app::State;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Draws the pane.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    _scroll: &mut Scroll,
    frame: &mut Frame,
    area: Rect,
) {
    let inside = Pane::new(state, theme, crate::app::Pane::Runs).draw(frame, area);
    pane::empty(
        frame,
        inside,
        theme,
        "No run yet in this namespace.",
        "r starts a sample.",
    );
}
