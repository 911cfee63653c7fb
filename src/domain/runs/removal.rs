//! Who removed a Job: the TTL controller on time, this tool's user, or somebody else.

use super::Run;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Who removed a Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovedBy {
    /// The TTL controller, when it was due.
    Ttl,
    /// This program, because its user asked for it.
    You,
    /// Somebody or something else, before it was due.
    SomeoneElse,
    /// It went while nobody here watched and before it was due, or with no TTL at all.
    Unobserved,
}

/// The end of a Job in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Removal {
    pub at: Timestamp,
    pub by: RemovedBy,
}

/// How much earlier than due a deletion may be and still be the TTL controller's: its clock and ours are not one.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// The removal of `run`, whose Job went at `now` with `deleting` as its deletion time if it had one.
///
/// `watched`: the delete event itself was seen. Else the Job was absent from a full list, and what happened meanwhile is known only
/// when its TTL was over.
pub(super) fn removal(
    run: &Run,
    deleting: Option<Timestamp>,
    now: Timestamp,
    watched: bool,
) -> Removal {
    let decided = deleting.unwrap_or(now);
    let due = run.expires_at();
    let asked = run.remove_asked.is_some()
        || run.cancel_asked.is_some()
            && run
                .finished_at
                .is_none_or(|finished| deleting.is_some_and(|at| at <= finished));
    let by = if due.is_some_and(|due| decided >= due - TOLERANCE) {
        RemovedBy::Ttl
    } else if asked {
        RemovedBy::You
    } else if watched || deleting.is_some() {
        RemovedBy::SomeoneElse
    } else {
        RemovedBy::Unobserved
    };
    let at = match (by, due) {
        // Nobody saw it go, and it was due: that is the best that is known.
        (RemovedBy::Ttl, Some(due)) if !watched => due.min(now),
        _ => now,
    };
    Removal { at, by }
}

impl Run {
    /// Takes over what another program recorded of the same run and only that program can know: that its user asked for the end.
    pub fn adopt_asks(&mut self, other: &Self) {
        self.cancel_asked = self.cancel_asked.or(other.cancel_asked);
        self.remove_asked = self.remove_asked.or(other.remove_asked);
        if let (Some(ours), Some(theirs)) = (&mut self.removal, other.removal)
            && theirs.by == RemovedBy::You
        {
            ours.by = RemovedBy::You;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runs::{RunId, Ttl};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// Finished at 10 with a TTL of 60: due at 70.
    fn finished() -> Run {
        let mut run = Run::new(RunId("u".into()), "j", "n", at(0));
        run.ttl = Some(Ttl(60));
        run.finished_at = Some(at(10));
        run
    }

    type Change = fn(&mut Run);

    #[test]
    fn who_did_it_follows_from_when_and_from_what_was_asked() {
        let none: Change = |_| {};
        let running: Change = |run| run.finished_at = None;
        let remove: Change = |run| run.remove_asked = Some(at(20));
        let cancelled: Change = |run| run.cancel_asked = Some(at(5));
        let cancelled_running: Change = |run| {
            run.cancel_asked = Some(at(5));
            run.finished_at = None;
        };
        let no_ttl: Change = |run| run.ttl = None;
        let cases = [
            // deletion time, gone at, watched, change, expected
            (Some(70), 71, true, none, (RemovedBy::Ttl, 71)),
            (Some(68), 71, true, none, (RemovedBy::Ttl, 71)),
            (Some(67), 71, true, none, (RemovedBy::SomeoneElse, 71)),
            (None, 30, true, none, (RemovedBy::SomeoneElse, 30)),
            (None, 90, true, none, (RemovedBy::Ttl, 90)),
            (None, 90, false, none, (RemovedBy::Ttl, 70)),
            (None, 30, false, none, (RemovedBy::Unobserved, 30)),
            (Some(25), 30, false, none, (RemovedBy::SomeoneElse, 30)),
            (None, 30, false, running, (RemovedBy::Unobserved, 30)),
            (None, 30, true, running, (RemovedBy::SomeoneElse, 30)),
            (Some(21), 22, true, remove, (RemovedBy::You, 22)),
            (Some(70), 71, true, remove, (RemovedBy::Ttl, 71)),
            (Some(21), 22, true, cancelled, (RemovedBy::SomeoneElse, 22)),
            (Some(6), 22, true, cancelled, (RemovedBy::You, 22)),
            (None, 6, true, cancelled_running, (RemovedBy::You, 6)),
            (None, 9000, false, no_ttl, (RemovedBy::Unobserved, 9000)),
        ];
        for (n, (deleting, now, watched, change, (by, gone))) in cases.into_iter().enumerate() {
            let mut run = finished();
            change(&mut run);
            let found = removal(&run, deleting.map(at), at(now), watched);
            assert_eq!(found, Removal { at: at(gone), by }, "case {n}");
        }
    }
}
