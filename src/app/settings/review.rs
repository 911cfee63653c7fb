//! The review before saving to one or more places: what would change in each, and who is in the way.

use super::outcome::Outcome;
use super::{Effect, Slice, Turn};
use crate::app::action::Action;
use crate::app::notices::Notice;
use crate::app::question::Question;
use crate::domain::overlays::plan::Ownership;
use crate::domain::settings::held::{Store, StoredChange};
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::Origin;
use crate::domain::settings::push::{Pushed, Rollout, Workload};

/// What is known of a write before it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Nothing to ask for: a file, or no change.
    #[default]
    Unneeded,
    Asking,
    /// It would be written; keys of this program's own overlay would be taken.
    Free(Vec<Ownership>),
    /// Others own keys; they are taken only when told.
    Owned(Vec<Ownership>),
    /// It would fail; why.
    Failed(String),
}

/// One place that can be saved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub store: Store,
    /// The file or the ConfigMap.
    pub name: String,
    /// It is to be saved to.
    pub on: bool,
    pub changes: Vec<StoredChange>,
    pub check: Check,
    /// What became of writing it.
    pub outcome: Outcome,
}

/// The review while it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    pub targets: Vec<Target>,
    /// The target with the cursor.
    pub at: usize,
    /// Take what others own.
    pub force: bool,
    /// First line in sight.
    pub top: usize,
    /// The other file that was named last.
    pub elsewhere: String,
}

/// Why a push was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    Owned(Vec<Ownership>),
    /// One sentence.
    Other(String),
}

impl Obstacle {
    /// Why ConfigMap `name` was not written; one sentence.
    pub(super) fn of(&self, name: &str) -> String {
        match self {
            Self::Other(why) => why.clone(),
            Self::Owned(owners) => {
                let owners: Vec<&str> = owners.iter().map(|one| &one.owner[..]).collect();
                format!("ConfigMap {name} is owned by {} in part", owners.join(", "))
            }
        }
    }
}

impl Slice {
    /// Opens the review, unless a value is wrong.
    pub(super) fn open_review(&mut self, turn: &mut Turn) {
        if self.stopped_by_a_wrong_value(turn) {
            return;
        }
        self.open_form(turn);
        self.show_diff(false);
        let file_changes = self.drafts.count() > 0;
        if let Some(form) = &mut self.form {
            form.review = Some(Review::default());
        }
        self.fill_review(|target| match target.store {
            Store::File => file_changes,
            _ => !file_changes && !target.changes.is_empty(),
        });
        self.look_if_old(turn);
        self.check_targets(turn);
    }

    /// The stores changed under an open review.
    pub(super) fn refresh_review(&mut self) {
        let Some(review) = self.form.as_ref().and_then(|form| form.review.as_ref()) else {
            return;
        };
        let before = review.targets.clone();
        let of_before = |target: &Target| {
            let mut known = before.iter();
            known.find(|one| one.store == target.store && one.name == target.name)
        };
        self.fill_review(|target| of_before(target).is_some_and(|one| one.on));
        let Some(review) = self.form.as_mut().and_then(|form| form.review.as_mut()) else {
            return;
        };
        for target in &mut review.targets {
            let Some(known) = of_before(target) else {
                continue;
            };
            target.outcome = known.outcome.clone();
            if target.changes == known.changes {
                target.check = known.check.clone();
            }
        }
    }

    fn fill_review(&mut self, is_on: impl Fn(&Target) -> bool) {
        let mut targets = vec![Target {
            store: Store::File,
            name: self.file_name(),
            on: false,
            changes: self.file_changes(),
            check: Check::Unneeded,
            outcome: Outcome::Nothing,
        }];
        let (wanted, keys) = (self.preview(), self.saved_keys());
        let maps = self.known.elsewhere.held.iter();
        targets.extend(
            maps.filter(|held| held.store != Store::File)
                .map(|held| Target {
                    store: held.store,
                    name: held.name.clone(),
                    on: false,
                    changes: held.changes(&wanted, &keys),
                    check: Check::Unneeded,
                    outcome: Outcome::Nothing,
                }),
        );
        for target in &mut targets {
            target.on = is_on(target);
        }
        if let Some(review) = self.form.as_mut().and_then(|form| form.review.as_mut()) {
            let of = |one: &Target| (one.store, one.name.clone());
            let cursor = review.targets.get(review.at).map(of);
            let mut places = targets.iter().map(|target| Some(of(target)));
            review.at = places.position(|one| one == cursor).unwrap_or(0);
            review.targets = targets;
        }
    }

