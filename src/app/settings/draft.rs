//! Changes that are not saved, each with the value of the file that it was based on: what a three-way merge needs.

use crate::domain::settings::edit::Edit;
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::{Layer, Layered};
use crate::domain::settings::problem::Problem;
use crate::domain::settings::value::Value;
use std::collections::BTreeMap;

/// What a person wants a key to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Value(Value),
    /// Out of the file, so that the default holds.
    Default,
    /// Typed and against a rule: shown and marked, never saved.
    Wrong {
        text: String,
        problem: Problem,
    },
}

/// What the file says of the key since the change began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Disk {
    #[default]
    AsBefore,
    /// Somebody else changed it, to this.
    Changed(Option<Value>),
}

/// One change that is not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The file's value when the change began; `None` where it had none.
    pub base: Option<Value>,
    pub to: Wanted,
    pub disk: Disk,
}

impl Draft {
    /// The value it asks for: the wanted one, or the key's default; `None` while it is wrong.
    pub fn value(&self, key: Key) -> Option<Value> {
        match &self.to {
            Wanted::Value(value) => Some(value.clone()),
            Wanted::Default => key.default(),
            Wanted::Wrong { .. } => None,
        }
    }

    fn edit(&self, key: Key) -> Option<Edit> {
        let to = match &self.to {
            Wanted::Value(value) => Some(value.clone()),
            Wanted::Default => None,
            Wanted::Wrong { .. } => return None,
        };
        let from = match &self.disk {
            Disk::AsBefore => self.base.clone(),
            Disk::Changed(now) => now.clone(),
        };
        Some(Edit { key, from, to })
    }
}

/// What a new content of the file did to the changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebased {
    /// Keys that changed in the file and had no change here.
    pub reloaded: usize,
    /// Keys that changed on both sides, to different values.
    pub conflicts: Vec<Key>,
}

/// All changes that are not saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drafts(BTreeMap<Key, Draft>);

impl Drafts {
    /// The change of a key.
    pub fn of(&self, key: Key) -> Option<&Draft> {
        self.0.get(&key)
    }

    /// All changes in the order of the form.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Draft)> {
        self.0.iter().map(|(key, draft)| (*key, draft))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Keys whose value is wrong.
    pub fn wrong(&self) -> impl Iterator<Item = (Key, &Problem)> {
        self.iter().filter_map(|(key, draft)| match &draft.to {
            Wanted::Wrong { problem, .. } => Some((key, problem)),
            _ => None,
        })
    }

    /// Keys that changed in the file as well.
    pub fn conflicts(&self) -> Vec<Key> {
        self.iter()
            .filter(|(_, draft)| draft.disk != Disk::AsBefore)
            .map(|(key, _)| key)
            .collect()
    }

    /// Wants `to` for a key. What changes nothing of the file is no change: the draft goes.
    pub fn want(&mut self, layered: &Layered, key: Key, to: Wanted) {
        let file = layered.file();
        let (base, disk) = match self.0.remove(&key) {
            Some(old) => (old.base, old.disk),
            None => (file.values.get(&key).cloned(), Disk::AsBefore),
        };
        // A wrong value in the file has to go, whatever is wanted instead.
        let file_is_wrong = file.problems.iter().any(|p| p.key == Some(key));
        let same = match &to {
            Wanted::Value(value) => match &base {
                Some(base) => base == value,
                None => key.default().as_ref() == Some(value),
            },
            Wanted::Default => base.is_none(),
            Wanted::Wrong { .. } => false,
        };
        if !same || file_is_wrong || disk != Disk::AsBefore {
            self.0.insert(key, Draft { base, to, disk });
        }
    }

    /// Wants what is typed, right or wrong.
    pub fn want_text(&mut self, layered: &Layered, key: Key, text: &str) {
        let to = match key.parse(text) {
            Ok(value) => Wanted::Value(value),
            Err(problem) => Wanted::Wrong {
                text: text.into(),
                problem,
            },
        };
        self.want(layered, key, to);
    }

    /// Takes back the change of a key, and says whether there was one.
    pub fn undo(&mut self, key: Key) -> bool {
        self.0.remove(&key).is_some()
    }

    /// Takes back all changes, and says how many there were.
    pub fn undo_all(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }

    /// Puts a key back to a state of before.
    pub fn put_back(&mut self, key: Key, before: Option<Draft>) {
        match before {
            Some(draft) => self.0.insert(key, draft),
            None => self.0.remove(&key),
        };
    }

    /// What is to be written; wrong values are not in it.
    pub fn edits(&self) -> Vec<Edit> {
        self.iter()
            .filter_map(|(key, draft)| draft.edit(key))
            .collect()
    }

    /// The edits are in the file: they are no changes any more. What was changed again meanwhile stays.
    pub fn saved(&mut self, edits: &[Edit]) {
        for edit in edits {
            let done = self.of(edit.key).and_then(|draft| draft.edit(edit.key));
            if done.is_some_and(|done| done.to == edit.to) {
                self.0.remove(&edit.key);
            } else if let Some(draft) = self.0.get_mut(&edit.key) {
                draft.base.clone_from(&edit.to);
                draft.disk = Disk::AsBefore;
            }
        }
    }

