//! Studio's database among the places of the settings: what it has, and writing to it from the review.

use super::review::Target;
use super::{Effect, Slice, Turn};
use crate::app::notices::Notice;
use crate::domain::settings::held::{Held, Store};

impl Slice {
    /// Takes what Studio's database has; a failure is told once, and what was known before stays known.
    pub(super) fn looked_at_studio(
        &mut self,
        result: Result<Option<Held>, String>,
        turn: &mut Turn,
    ) {
        match result {
            Ok(held) => {
                let held = held.into_iter().collect();
                self.known.elsewhere.replace(Store::Studio, held);
                self.known.studio_failure = None;
                self.known.studio_answered = true;
                self.refresh_review();
                self.check_targets(turn);
            }
            Err(why) => {
                // Of a cluster that does not answer everything else tells already.
                let is_new = self.known.studio_failure.as_ref() != Some(&why);
                if is_new && self.known.is_live() {
                    turn.notice(Notice::warning(format!(
                        "what Studio has is not known: {why}"
                    )));
                }
                self.known.studio_failure = Some(why);
            }
        }
    }

    /// The write of a chosen target; none when Studio is not known any more.
    pub(super) fn studio_push(&self, target: &Target) -> Option<Effect> {
        let mut known = self.known.elsewhere.held.iter();
        let seen = known.find(|held| held.store == Store::Studio && held.name == target.name)?;
        Some(Effect::PushToStudio {
            seen: seen.clone(),
            changes: target.changes.clone(),
        })
    }

    /// Takes the end of a write.
    pub(super) fn pushed_to_studio(
        &mut self,
        place: &str,
        count: usize,
        result: Result<(), String>,
        turn: &mut Turn,
    ) {
        turn.notice(match result {
            Ok(()) => {
                let settings = super::counted(count, "setting");
                Notice::good(format!(
                    "pushed {settings} to Studio, {place}; it reads them with its next run"
                ))
            }
            Err(why) => Notice::bad(format!("not pushed: {why}")),
        });
        self.look(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Msg;
    use super::*;
    use crate::app::Effect as AppEffect;
    use crate::app::action::Action;
    use crate::domain::settings::held::StoredChange;
    use crate::domain::settings::key::Key;
    use crate::domain::settings::layers::{Layer, Layered};
    use crate::domain::settings::problem::Place;
    use jiff::Timestamp;

    fn turn(slice: &mut Slice, with: impl FnOnce(&mut Slice, &mut Turn)) -> Turn {
        let mut turn = Turn::new(Timestamp::UNIX_EPOCH);
        with(slice, &mut turn);
        turn
    }

    fn take(slice: &mut Slice, msg: Msg) -> Turn {
        turn(slice, |slice, turn| slice.update(msg, turn))
    }

    #[test]
    fn a_value_that_drifts_from_studio_is_written_from_the_review() {
        let mut file = Layer::default();
        file.take(Key::K8sGpuLimit, "2", Place::Typed);
        let mut slice = Slice::new(Layered::new("executor.toml", file, Layer::default()));
        turn(&mut slice, |slice, turn| slice.linked(true, turn));
        let seen = Held::of_rows("database d", [("k8s_gpu_limit", "1")]);
        take(&mut slice, Msg::LookedAtStudio(Ok(Some(seen.clone()))));
        assert!(slice.is_drift(Key::K8sGpuLimit));
        let saved = turn(&mut slice, |slice, turn| {
            slice.act(Action::ReviewSettings, 10, turn);
            slice.act(Action::Accept, 10, turn);
        });
        let change = StoredChange {
            key: Key::K8sGpuLimit,
            from: Some("1".into()),
            to: Some("2".into()),
        };
        let push = AppEffect::Settings(Effect::PushToStudio {
            seen,
            changes: vec![change],
        });
        assert!(saved.effects.contains(&push), "{:?}", saved.effects);
        let ended = |result| Msg::PushedToStudio {
            place: "database d".into(),
            count: 1,
            result,
        };
        let good = take(&mut slice, ended(Ok(())));
        assert!(good.notices[0].text.contains("pushed 1 setting to Studio"));
        let bad = take(&mut slice, ended(Err("k8s_gpu_limit changed".into())));
        assert_eq!(bad.notices[0].text, "not pushed: k8s_gpu_limit changed");
    }

    #[test]
    fn a_database_that_cannot_be_read_is_told_once() {
        let mut slice = Slice::default();
        turn(&mut slice, |slice, turn| slice.linked(true, turn));
        let failed = || Msg::LookedAtStudio(Err("no pod is ready".into()));
        assert_eq!(take(&mut slice, failed()).notices.len(), 1);
        assert_eq!(take(&mut slice, failed()).notices.len(), 0);
        take(&mut slice, Msg::LookedAtStudio(Ok(None)));
        turn(&mut slice, |slice, turn| slice.linked(false, turn));
        assert_eq!(take(&mut slice, failed()).notices.len(), 0);
    }
}