    /// Keys that are set here, or will be.
    fn saved_keys(&self) -> Vec<Key> {
        let set = |key: &Key| {
            self.layered.origin(*key) != Origin::Default || self.drafts.of(*key).is_some()
        };
        Key::ALL.into_iter().filter(set).collect()
    }

    fn file_changes(&self) -> Vec<StoredChange> {
        let edits = self.drafts.edits().into_iter();
        edits
            .map(|edit| StoredChange {
                key: edit.key,
                from: edit.from.map(|value| value.text()),
                to: edit.to.map(|value| value.text()),
            })
            .collect()
    }

    /// Asks for each place in the cluster what a write would meet.
    pub(super) fn check_targets(&mut self, turn: &mut Turn) {
        let Some(review) = self.form.as_mut().and_then(|form| form.review.as_mut()) else {
            return;
        };
        for target in &mut review.targets {
            let untouched = target.check == Check::Unneeded;
            if target.store == Store::ConfigMap && untouched && !target.changes.is_empty() {
                target.check = Check::Asking;
                turn.effects
                    .push(crate::app::Effect::Settings(Effect::CheckPush {
                        configmap: target.name.clone(),
                        changes: target.changes.clone(),
                    }));
            }
        }
    }

    /// Takes one action in the review.
    pub(super) fn act_review(&mut self, action: Action, page: usize, turn: &mut Turn) {
        let Some(form) = &mut self.form else { return };
        let Some(review) = &mut form.review else {
            return;
        };
        match action {
            Action::Down => review.at = (review.at + 1).min(review.targets.len() - 1),
            Action::Up => review.at = review.at.saturating_sub(1),
            Action::PageDown => review.top = review.top.saturating_add(page),
            Action::PageUp => review.top = review.top.saturating_sub(page),
            Action::ToggleTarget => {
                if let Some(target) = review.targets.get_mut(review.at) {
                    target.on = !target.on;
                }
            }
            Action::TakeOwnership => review.force = !review.force,
            Action::SaveElsewhere => self.ask_elsewhere(turn),
            Action::Accept | Action::SaveSettings => self.save_reviewed(turn),
            Action::Dismiss => form.review = None,
            _ => {}
        }
    }

    fn save_reviewed(&mut self, turn: &mut Turn) {
        let Some(review) = self.form.as_ref().and_then(|form| form.review.clone()) else {
            return;
        };
        let all = review.targets.iter();
        let chosen: Vec<&Target> = all.filter(|target| target.is_wanted()).collect();
        if review
            .targets
            .iter()
            .any(|one| one.outcome == Outcome::Writing)
        {
            return turn.notice(Notice::info(
                "still being saved: each place tells when it is done",
            ));
        }
        if chosen.is_empty() {
            return turn.notice(Notice::info(
                "nothing to save: no place is chosen, or the chosen ones say the same",
            ));
        }
        for target in &chosen {
            let hindrance = match &target.check {
                Check::Owned(owners) if !review.force => Some(format!(
                    "not saved: {} owns keys of {}; f takes them",
                    owners
                        .iter()
                        .map(|one| &one.owner[..])
                        .collect::<Vec<_>>()
                        .join(", "),
                    target.name
                )),
                Check::Failed(why) => Some(format!("not saved: {why}")),
                Check::Asking => Some(format!("{} is still being compared", target.name)),
                _ => None,
            };
            if let Some(text) = hindrance {
                return turn.notice(Notice::warning(text));
            }
        }
        for target in chosen {
            let effect = match target.store {
                Store::File => Effect::Save {
                    path: self.layered.path().to_path_buf(),
                    edits: self.drafts.edits(),
                },
                Store::Studio => match self.studio_push(target) {
                    Some(effect) => effect,
                    None => continue,
                },
                Store::ConfigMap => Effect::Push {
                    configmap: target.name.clone(),
                    changes: target.changes.clone(),
                    force: review.force,
                },
            };
            turn.effects.push(crate::app::Effect::Settings(effect));
        }
        if let Some(review) = self.form.as_mut().and_then(|form| form.review.as_mut()) {
            for target in review.targets.iter_mut().filter(|one| one.is_wanted()) {
                target.outcome = Outcome::Writing;
            }
        }
    }

