//! What runs left behind: looked for, shown, marked, and removed when the namespace's name is typed.

use super::super::action::{Action, Context};
use super::super::question::Question;
use super::super::{Dialog, Turn};
use super::{Around, Effect, Slice};
use crate::domain::orphans::{Orphan, size};
use std::collections::BTreeSet;

/// Which of what is left over is meant. Follows the objects and not the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The row of the selected one.
    pub at: usize,
    selected: Option<String>,
    /// Their UIDs.
    pub marked: BTreeSet<String>,
}

impl Choice {
    /// What was selected and marked, in another list.
    pub(super) fn stay_with(&mut self, found: &[Orphan]) {
        let place = |uid: &String| found.iter().position(|one| one.uid == *uid);
        self.at = self.selected.as_ref().and_then(place).unwrap_or(self.at);
        self.marked.retain(|uid| place(uid).is_some());
        self.go(self.at, found);
    }

    fn go(&mut self, at: usize, found: &[Orphan]) {
        self.at = at.min(found.len().saturating_sub(1));
        self.selected = found.get(self.at).map(|one| one.uid.clone());
    }

    fn mark(&mut self) {
        let Some(uid) = self.selected.clone() else {
            return;
        };
        if !self.marked.remove(&uid) {
            self.marked.insert(uid);
        }
    }

    fn mark_all(&mut self, found: &[Orphan]) {
        if self.marked.len() == found.len() {
            self.marked.clear();
        } else {
            self.marked = found.iter().map(|one| one.uid.clone()).collect();
        }
    }
}

impl Slice {
    pub(super) fn show_orphans(&mut self, turn: &mut Turn) {
        self.orphans = None;
        self.left_over = Choice::default();
        turn.open = Some(Dialog::Orphans);
        turn.effects
            .push(super::super::Effect::Runs(Effect::FindOrphans));
    }

    /// Where its keys are looked up: there are none for what is not there.
    pub fn orphans_context(&self) -> Context {
        match self.orphans.as_deref() {
            None | Some([]) => Context::NothingLeft,
            Some(_) => Context::Orphans,
        }
    }

    /// Takes one action on the page; a page is `page` rows.
    pub fn act_orphans(&mut self, action: Action, page: usize, around: &Around, turn: &mut Turn) {
        let found = self.orphans.as_deref().unwrap_or_default();
        let choice = &mut self.left_over;
        // Each object has two rows.
        let step = (page / 2).max(1);
        match action {
            Action::Down => choice.go(choice.at.saturating_add(1), found),
            Action::Up => choice.go(choice.at.saturating_sub(1), found),
            Action::PageDown => choice.go(choice.at.saturating_add(step), found),
            Action::PageUp => choice.go(choice.at.saturating_sub(step), found),
            Action::Top => choice.go(0, found),
            Action::Bottom => choice.go(usize::MAX, found),
            Action::Mark => choice.mark(),
            Action::MarkAll => choice.mark_all(found),
            Action::RemoveOrphans => self.ask_orphans(around, turn),
            Action::Dismiss | Action::Accept => turn.close = true,
            _ => {}
        }
    }

    /// Asks before the marked ones, or the selected one when none is, are removed.
    fn ask_orphans(&self, around: &Around, turn: &mut Turn) {
        let found = self.orphans.as_deref().unwrap_or_default();
        let choice = &self.left_over;
        let chosen: Vec<Orphan> = found
            .iter()
            .enumerate()
            .filter(|(at, one)| {
                choice.marked.contains(&one.uid) || (choice.marked.is_empty() && *at == choice.at)
            })
            .map(|(_, one)| one.clone())
            .collect();
        let bytes = size(chosen.iter().map(|one| one.bytes).sum());
        let what = match chosen.as_slice() {
            [] => return,
            [one] => format!("{} {}", one.kind, one.name),
            many => format!("{} objects", many.len()),
        };
        let text = format!(
            "Remove {what} ({bytes}) from {}? Type the namespace's name.",
            around.place
        );
        let effect = super::super::Effect::Runs(Effect::RemoveOrphans(chosen));
        let namespace = around.settings.namespace.clone();
        let question = Question::typed(text, namespace, vec![effect]);
        turn.open = Some(Dialog::Question(Box::new(question)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::orphans::{Kind, Why};
    use jiff::Timestamp;

    fn found(uids: &[&str]) -> Vec<Orphan> {
        let one = |uid: &&str| Orphan {
            kind: Kind::Job,
            name: format!("job-{uid}"),
            uid: (*uid).to_owned(),
            why: Why::NoTtl,
            created: Timestamp::UNIX_EPOCH,
            bytes: 1,
        };
        uids.iter().map(one).collect()
    }

    #[test]
    fn selection_and_marks_stay_with_their_objects() {
        let mut choice = Choice::default();
        let three = found(&["a", "b", "c"]);
        choice.stay_with(&three);
        choice.go(1, &three);
        choice.mark();
        choice.go(usize::MAX, &three);
        choice.mark();
        choice.stay_with(&found(&["c", "d"]));
        assert_eq!((choice.at, choice.selected.as_deref()), (0, Some("c")));
        assert_eq!(choice.marked, BTreeSet::from(["c".to_owned()]));
        choice.mark_all(&found(&["c", "d"]));
        assert_eq!(choice.marked.len(), 2);
        choice.mark_all(&found(&["c", "d"]));
        assert!(choice.marked.is_empty());
        choice.stay_with(&[]);
        assert_eq!((choice.at, choice.selected), (0, None));
    }
}
