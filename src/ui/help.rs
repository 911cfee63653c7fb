//! The help: every key, grouped by where it holds; read from the key table.

use super::keys::{Binding, TABLE};
use super::pane::{self, Pane};
use super::text;
use super::theme::Theme;
use crate::app::State;
use crate::app::action::Context;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The groups in their order: what they are called, and the contexts that they are made of.
const GROUPS: &[(&str, &[Context])] = &[
    ("Runs", &[Context::Runs]),
    ("Run detail", &[Context::Detail]),
    ("Run detail: logs", &[Context::DetailLogs]),
    ("Run dialog", &[Context::RunDialog]),
    ("Overlays", &[Context::Overlays]),
    ("Diff of an overlay", &[Context::Diff]),
    ("Settings", &[Context::Settings]),
    ("Settings form", &[Context::SettingsForm]),
    ("Questions", &[Context::Question, Context::QuestionText]),
    ("Palette", &[Context::Palette]),
    (
        "While typing",
        &[
            Context::RunsFilter,
            Context::LogSearch,
            Context::SettingsText,
        ],
    ),
    ("Everywhere", &[Context::Anywhere]),
];

/// Draws the help over `area`, scrolled to `state.page_top`.
pub(crate) fn draw(state: &State, theme: &Theme, frame: &mut Frame, area: Rect) {
    let place = super::layout::middle(area, 96, area.height);
    let inside = Pane::dialog(theme, "Help", Context::Help).draw(frame, place);
    let text = pane::padded(inside);
    let lines = lines(theme, usize::from(text.width));
    pane::page(frame, theme, text, &lines, state.page_top);
}

fn lines(theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let mut lines = vec![
        Line::styled(
            "State is glyph, word and colour. Movement is the same in every list.",
            theme.muted(),
        ),
        Line::default(),
        Line::styled("Movement", theme.strong()),
    ];
    let movement: Vec<&Binding> = TABLE.iter().filter(|row| is_movement(row)).collect();
    lines.extend(movement.iter().map(|row| self::row(row, theme, room)));
    for (name, contexts) in GROUPS {
        lines.push(Line::default());
        lines.push(Line::styled(*name, theme.strong()));
        let mut seen: Vec<(String, &str)> = Vec::new();
        let rows = TABLE.iter().filter(|row| {
            !is_movement(row)
                && row
                    .contexts
                    .iter()
                    .any(|context| contexts.contains(context))
        });
        for row in rows {
            let entry = (row.shown(), row.help);
            if !is_main(row, contexts) && !seen.contains(&entry) {
                seen.push(entry);
                lines.push(self::row(row, theme, room));
            }
        }
        if *contexts == [Context::Anywhere] {
            let main = TABLE.iter().filter(|row| is_main(row, &[Context::Runs]));
            lines.extend(main.map(|row| self::row(row, theme, room)));
        }
    }
    lines
}

/// Rows that move; they are the same wherever there is a list.
fn is_movement(row: &Binding) -> bool {
    use crate::app::action::Action;
    matches!(
        row.action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::Top
            | Action::Bottom
    ) && row.contexts.contains(&Context::Runs)
}

/// Rows of all panes of the main screen; they stand once, at the end.
fn is_main(row: &Binding, contexts: &[Context]) -> bool {
    contexts.contains(&Context::Runs).then_some(()).is_some()
        && row.contexts.contains(&Context::Overlays)
        && row.contexts.contains(&Context::Runs)
        && !is_movement(row)
}

fn row(row: &Binding, theme: &Theme, room: usize) -> Line<'static> {
    let keys: Vec<String> = row.keys.iter().map(ToString::to_string).collect();
    let keys = text::pad(&keys.join(" "), 16, theme.glyphs().ellipsis);
    let left = room.saturating_sub(19);
    Line::from(vec![
        Span::raw("  "),
        Span::styled(keys, theme.key()),
        Span::raw(" "),
        Span::raw(text::fit(row.help, left, theme.glyphs().ellipsis)),
    ])
}
