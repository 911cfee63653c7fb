//! A list to look through: a cursor and a filter over rows.

use super::items::Item;
use crate::app::action::Action;
use crate::app::text::Field;
use tui_input::InputRequest;

/// The rows, those that the filter lets through, and the cursor among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    items: Vec<Item>,
    shown: Vec<usize>,
    /// Counted among those that are shown.
    pub at: usize,
    pub filter: Filter,
}

/// The filter of a list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub text: Field,
    /// It is being typed.
    pub typing: bool,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.typing == other.typing
    }
}

impl Eq for Filter {}

impl Listing {
    /// A list of these rows, with nothing filtered.
    pub fn of(items: Vec<Item>) -> Self {
        Self {
            shown: (0..items.len()).collect(),
            items,
            ..Self::default()
        }
    }

    /// All rows there are.
    pub fn total(&self) -> usize {
        self.items.len()
    }

    /// Rows that the filter lets through.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// No row is let through.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// A row, counted among those that are shown.
    pub fn row(&self, at: usize) -> Option<&Item> {
        self.items.get(*self.shown.get(at)?)
    }

    /// The row with the cursor.
    pub fn current(&self) -> Option<&Item> {
        self.row(self.at)
    }

    /// Takes a movement or a key of the filter; says whether it was one.
    pub(super) fn act(&mut self, action: Action, page: usize) -> bool {
        let last = self.shown.len().saturating_sub(1);
        match action {
            Action::Down => self.at = (self.at + 1).min(last),
            Action::Up => self.at = self.at.saturating_sub(1),
            Action::PageDown => self.at = (self.at + page).min(last),
            Action::PageUp => self.at = self.at.saturating_sub(page),
            Action::Top => self.at = 0,
            Action::Bottom => self.at = last,
            Action::Filter => self.filter.typing = true,
            Action::Accept if self.filter.typing => self.filter.typing = false,
            Action::Dismiss if self.filter.typing || !self.filter.text.text().is_empty() => {
                self.filter = Filter::default();
                self.sift();
            }
            _ => return false,
        }
        true
    }

    /// Takes one editing key of the filter.
    pub(super) fn edit(&mut self, request: &InputRequest) {
        if self.filter.typing {
            self.filter.text.edit(request);
            self.sift();
        }
    }

    fn sift(&mut self) {
        let wanted = self.filter.text.text().trim().to_lowercase();
        let items = self.items.iter().enumerate();
        self.shown = items
            .filter(|(_, item)| wanted.is_empty() || item.matches(&wanted))
            .map(|(at, _)| at)
            .collect();
        self.at = 0;
    }
}
