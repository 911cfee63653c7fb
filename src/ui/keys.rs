//! The one key table: what a key means in each context. Footers, help and palette read the same rows.

mod table;

use crate::app::action::{Action, Context};
use crate::app::{Msg, State};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::backend::crossterm::to_input_request;

/// One key as it is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    control: bool,
}

/// One row of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub contexts: &'static [Context],
    /// All keys that do it; the first is the one that is shown.
    pub keys: &'static [Key],
    pub action: Action,
    /// A word or two for a footer.
    pub label: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
    /// Shown in the footer of its pane.
    pub in_footer: bool,
}

/// The whole table, in the order in which footers and the help show it.
pub const TABLE: &[Binding] = table::ROWS;

impl Key {
    pub(crate) const fn plain(code: KeyCode) -> Self {
        Self {
            code,
            control: false,
        }
    }

    pub(crate) const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    pub(crate) const fn control(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            control: true,
        }
    }

    /// The key of an event; absent for combinations that no row can name.
    fn of(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let other = event.modifiers - KeyModifiers::CONTROL - KeyModifiers::SHIFT;
        if !other.is_empty() {
            return None;
        }
        let code = match event.code {
            // Terminals differ in how they report shift-tab.
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        Some(Self { code, control })
    }

    /// A plain character: text, where text is typed.
    fn is_text(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && !self.control
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.control {
            f.write_str("ctrl-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("space"),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Enter => f.write_str("enter"),
            KeyCode::Esc => f.write_str("esc"),
            KeyCode::Tab => f.write_str("tab"),
            KeyCode::BackTab => f.write_str("shift-tab"),
            KeyCode::Up => f.write_str("up"),
            KeyCode::Down => f.write_str("down"),
            KeyCode::Left => f.write_str("left"),
            KeyCode::Right => f.write_str("right"),
            KeyCode::Home => f.write_str("home"),
            KeyCode::End => f.write_str("end"),
            KeyCode::PageUp => f.write_str("pgup"),
            KeyCode::PageDown => f.write_str("pgdn"),
            other => write!(f, "{other}"),
        }
    }
}

impl Binding {
    /// The key that footers and the help show.
    pub fn shown(&self) -> String {
        self.keys.first().map(Key::to_string).unwrap_or_default()
    }
}

/// What a key does in a context: the context's own rows first, then the rows that hold anywhere.
pub fn action(context: Context, key: Key) -> Option<Action> {
    let row = |context: Context| {
        TABLE
            .iter()
            .find(|row| row.contexts.contains(&context) && row.keys.contains(&key))
            .map(|row| row.action)
    };
    if let Some(action) = row(context) {
        return Some(action);
    }
    if context.takes_text() && key.is_text() {
        return None;
    }
    row(Context::Anywhere)
}

/// The first key of an action: in this context, or anywhere at all.
pub fn key_of(action: Action, context: Context) -> Option<String> {
    let typed = context.takes_text();
    let works = |key: &&Key| !(typed && key.is_text());
    let rows = || TABLE.iter().filter(|row| row.action == action);
    rows()
        .filter(|row| row.contexts.contains(&context) || row.contexts.contains(&Context::Anywhere))
        .find_map(|row| row.keys.iter().find(works))
        .or_else(|| rows().find_map(|row| row.keys.first()))
        .map(Key::to_string)
}

/// Turns a terminal event into what it means where the keys are now.
pub fn message(state: &State, event: &Event) -> Option<Msg> {
    let context = state.context();
    match event {
        Event::Resize(columns, rows) => Some(Msg::Resized(*columns, *rows)),
        Event::Paste(text) if context.takes_text() => Some(Msg::Paste(text.clone())),
        Event::Key(pressed) => {
            if let Some(action) = Key::of(pressed).and_then(|key| action(context, key)) {
                return Some(Msg::Do(action));
            }
            if context.takes_text() {
                return to_input_request(event).map(Msg::Edit);
            }
            None
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXTS: [Context; 34] = [
        Context::Anywhere,
        Context::Overlays,
        Context::OverlaysFilter,
        Context::Settings,
        Context::Runs,
        Context::RunsFilter,
        Context::Detail,
        Context::DetailLogs,
        Context::LogSearch,
        Context::RunDialog,
        Context::RunDialogText,
        Context::Payload,
        Context::RunForm,
        Context::SettingsForm,
        Context::SettingsText,
        Context::SettingsList,
        Context::SettingsElsewhere,
        Context::SettingsDiff,
        Context::SettingsReview,
        Context::Diff,
        Context::DiffFilter,
        Context::Question,
        Context::QuestionText,
        Context::Help,
        Context::Palette,
        Context::Messages,
        Context::Orphans,
        Context::NothingLeft,
        Context::Compare,
        Context::Checks,
        Context::Migration,
        Context::Migrating,
        Context::Audit,
        Context::ChecksFilter,
    ];

    #[test]
    fn no_two_rows_collide_in_a_context() {
        for context in CONTEXTS {
            let mut seen: Vec<(Key, Action)> = Vec::new();
            for row in TABLE.iter().filter(|row| row.contexts.contains(&context)) {
                for key in row.keys {
                    let other = seen.iter().find(|(taken, _)| taken == key);
                    assert!(
                        other.is_none(),
                        "{context:?}: {key} is {:?} and {other:?}",
                        row.action
                    );
                    seen.push((*key, row.action));
                }
            }
        }
    }

    #[test]
    fn every_row_has_a_key_a_label_and_a_sentence() {
        for row in TABLE {
            assert!(!row.keys.is_empty(), "{:?}", row.action);
            assert!(!row.contexts.is_empty(), "{:?}", row.action);
            assert!(!row.label.is_empty(), "{:?}", row.action);
            assert!(row.help.len() > row.label.len(), "{:?}", row.action);
            assert!(
                row.label.chars().count() <= 16,
                "{:?} is long for a footer",
                row.label
            );
        }
    }

    #[test]
    fn text_is_typed_where_text_is_typed() {
        for context in CONTEXTS.into_iter().filter(|c| c.takes_text()) {
            for c in (' '..='~').chain(['é', '日']) {
                assert_eq!(action(context, Key::char(c)), None, "{context:?} {c}");
            }
        }
    }

    #[test]
    fn there_is_a_way_out_of_everything() {
        for context in CONTEXTS {
            assert_eq!(
                action(context, Key::control('c')),
                Some(Action::Quit),
                "{context:?}"
            );
            let dialog = !matches!(
                context,
                Context::Anywhere | Context::Settings | Context::Checks
            );
            if dialog {
                assert_eq!(
                    action(context, Key::plain(KeyCode::Esc)),
                    Some(Action::Dismiss),
                    "{context:?}"
                );
            }
        }
    }

    #[test]
    fn shift_is_part_of_a_character_and_a_release_is_nothing() {
        let key = |code, modifiers| Key::of(&KeyEvent::new(code, modifiers));
        assert_eq!(
            key(KeyCode::Char('R'), KeyModifiers::SHIFT),
            Some(Key::char('R'))
        );
        assert_eq!(
            key(KeyCode::Tab, KeyModifiers::SHIFT),
            Some(Key::plain(KeyCode::BackTab))
        );
        assert_eq!(key(KeyCode::Char('r'), KeyModifiers::ALT), None);
        let mut released = KeyEvent::new(KeyCode::Char('r'), KeyModifiers::NONE);
        released.kind = KeyEventKind::Release;
        assert_eq!(Key::of(&released), None);
    }
}