    /// The file says `new` instead of `old`: a three-way merge per key. Keys without a change here take the file's
    /// value; a change here stays, and is marked where the file changed to something else.
    pub fn rebase(&mut self, old: &Layer, new: &Layer) -> Rebased {
        let mut rebased = Rebased::default();
        for key in Key::ALL {
            let now = new.values.get(&key);
            let Some(draft) = self.0.get_mut(&key) else {
                rebased.reloaded += usize::from(now != old.values.get(&key));
                continue;
            };
            let wanted = match &draft.to {
                Wanted::Value(value) => Some(Some(value)),
                Wanted::Default => Some(None),
                Wanted::Wrong { .. } => None,
            };
            if now == draft.base.as_ref() {
                draft.disk = Disk::AsBefore;
            } else if wanted == Some(now) {
                // Both sides came to the same.
                self.0.remove(&key);
            } else {
                draft.disk = Disk::Changed(now.cloned());
                rebased.conflicts.push(key);
            }
        }
        rebased
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Key = Key::K8sJobTtlSeconds;
    const GPU: Key = Key::K8sGpuLimit;

    fn file(pairs: &[(Key, &str)]) -> Layer {
        let mut layer = Layer::default();
        for (key, text) in pairs {
            layer.values.insert(*key, key.parse(text).unwrap());
        }
        layer
    }

    fn layered(pairs: &[(Key, &str)]) -> Layered {
        Layered::new("executor.toml", file(pairs), Layer::default())
    }

    #[test]
    fn what_changes_nothing_is_no_change() {
        let layered = layered(&[(TTL, "60")]);
        let mut drafts = Drafts::default();
        drafts.want_text(&layered, TTL, "90");
        drafts.want_text(&layered, GPU, "1");
        assert_eq!(drafts.count(), 2);
        drafts.want_text(&layered, TTL, "60");
        drafts.want_text(&layered, GPU, "0");
        assert_eq!(drafts.count(), 0);
        drafts.want(&layered, GPU, Wanted::Default);
        assert_eq!(drafts.count(), 0);
        drafts.want(&layered, TTL, Wanted::Default);
        let edit = Edit {
            key: TTL,
            from: Some(Value::Whole(60)),
            to: None,
        };
        assert_eq!(drafts.edits(), [edit]);
    }

    #[test]
    fn a_wrong_value_is_kept_and_never_an_edit() {
        let layered = layered(&[]);
        let mut drafts = Drafts::default();
        drafts.want_text(&layered, TTL, "30");
        drafts.want_text(&layered, GPU, "2");
        assert_eq!(drafts.wrong().count(), 1);
        assert_eq!(drafts.edits().len(), 1);
        let Some(Draft {
            to: Wanted::Wrong { text, .. },
            ..
        }) = drafts.of(TTL)
        else {
            panic!("the typed text is gone");
        };
        assert_eq!(text, "30");
    }

    /// File before, wanted here, file after; then: is it still a change, and is it in conflict?
    #[test]
    fn three_ways() {
        for (before, wanted, after, change, conflict) in [
            (Some("60"), "90", Some("60"), true, false),
            (Some("60"), "90", Some("90"), false, false),
            (Some("60"), "90", Some("70"), true, true),
            (Some("60"), "90", None, true, true),
            (None, "90", Some("70"), true, true),
            (None, "90", None, true, false),
            (Some("60"), "wrong", Some("70"), true, true),
        ] {
            let old = layered(before.map(|text| (TTL, text)).as_slice());
            let mut drafts = Drafts::default();
            drafts.want_text(&old, TTL, wanted);
            let rebased =
                drafts.rebase(old.file(), &file(after.map(|text| (TTL, text)).as_slice()));
            assert_eq!(
                drafts.of(TTL).is_some(),
                change,
                "{before:?} {wanted} {after:?}"
            );
            assert_eq!(
                !rebased.conflicts.is_empty(),
                conflict,
                "{before:?} {wanted} {after:?}"
            );
            assert_eq!(drafts.conflicts(), rebased.conflicts);
        }
    }

    #[test]
    fn a_conflict_is_over_when_the_file_is_as_before() {
        let old = layered(&[(TTL, "60")]);
        let mut drafts = Drafts::default();
        drafts.want_text(&old, TTL, "90");
        let other = file(&[(TTL, "70")]);
        drafts.rebase(old.file(), &other);
        // Mine on purpose: based on what is there now.
        assert_eq!(drafts.edits()[0].from, Some(Value::Whole(70)));
        let rebased = drafts.rebase(&other, old.file());
        assert_eq!(rebased.conflicts, []);
        assert_eq!(drafts.edits()[0].from, Some(Value::Whole(60)));
    }

    #[test]
    fn what_is_changed_while_it_is_being_saved_stays_a_change() {
        let old = layered(&[]);
        let mut drafts = Drafts::default();
        drafts.want_text(&old, TTL, "90");
        drafts.want_text(&old, GPU, "1");
        let edits = drafts.edits();
        drafts.want_text(&old, TTL, "120");
        drafts.saved(&edits);
        let left = drafts.edits();
        assert_eq!(left.len(), 1);
        assert_eq!(
            (left[0].key, left[0].from.clone()),
            (TTL, Some(Value::Whole(90)))
        );
    }

    #[test]
    fn keys_without_a_change_are_taken_from_the_file() {
        let old = layered(&[(TTL, "60")]);
        let mut drafts = Drafts::default();
        drafts.want_text(&old, GPU, "1");
        let rebased = drafts.rebase(old.file(), &file(&[(TTL, "70")]));
        assert_eq!(
            rebased,
            Rebased {
                reloaded: 1,
                conflicts: vec![]
            }
        );
    }
}
