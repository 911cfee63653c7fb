//! The help: every key, grouped by where it holds; read from the key table.

use super::keys::{Binding, TABLE};
use super::pane::{self, Pane};
use super::text;
use super::theme::Theme;
use crate::app::action::{Action, Context};
use crate::app::limits::Limits;
use crate::app::{self, State};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The groups in their order: what they are called, and the contexts that they are made of.
const GROUPS: &[(&str, &[Context])] = &[
    ("Runs", &[Context::Runs]),
    ("Run detail", &[Context::Detail]),
    ("Run detail: logs", &[Context::DetailLogs]),
    ("Left over", &[Context::Orphans]),
    ("Run dialog", &[Context::RunDialog]),
    ("Fields of a node", &[Context::RunForm]),
    ("Payload being edited", &[Context::Payload]),
    ("Overlays", &[Context::Overlays]),
    ("Diff of an overlay", &[Context::Diff]),
    ("Settings", &[Context::Settings]),
    ("Settings form", &[Context::SettingsForm]),
    ("Saving settings to places", &[Context::SettingsReview]),
    ("List being edited", &[Context::SettingsList]),
    ("Checks", &[Context::Checks]),
    ("Migration", &[Context::Migration, Context::Migrating]),
    ("Audit", &[Context::Audit]),
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
];

/// Draws the help over `area`, scrolled to `state.page_top`.
pub(crate) fn draw(
    state: &State,
    theme: &Theme,
    limits: &mut Limits,
    frame: &mut Frame,
    area: Rect,
) {
    let place = super::layout::middle(area, 96, area.height);
    let inside = Pane::dialog(theme, "Help", Context::Help).draw(frame, place);
    let text = pane::padded(inside);
    let lines = lines(state, theme, usize::from(text.width));
    limits.page = pane::page(frame, theme, text, &lines, state.page_top);
}

fn lines(state: &State, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("Everywhere", theme.strong())];
    let everywhere = TABLE.iter().filter(|row| holds_everywhere(row));
    lines.extend(everywhere.map(|row| self::row(row, theme, room)));
    // The place that the keys were in comes first.
    let here = match state.focus {
        app::Pane::Overlays => Context::Overlays,
        app::Pane::Settings => Context::Settings,
        app::Pane::Runs => state.runs.list_context(),
        app::Pane::Detail => state.runs.detail_context(),
        app::Pane::Checks => Context::Checks,
    };
    let (first, others): (Vec<_>, Vec<_>) = GROUPS
        .iter()
        .copied()
        .partition(|(_, contexts)| contexts.contains(&here));
    for (name, contexts) in first.into_iter().chain([MOVEMENT]).chain(others) {
        lines.push(Line::default());
        lines.push(Line::styled(name, theme.strong()));
        let mut seen: Vec<(String, &str)> = Vec::new();
        let rows = TABLE.iter().filter(|row| {
            let held = row.contexts.iter().any(|held| contexts.contains(held));
            held && moves(row) == (name == MOVEMENT.0) && !holds_everywhere(row)
        });
        for row in rows {
            let entry = (row.shown(), row.help);
            if !seen.contains(&entry) {
                seen.push(entry);
                lines.push(self::row(row, theme, room));
            }
        }
    }
    lines
}

/// Rows that move are the same in every list, and stand once.
const MOVEMENT: (&str, &[Context]) = ("Movement, in every list", &[Context::Runs]);

fn moves(row: &Binding) -> bool {
    matches!(
        row.action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::Top
            | Action::Bottom
    )
}

/// Rows of all panes stand once and not in every group.
fn holds_everywhere(row: &Binding) -> bool {
    if moves(row) {
        return false;
    }
    row.contexts.contains(&Context::Anywhere)
        || (row.contexts.contains(&Context::Overlays)
            && row.contexts.contains(&Context::Settings)
            && (row.contexts.contains(&Context::Runs) || row.contexts.contains(&Context::Detail)))
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
