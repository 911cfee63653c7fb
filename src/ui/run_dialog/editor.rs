//! The payload being edited: numbered lines, the cursor, and below them what is wrong.
//!
//! ```text
//! ╭ Payload of hello ───────────────────────────── YAML ╮
//! │  1 contract_version: v1                             │
//! │  2 command:                                         │
//! │ ✗ command: must be a list of texts with at least …  │
//! ╰ ctrl-s take  ctrl-t JSON or YAML  esc leave ────────╯
//! ```

use crate::app::action::Context;
use crate::app::runs::editor::Editor;
use crate::sanitize::sanitize;
use crate::ui::layout::middle;
use crate::ui::pane::{self, Pane};
use crate::ui::theme::{Theme, Tone};
use crate::ui::{lines, text};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Most problems in sight.
const PROBLEMS: usize = 6;
/// Draws the editor over `area`; `top` is the first line in sight and follows the cursor.
pub(super) fn draw(
    editor: &Editor,
    name: &str,
    top: &mut usize,
    theme: &Theme,
    frame: &mut Frame,
    area: Rect,
) {
    let place = middle(area, area.width.saturating_sub(4).min(100), area.height);
    let title = format!("Payload of {}", sanitize(name));
    let inside = Pane::dialog(theme, title, Context::Payload)
        .count([Span::raw(editor.language.as_str())])
        .draw(frame, place);
    let inside = pane::padded(inside);
    let below = problems(editor, usize::from(inside.width), theme);
    let rows = u16::try_from(below.len()).unwrap_or(u16::MAX);
    let height = inside.height.saturating_sub(rows);
    lines::draw(&editor.page, top, theme, frame, Rect { height, ..inside });
    for (line, y) in below.into_iter().zip(inside.y + height..inside.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..inside
        };
        frame.render_widget(line, row);
    }
}

fn problems(editor: &Editor, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs();
    let line = |glyph: &'static str, tone: Tone, said: &str| {
        let said = text::fit(&sanitize(said), room.saturating_sub(2), glyphs.ellipsis);
        Line::from(vec![
            Span::styled(format!("{glyph} "), theme.tone(tone)),
            Span::styled(said, theme.tone(tone)),
        ])
    };
    if editor.problems.is_empty() && !editor.is_read() {
        return vec![Line::styled(glyphs.ellipsis, theme.muted())];
    }
    if editor.problems.is_empty() {
        return vec![line(
            glyphs.good,
            Tone::Good,
            "it breaks no rule of the contract",
        )];
    }
    let mut lines: Vec<Line> = editor
        .problems
        .iter()
        .take(PROBLEMS)
        .map(|problem| line(glyphs.bad, Tone::Bad, problem))
        .collect();
    if editor.problems.len() > PROBLEMS {
        let more = format!("and {} more", editor.problems.len() - PROBLEMS);
        lines.push(line(glyphs.bad, Tone::Bad, &more));
    }
    lines
}