    /// Takes what a dry run of a push met.
    pub(super) fn checked(&mut self, configmap: &str, result: Result<Pushed, Obstacle>) {
        let Some(review) = self.form.as_mut().and_then(|form| form.review.as_mut()) else {
            return;
        };
        let mut targets = review.targets.iter_mut();
        if let Some(target) =
            targets.find(|one| one.store == Store::ConfigMap && one.name == configmap)
        {
            target.check = match result {
                Ok(pushed) => Check::Free(pushed.taken),
                Err(Obstacle::Owned(owners)) => Check::Owned(owners),
                Err(Obstacle::Other(why)) => Check::Failed(why),
            };
        }
    }

    /// Takes the end of a push; offers to restart whoever reads the settings only when it starts.
    pub(super) fn pushed(
        &mut self,
        configmap: &str,
        count: usize,
        result: Result<Vec<Workload>, Obstacle>,
        turn: &mut Turn,
    ) {
        let place = self.known.place.clone();
        let readers = match result {
            Ok(readers) => readers,
            Err(obstacle) => {
                let why = obstacle.of(configmap);
                return turn.notice(Notice::bad(format!("not pushed: {why}")));
            }
        };
        let settings = super::counted(count, "setting");
        turn.notice(Notice::good(format!(
            "pushed {settings} to ConfigMap {configmap} in {place}"
        )));
        self.look(turn);
        if readers.is_empty() {
            return;
        }
        let names: Vec<String> = readers.iter().map(ToString::to_string).collect();
        let text = format!(
            "{} in {place} read ConfigMap {configmap} only when they start. Restart now?",
            names.join(", ")
        );
        let restart = Effect::Restart { workloads: readers };
        let question = Question::yes_no(text, vec![crate::app::Effect::Settings(restart)]);
        turn.open = Some(crate::app::Dialog::Question(Box::new(question)));
    }

