//! What is told to somebody who looks elsewhere: the ends of runs, and removals that come soon.

use super::super::{Effect, Turn};
use super::Slice;
use crate::domain::occasion::Occasion;
use crate::domain::runs::RunId;
use crate::domain::target::Target;
use jiff::{SignedDuration, Timestamp};

/// Bells and notifications are at least so far apart; a burst of runs would be a storm.
const APART: SignedDuration = SignedDuration::from_secs(2);

/// What was told, and when.
#[derive(Debug)]
pub(super) struct News {
    target: Target,
    /// How long before a removal it is told; none: never.
    pub(super) before_removal: Option<SignedDuration>,
    loud: Option<Timestamp>,
    /// Removals due until then were told.
    told_until: Option<Timestamp>,
}

impl Default for News {
    fn default() -> Self {
        Self::of(&Target::sandbox())
    }
}

impl News {
    pub(super) fn of(target: &Target) -> Self {
        Self {
            target: target.clone(),
            before_removal: Some(SignedDuration::from_mins(1)),
            loud: None,
            told_until: None,
        }
    }

    fn tell(&mut self, occasion: Occasion, turn: &mut Turn) {
        let loud = self
            .loud
            .is_none_or(|last| turn.now.duration_since(last) >= APART);
        if loud {
            self.loud = Some(turn.now);
        }
        turn.effects.push(Effect::Announce {
            occasion: Box::new(occasion),
            loud,
        });
    }
}

impl Slice {
    /// How many seconds before a removal somebody is told; none: never.
    pub fn warn_before_removal(&mut self, seconds: Option<u32>) {
        self.news.before_removal = seconds.map(|s| SignedDuration::from_secs(s.into()));
    }

    /// A run got its verdict.
    pub(super) fn ended(&mut self, id: &RunId, turn: &mut Turn) {
        let run = self.all.find(id);
        let occasion = run.and_then(|run| Occasion::ended(run, &self.news.target, turn.now));
        if let Some(occasion) = occasion {
            self.news.tell(occasion, turn);
        }
    }

    /// Time passed: what will be removed soon is told once.
    pub(super) fn expiring(&mut self, turn: &mut Turn) {
        let Some(until) = self
            .news
            .before_removal
            .and_then(|before| turn.now.checked_add(before).ok())
        else {
            return;
        };
        // What was soon to go when the session began was seen in the list.
        let from = self.news.told_until.replace(until).unwrap_or(until);
        let occasions: Vec<Occasion> = self
            .all
            .due_between(from, until)
            .map(|run| Occasion::expiring(run, &self.news.target, turn.now))
            .collect();
        for occasion in occasions {
            self.news.tell(occasion, turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runs::{Phase, Run, Ttl};
    use crate::domain::verdict::Verdict;

    #[test]
    fn a_removal_is_told_once_and_a_storm_is_told_once() {
        let start: Timestamp = "2026-11-24T14:00:00Z".parse().unwrap();
        let mut slice = Slice::default();
        let runs = (0..3)
            .map(|n| {
                let mut run = Run::new(RunId(format!("u{n}")), "j", "", start);
                run.marks.accepted = Some(start);
                run.phase = Phase::Retained;
                run.verdict = Verdict::Success;
                run.finished_at = Some(start);
                run.ttl = Some(Ttl(120));
                run
            })
            .collect();
        let _ = slice.all.restore(runs, start);
        let mut told = Vec::new();
        for second in 0..130 {
            let mut turn = Turn::new(start + SignedDuration::from_secs(second));
            slice.expiring(&mut turn);
            for effect in turn.effects {
                if let Effect::Announce { occasion, loud } = effect {
                    told.push((second, loud, occasion.line));
                }
            }
        }
        let when: Vec<(i64, bool)> = told.iter().map(|(at, loud, _)| (*at, *loud)).collect();
        assert_eq!(when, [(60, true), (60, false), (60, false)], "{told:?}");
    }
}
