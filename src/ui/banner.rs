//! The banner while the connection is lost: what happened, to what, and that it is being mended.

use super::text;
use super::theme::Theme;
use crate::app::State;
use crate::app::link::Link;
use crate::sanitize::sanitize;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// At most so many rows; the message history has all of it.
const ROWS: usize = 2;

/// Rows that the banner takes on a screen of so many columns.
pub(crate) fn height(state: &State, theme: &Theme, columns: u16) -> u16 {
    u16::try_from(lines(state, theme, columns).len()).unwrap_or(1)
}

/// Draws the banner.
pub(crate) fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let lines = lines(state, theme, area.width);
    for (line, y) in lines.into_iter().zip(area.top()..area.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        frame.render_widget(Line::styled(line, theme.banner()), row);
    }
}

fn lines(state: &State, theme: &Theme, columns: u16) -> Vec<String> {
    let Link::Lost {
        reason,
        since,
        version,
        ..
    } = &state.link
    else {
        return Vec::new();
    };
    let kept = if version.is_empty() {
        "nothing was read yet".to_owned()
    } else {
        format!("what is shown was true at {}", theme.clock(*since))
    };
    let glyphs = theme.glyphs();
    let said = format!(
        "No connection to {}: {} {} {kept}",
        sanitize(&state.target.badge()),
        sanitize(reason),
        glyphs.dot,
    );
    let width = usize::from(columns);
    let mut parts = text::wrap(&said, width.saturating_sub(4));
    if parts.len() > ROWS {
        // What is cut off ends in an ellipsis and not in silence.
        let rest = parts.split_off(ROWS - 1).join(" ");
        parts.push(rest);
    }
    let leads = [format!(" {} ", glyphs.bad), "   ".to_owned()];
    parts
        .iter()
        .zip(leads)
        .map(|(part, lead)| {
            let part = text::fit(part, width.saturating_sub(4), glyphs.ellipsis);
            text::pad(&format!("{lead}{part}"), width, glyphs.ellipsis)
        })
        .collect()
}
