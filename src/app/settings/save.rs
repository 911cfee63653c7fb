//! The settings file: changes of it on disk, and the edits saved to it.

use super::{Effect, Slice, counted};
use crate::app::notices::Notice;
use crate::app::question::Question;
use crate::app::{Dialog, Turn};
use crate::domain::settings::edit::Edit;
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::{Layer, Origin};

impl Slice {
    pub(super) fn loaded(&mut self, layer: Layer, turn: &mut Turn) {
        // Our own save comes back from the watcher, too.
        if layer == *self.layered.file() {
            return;
        }
        let known = self.layered.file().problems.clone();
        let rebased = self.drafts.rebase(self.layered.file(), &layer);
        self.replace_file(layer);
        self.refresh_review();
        self.check_targets(turn);
        let file = self.file_name();
        if !rebased.conflicts.is_empty() {
            let names = names(&rebased.conflicts);
            turn.notice(Notice::warning(format!(
                "{file} changed on disk, also where you edit: {names}. Your edit stays; undo takes the file's value, save asks"
            )));
        } else if rebased.reloaded > 0 {
            let settings = counted(rebased.reloaded, "setting");
            turn.notice(Notice::info(format!(
                "{file} changed on disk: {settings} reloaded"
            )));
        }
        for problem in &self.layered.file().problems {
            if !known.contains(problem) {
                turn.notice(Notice::bad(problem.to_string()));
            }
        }
    }

    pub(super) fn replace_file(&mut self, layer: Layer) {
        self.layered = std::mem::take(&mut self.layered).with_file(layer);
    }

    /// Saves all changes, unless one is wrong; asks when the file changed under one.
    pub(super) fn save(&mut self, turn: &mut Turn) {
        if self.stopped_by_a_wrong_value(turn) {
            return;
        }
        let edits = self.drafts.edits();
        if edits.is_empty() {
            return turn.notice(Notice::info("nothing to save: no setting is changed"));
        }
        let path = self.layered.path().to_path_buf();
        let save = crate::app::Effect::Settings(Effect::Save { path, edits });
        let conflicts = self.drafts.conflicts();
        if conflicts.is_empty() {
            return turn.effects.push(save);
        }
        let text = format!(
            "{} changed on disk while you edited: {}. Write your values over them?",
            self.file_name(),
            names(&conflicts)
        );
        let question = Question::yes_no(text, vec![save]);
        turn.open = Some(Dialog::Question(Box::new(question)));
    }

    /// Goes to the first value that is wrong, and says whether there was one.
    pub(super) fn stopped_by_a_wrong_value(&mut self, turn: &mut Turn) -> bool {
        let wrong = self.drafts.wrong().next();
        let Some((key, told)) = wrong.map(|(key, problem)| (key, problem.to_string())) else {
            return false;
        };
        turn.notice(Notice::bad(format!("not saved: {told}")));
        self.selected = key;
        self.open_form(turn);
        self.show_diff(false);
        true
    }

    pub(super) fn tell_saved(&self, edits: &[Edit], turn: &mut Turn) {
        let settings = counted(edits.len(), "setting");
        let mut text = format!("saved {settings} to {}", self.file_name());
        let mut effects = edits.iter().map(|edit| edit.key.facts().takes_effect);
        if let Some(first) = effects.next()
            && effects.all(|other| other == first)
        {
            text = format!("{text} · takes effect {first}");
        }
        turn.notice(Notice::good(text));
        let covered = |edit: &&Edit| self.layered.origin(edit.key) == Origin::Environment;
        if let Some(edit) = edits.iter().find(covered) {
            let variable = edit.key.variable().unwrap_or_default();
            turn.notice(Notice::warning(format!(
                "{variable} is set in the environment and wins over the saved value"
            )));
        }
    }
}

fn names(keys: &[Key]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.name()).collect();
    names.join(", ")
}
