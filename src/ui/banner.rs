//! The banner while the connection is lost: what happened, to what, and that it is being mended.

use super::pane::cut;
use super::theme::Theme;
use crate::app::State;
use crate::app::link::Link;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Rows that the banner takes.
pub(crate) fn height(state: &State) -> u16 {
    u16::from(matches!(state.link, Link::Lost { .. }))
}

/// Draws the banner.
pub(crate) fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let Link::Lost {
        reason,
        since,
        version,
        ..
    } = &state.link
    else {
        return;
    };
    let kept = if version.is_empty() {
        "nothing was read yet".to_owned()
    } else {
        format!("what is shown was true at {}", theme.clock(*since))
    };
    let glyphs = theme.glyphs();
    let text = format!(
        " {} No connection to {}: {} {} {kept}",
        glyphs.bad,
        sanitize(&state.target.badge()),
        sanitize(reason),
        glyphs.dot,
    );
    let width = usize::from(area.width);
    let text = super::text::pad(&text, width, glyphs.ellipsis);
    let line = cut(Line::from(Span::raw(text)), width, glyphs.ellipsis);
    frame.render_widget(line.style(theme.banner()), area);
}
