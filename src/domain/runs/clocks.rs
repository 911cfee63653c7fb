//! The three clocks of a run (contract 6.1): dispatch, execution, collection. Each has a beginning of its own.

use super::Run;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// A clock that runs, or ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    pub from: Timestamp,
    /// Absent while it runs.
    pub to: Option<Timestamp>,
}

impl Span {
    /// How long it ran, or has run until `now`.
    pub fn took(self, now: Timestamp) -> SignedDuration {
        let took = self.to.unwrap_or(now).duration_since(self.from);
        took.max(SignedDuration::ZERO)
    }
}

/// The clocks that have begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Clocks {
    /// Job accepted until its container runs or the start marker is there, whichever is seen first. It ends with the run at the
    /// latest, and never stops one whose container runs (W1).
    pub dispatch: Option<Span>,
    /// Start marker, else container running, until the container ended. Waiting for a node or an image is not in it (W2).
    pub execution: Option<Span>,
    /// Job finished until its log is whole.
    pub collection: Option<Span>,
}

impl Run {
    /// From the Job's acceptance to the start marker, if both are known. Its creation is told by the second only, so that what
    /// was seen of it goes first.
    pub fn to_marker(&self) -> Option<SignedDuration> {
        let accepted = self.marks.accepted.unwrap_or(self.created);
        let took = self.marker_at?.duration_since(accepted);
        Some(took.max(SignedDuration::ZERO))
    }

    /// The clocks as far as they are known.
    pub fn clocks(&self) -> Clocks {
        let marks = &self.marks;
        let gone = self.removal.map(|removal| removal.at);
        let over = self.finished_at.or(gone);
        let started = [marks.started, self.marker_at].into_iter().flatten().min();
        let span = |from: Option<Timestamp>, to: Option<Timestamp>| {
            from.map(|from| Span {
                from,
                to: to.map(|to| to.max(from)),
            })
        };
        Clocks {
            dispatch: span(marks.accepted, started.or(over)),
            execution: span(self.marker_at.or(marks.started), marks.ended.or(over)),
            collection: span(self.finished_at, marks.collected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runs::RunId;

    #[test]
    fn the_marker_is_counted_from_what_was_seen_of_the_job() {
        let at = |millis: i64| Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap();
        let mut run = Run::new(RunId("a".into()), "job", "llmctl", at(0));
        assert_eq!(run.to_marker(), None);
        run.marker_at = Some(at(1_050));
        assert_eq!(run.to_marker(), Some(SignedDuration::from_millis(1_050)));
        run.marks.accepted = Some(at(950));
        assert_eq!(run.to_marker(), Some(SignedDuration::from_millis(100)));
    }
}
