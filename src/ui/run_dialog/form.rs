//! The fields of a node being filled in: a row each, and below them what the one with the cursor wants and what is wrong.
//!
//! ```text
//! ╭ Fields of node task ─────────────────────── 1 of 2 ╮
//! │   task_prompt *   [Say hello.                    ] │
//! │   agent_id        [                              ] │
//! │                                                    │
//! │ task_prompt (required) must be text, and not blank │
//! │ ✓ it breaks no rule of the contract                │
//! ╰ enter take  ctrl-t next choice  esc leave ─────────╯
//! ```

use crate::app::action::Context;
use crate::app::runs::form::{Form, Row};
use crate::sanitize::sanitize;
use crate::ui::layout::middle;
use crate::ui::pane::{self, Pane};
use crate::ui::theme::{Theme, Tone};
use crate::ui::{field, text};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Columns of the mark and the name.
const NAME: u16 = 26;
/// Rows below the fields: a blank one, what is needed, the rule in two, what is wrong in two.
const BELOW: u16 = 6;

/// Draws the form over `area`.
pub(super) fn draw(form: &Form, theme: &Theme, frame: &mut Frame, area: Rect) {
    let rows = u16::try_from(form.rows.len()).unwrap_or(u16::MAX);
    let height = rows.saturating_add(BELOW + 2);
    let place = middle(area, area.width.saturating_sub(8).min(92), height);
    let count = format!("{} of {}", form.at + 1, form.rows.len());
    let title = format!("Fields of node {}", form.kind);
    let inside = Pane::dialog(theme, title, Context::RunForm)
        .count([Span::raw(count)])
        .draw(frame, place);
    let inside = pane::padded(inside);
    let line = |at: u16| {
        Rect {
            y: inside.y.saturating_add(at),
            height: 1,
            ..inside
        }
        .intersection(inside)
    };
    for (at, row) in (0..).zip(&form.rows) {
        draw_row(row, usize::from(at) == form.at, theme, frame, line(at));
    }
    for (at, said) in (rows + 1..).zip(below(form, usize::from(inside.width), theme)) {
        frame.render_widget(said, line(at));
    }
}

fn draw_row(row: &Row, typing: bool, theme: &Theme, frame: &mut Frame, area: Rect) {
    if area.is_empty() {
        return;
    }
    let style = if typing { theme.key() } else { theme.muted() };
    let mark = match row.problem {
        Some(_) => Span::styled(theme.glyphs().bad, theme.tone(Tone::Bad)),
        None => Span::raw(" "),
    };
    let star = if row.required { " *" } else { "" };
    let name = Line::from(vec![
        mark,
        Span::raw(" "),
        Span::styled(format!("{}{star}", row.name), style),
    ]);
    frame.render_widget(name, area);
    let rest = |x: u16, width: u16| Rect { x, width, ..area }.intersection(area);
    let inside = area.width.saturating_sub(NAME + 2);
    let x = area.x + NAME;
    frame.render_widget(Span::styled("[", style), rest(x, 1));
    field::draw(&row.value, typing, theme, frame, rest(x + 1, inside));
    frame.render_widget(Span::styled("]", style), rest(x + 1 + inside, 1));
}

fn below(form: &Form, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs();
    let mut lines = vec![Line::styled(
        text::fit(&format!("It needs {}.", form.needs), room, glyphs.ellipsis),
        theme.muted(),
    )];
    let Some(row) = form.rows.get(form.at) else {
        return lines;
    };
    let wants = if row.required {
        "required"
    } else {
        "may be left out"
    };
    let rule = format!("{} ({wants}) {}", row.name, row.rule);
    let wrapped = text::wrap(&rule, room).into_iter().take(2);
    lines.extend(wrapped.map(|line| Line::styled(line, theme.muted())));
    let wrong = form.rows.iter().filter_map(|row| {
        let problem = row.problem.as_ref()?;
        Some(format!("{} {problem}", row.name))
    });
    let own = row
        .problem
        .as_ref()
        .map(|problem| format!("{} {problem}", row.name));
    let first = own.or_else(|| wrong.chain(form.problems.iter().cloned()).next());
    let (glyph, tone, said) = match first {
        Some(said) => (glyphs.bad, Tone::Bad, said),
        None => (
            glyphs.good,
            Tone::Good,
            "it breaks no rule of the contract".to_owned(),
        ),
    };
    let said = text::wrap(&sanitize(&said), room.saturating_sub(2))
        .into_iter()
        .take(2);
    lines.extend(said.enumerate().map(|(at, said)| {
        let glyph = if at == 0 { glyph } else { " " };
        Line::styled(format!("{glyph} {said}"), theme.tone(tone))
    }));
    lines
}
