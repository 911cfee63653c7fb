//! The pane: which overlays it shows, which is selected, what opens the diff.

use super::super::action::Action;
use super::super::notices::Notice;
use super::super::text::Field;
use super::super::{Dialog, Turn};
use super::diff::Diff;
use super::{Row, Slice};
use crate::domain::overlays::Standing;

impl Slice {
    /// The rows that the filter lets through, in the order of their names.
    pub fn visible(&self) -> impl Iterator<Item = &Row> {
        let wanted = self.filter.text().trim().to_lowercase();
        self.rows.iter().filter(move |row| {
            let text = format!("{} {}", row.overlay.name, row.overlay.standing.words());
            wanted
                .split_whitespace()
                .all(|word| text.to_lowercase().contains(word))
        })
    }

    /// Position of the selected row among the visible ones.
    pub fn position(&self) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        self.visible().position(|row| row.overlay.name == *selected)
    }

    pub(super) fn act_list(&mut self, action: Action, page: usize, turn: &mut Turn) {
        let page = isize::try_from(page).unwrap_or(1);
        match action {
            Action::Down => self.step(1),
            Action::Up => self.step(-1),
            Action::PageDown => self.step(page),
            Action::PageUp => self.step(-page),
            Action::Top => self.step(isize::MIN),
            Action::Bottom => self.step(isize::MAX),
            Action::Filter => self.filtering = true,
            Action::Accept if self.filtering => self.filtering = false,
            Action::Dismiss => {
                self.filtering = false;
                self.filter = Field::default();
                self.keep_selection();
            }
            Action::Accept | Action::DiffOverlay | Action::ApplyOverlay => self.open(turn),
            _ => {}
        }
    }

    fn step(&mut self, by: isize) {
        let names: Vec<&String> = self.visible().map(|row| &row.overlay.name).collect();
        let last = names.len().saturating_sub(1);
        let at = self
            .position()
            .unwrap_or(0)
            .saturating_add_signed(by)
            .min(last);
        self.selected = names.get(at).map(|name| (*name).clone());
    }

    /// Selects the first visible row when the selected one is not visible any more.
    pub(super) fn keep_selection(&mut self) {
        if self.position().is_none() {
            let first = self.visible().next().map(|row| row.overlay.name.clone());
            self.selected = first;
        }
    }

    /// Opens the diff of the selected overlay, compared anew.
    fn open(&mut self, turn: &mut Turn) {
        let Some(row) = self.selected.as_ref().and_then(|name| self.row(name)) else {
            return turn.notice(Notice::info("there is no overlay to show"));
        };
        let name = row.overlay.name.clone();
        let is_broken = matches!(row.overlay.standing, Standing::Broken(_));
        self.filtering = false;
        self.diff = Some(Diff::of(&name));
        turn.open = Some(Dialog::Diff);
        if let Some(row) = self.row_mut(&name) {
            row.changed_on_disk = false;
        }
        if !is_broken {
            self.compare(&name, turn);
        }
    }
}
