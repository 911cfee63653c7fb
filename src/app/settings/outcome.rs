//! What became of a save to several places: each is told apart, and what failed stays on the screen to be tried again.

use super::Slice;
use super::review::Target;
use crate::domain::settings::held::Store;

/// What became of one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    #[default]
    Nothing,
    Writing,
    Done,
    /// Nothing was written there; why.
    Failed(String),
}

impl Target {
    /// It is to be written now: chosen, with something to change that is not written or being written.
    pub(super) fn is_wanted(&self) -> bool {
        let open = matches!(self.outcome, Outcome::Nothing | Outcome::Failed(_));
        self.on && open && !self.changes.is_empty()
    }
}

impl Slice {
    /// Marks the place of an answer. When all are written the review is over; when one failed it stays.
    pub(super) fn ended(&mut self, store: Store, name: Option<&str>, result: Result<(), String>) {
        let Some(form) = &mut self.form else { return };
        let Some(review) = &mut form.review else {
            return;
        };
        let mut targets = review.targets.iter_mut();
        let is_meant = |target: &&mut Target| {
            target.store == store
                && target.outcome == Outcome::Writing
                && name.is_none_or(|name| name == target.name)
        };
        let Some(target) = targets.find(is_meant) else {
            return;
        };
        target.outcome = match result {
            Ok(()) => Outcome::Done,
            Err(why) => Outcome::Failed(why),
        };
        let outcomes = || review.targets.iter().map(|target| &target.outcome);
        let is_over = outcomes().all(|one| matches!(one, Outcome::Nothing | Outcome::Done));
        if is_over {
            form.review = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::review::Obstacle;
    use super::super::tests::Play;
    use super::super::{Effect, Msg};
    use super::*;
    use crate::app::action::Action;
    use crate::domain::settings::held::Held;
    use crate::domain::settings::key::Key;
    use crate::domain::settings::push::Pushed;

    const MAP: &str = "llmctl-studio-config";

    fn outcomes(play: &Play) -> Vec<Outcome> {
        let review = play.slice.form.as_ref().unwrap().review.as_ref().unwrap();
        let targets = review.targets.iter();
        targets.map(|target| target.outcome.clone()).collect()
    }

    /// File, ConfigMap and Studio are chosen and being written.
    fn saving() -> Play {
        let mut play = Play::new(&[]);
        play.slice.linked(true, &mut play.turn);
        let variable = ("LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS", "1800");
        play.update(Msg::Looked {
            place: "llmctl @ here".into(),
            result: Ok(vec![Held::of_variables(MAP, [variable])]),
        });
        let rows = Held::of_rows("database d", [("k8s_job_ttl_seconds", "1800")]);
        play.update(Msg::LookedAtStudio(Ok(Some(rows))));
        play.act(&[Action::EditSettings, Action::Right, Action::ReviewSettings]);
        play.update(Msg::Checked {
            configmap: MAP.into(),
            result: Ok(Pushed::default()),
        });
        play.act(&[
            Action::Down,
            Action::ToggleTarget,
            Action::Down,
            Action::ToggleTarget,
            Action::Accept,
        ]);
        assert_eq!(play.turn.effects.len(), 3, "{:?}", play.turn.effects);
        assert_eq!(outcomes(&play), vec![Outcome::Writing; 3]);
        play
    }

    fn saved(play: &mut Play) {
        let edits = play.slice.drafts.edits();
        let mut layer = play.slice.layered().file().clone();
        for edit in &edits {
            layer.values.insert(edit.key, edit.to.clone().unwrap());
        }
        play.update(Msg::Saved { layer, edits });
    }

    fn pushed(play: &mut Play, result: Result<(), &str>) {
        let result = result.map(|()| Vec::new());
        play.update(Msg::Pushed {
            configmap: MAP.into(),
            count: 1,
            result: result.map_err(|why| Obstacle::Other(why.into())),
        });
    }

    fn in_studio(play: &mut Play, result: Result<(), &str>) {
        play.update(Msg::PushedToStudio {
            place: "database d".into(),
            count: 1,
            result: result.map_err(str::to_owned),
        });
    }

    #[test]
    fn the_cursor_stays_on_its_place_when_another_one_comes() {
        let mut play = Play::new(&[]);
        play.slice.linked(true, &mut play.turn);
        play.update(Msg::Looked {
            place: "llmctl @ here".into(),
            result: Ok(vec![Held::of_variables(MAP, [])]),
        });
        play.act(&[Action::ReviewSettings, Action::Down]);
        let rows = Held::of_rows("database d", []);
        play.update(Msg::LookedAtStudio(Ok(Some(rows))));
        let review = play.slice.form.as_ref().unwrap().review.as_ref().unwrap();
        assert_eq!(review.targets.len(), 3);
        assert_eq!(review.targets[review.at].store, Store::ConfigMap);
    }

    #[test]
    fn when_every_place_has_it_the_review_is_over() {
        let mut play = saving();
        pushed(&mut play, Ok(()));
        saved(&mut play);
        assert_eq!(
            outcomes(&play),
            [Outcome::Done, Outcome::Writing, Outcome::Done]
        );
        in_studio(&mut play, Ok(()));
        assert_eq!(play.slice.form.as_ref().unwrap().review, None);
    }

    #[test]
    fn what_failed_is_told_apart_stays_and_is_tried_again_alone() {
        let mut play = saving();
        in_studio(&mut play, Err("somebody holds the lock"));
        pushed(&mut play, Ok(()));
        play.update(Msg::SaveFailed("the disk is full".into()));
        let expected = [
            Outcome::Failed("the disk is full".into()),
            Outcome::Failed("somebody holds the lock".into()),
            Outcome::Done,
        ];
        assert_eq!(outcomes(&play), expected);
        // What the cluster has now is read again, and changes nothing of that.
        let variable = ("LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS", "1860");
        play.update(Msg::Looked {
            place: "llmctl @ here".into(),
            result: Ok(vec![Held::of_variables(MAP, [variable])]),
        });
        assert_eq!(outcomes(&play), expected);
        play.act(&[Action::Accept]);
        let kinds: Vec<bool> = play
            .turn
            .effects
            .iter()
            .map(|effect| match effect {
                crate::app::Effect::Settings(Effect::Save { .. }) => true,
                crate::app::Effect::Settings(Effect::PushToStudio { .. }) => false,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(kinds, [true, false]);
        // While they are on their way nothing is written twice.
        play.act(&[Action::Accept]);
        assert_eq!(play.turn.effects.len(), 0);
        saved(&mut play);
        in_studio(&mut play, Ok(()));
        assert_eq!(play.slice.form.as_ref().unwrap().review, None);
        assert_eq!(play.slice.drafts.of(Key::K8sJobTtlSeconds), None);
    }
}
