//! What runs left behind: looked for, shown, removed when the namespace's name is typed.

use super::super::notices::Notice;
use super::super::question::Question;
use super::super::{Dialog, Turn};
use super::{Around, Effect, Slice};
use crate::domain::orphans::size;

impl Slice {
    pub(super) fn show_orphans(&mut self, turn: &mut Turn) {
        self.orphans = None;
        turn.open = Some(Dialog::Orphans);
        turn.effects
            .push(super::super::Effect::Runs(Effect::FindOrphans));
    }

    /// Asks before all of it is removed.
    pub fn ask_orphans(&self, around: &Around, turn: &mut Turn) {
        let found = self.orphans.as_deref().unwrap_or_default();
        if found.is_empty() {
            return turn.notice(Notice::info("there is nothing to remove"));
        }
        let bytes = found.iter().map(|one| one.bytes).sum();
        let text = format!(
            "Remove these {} objects ({}) from {}? Type the namespace's name.",
            found.len(),
            size(bytes),
            around.place
        );
        let effect = super::super::Effect::Runs(Effect::RemoveOrphans(found.to_vec()));
        let namespace = around.settings.namespace.clone();
        let question = Question::typed(text, namespace, vec![effect]);
        turn.open = Some(Dialog::Question(Box::new(question)));
    }
}