    /// Takes a step of a restart.
    pub(super) fn restarted(workload: &Workload, result: Result<Rollout, String>, turn: &mut Turn) {
        turn.notice(match result {
            Err(why) => Notice::bad(why),
            Ok(rollout) if rollout.stuck.is_some() => Notice::bad(format!("{workload}: {rollout}")),
            Ok(rollout) if rollout.done => {
                Notice::good(format!("{workload} has restarted: {rollout}"))
            }
            Ok(rollout) => Notice::info(format!("{workload} restarts: {rollout}")),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Msg;
    use super::*;
    use crate::app::{Dialog, Effect as AppEffect};
    use crate::domain::settings::held::Held;
    use crate::domain::settings::layers::{Layer, Layered};
    use crate::domain::settings::problem::Place;
    use jiff::Timestamp;

    const MAP: &str = "llmctl-studio-config";
    const TTL: Key = Key::K8sJobTtlSeconds;

    fn turn(slice: &mut Slice, with: impl FnOnce(&mut Slice, &mut Turn)) -> Turn {
        let mut turn = Turn::new(Timestamp::UNIX_EPOCH);
        with(slice, &mut turn);
        turn
    }

    fn act(slice: &mut Slice, actions: &[Action]) -> Turn {
        turn(slice, |slice, turn| {
            for action in actions {
                slice.act(*action, 10, turn);
            }
        })
    }

    fn told(turn: &Turn) -> String {
        turn.notices.iter().map(|one| &one.text[..]).collect()
    }

    fn effects(turn: &Turn) -> Vec<Effect> {
        let settings = |effect: &AppEffect| match effect {
            AppEffect::Settings(effect) => Some(effect.clone()),
            _ => None,
        };
        turn.effects.iter().filter_map(settings).collect()
    }

    /// A slice with the TTL in the file, on a cluster that has another.
    fn slice() -> Slice {
        let mut file = Layer::default();
        file.take(TTL, "900", Place::Typed);
        let mut slice = Slice::new(Layered::new("executor.toml", file, Layer::default()));
        let asked = turn(&mut slice, |slice, turn| slice.linked(true, turn));
        assert_eq!(effects(&asked), [Effect::Look]);
        let variable = ("LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS", "1800");
        let answer = Msg::Looked {
            place: "llmctl @ here".into(),
            result: Ok(vec![Held::of_variables(MAP, [variable])]),
        };
        turn(&mut slice, |slice, turn| slice.update(answer, turn));
        slice
    }

    fn checked(slice: &mut Slice, result: Result<Pushed, Obstacle>) {
        let configmap = MAP.into();
        turn(slice, |slice, turn| {
            slice.update(Msg::Checked { configmap, result }, turn);
        });
    }

    #[test]
    fn with_nothing_for_the_file_the_cluster_is_chosen_and_a_conflict_stops_it() {
        let mut slice = slice();
        assert!(slice.is_drift(TTL));
        let opened = act(&mut slice, &[Action::ReviewSettings]);
        let changes = vec![StoredChange {
            key: TTL,
            from: Some("1800".into()),
            to: Some("900".into()),
        }];
        let configmap: String = MAP.into();
        let asked = Effect::CheckPush {
            configmap: configmap.clone(),
            changes: changes.clone(),
        };
        assert_eq!(effects(&opened), [asked]);
        let early = act(&mut slice, &[Action::Accept]);
        assert!(told(&early).contains("being compared"));
        let owners = vec![Ownership {
            owner: "kubectl-edit".into(),
            fields: vec!["x".into()],
        }];
        checked(&mut slice, Err(Obstacle::Owned(owners)));
        let refused = act(&mut slice, &[Action::Accept]);
        assert!(
            told(&refused).contains("kubectl-edit"),
            "{}",
            told(&refused)
        );
        assert_eq!(effects(&refused), []);
        let taken = act(&mut slice, &[Action::TakeOwnership, Action::Accept]);
        let push = Effect::Push {
            configmap,
            changes,
            force: true,
        };
        assert_eq!(effects(&taken), [push]);
    }

    #[test]
    fn file_and_cluster_are_saved_at_once_when_both_are_chosen() {
        let mut slice = slice();
        act(
            &mut slice,
            &[Action::EditSettings, Action::Right, Action::ReviewSettings],
        );
        checked(&mut slice, Ok(Pushed::default()));
        let saved = act(
            &mut slice,
            &[Action::Down, Action::ToggleTarget, Action::Accept],
        );
        let kinds: Vec<bool> = effects(&saved)
            .iter()
            .map(|effect| matches!(effect, Effect::Push { changes, .. } if changes[0].to.as_deref() == Some("960")))
            .collect();
        assert_eq!(kinds, [false, true]);
    }

    #[test]
    fn a_wrong_value_opens_no_review() {
        let mut slice = slice();
        act(&mut slice, &[Action::EditSettings]);
        slice.drafts.want_text(&slice.layered, TTL, "1");
        let refused = act(&mut slice, &[Action::ReviewSettings]);
        assert!(told(&refused).contains("from 60 to 86400"));
        assert_eq!(slice.form.as_ref().unwrap().review, None);
    }

    #[test]
    fn after_a_push_a_restart_is_offered_to_its_readers() {
        let mut slice = slice();
        let workload = Workload {
            kind: "Deployment".into(),
            name: "llmctl-studio-backend".into(),
        };
        let mut pushed = |result| {
            let msg = Msg::Pushed {
                configmap: MAP.into(),
                count: 1,
                result,
            };
            turn(&mut slice, |slice, turn| slice.update(msg, turn))
        };
        assert_eq!(pushed(Ok(Vec::new())).open, None);
        let failed = pushed(Err(Obstacle::Other("no answer".into())));
        assert_eq!(
            (told(&failed), failed.open),
            ("not pushed: no answer".into(), None)
        );
        let Some(Dialog::Question(question)) = pushed(Ok(vec![workload.clone()])).open else {
            panic!("a question");
        };
        assert!(
            question
                .text
                .starts_with("Deployment/llmctl-studio-backend in llmctl @ here")
        );
        let restart = Effect::Restart {
            workloads: vec![workload],
        };
        assert_eq!(question.effects, [AppEffect::Settings(restart)]);
    }
}
