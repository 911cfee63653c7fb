//! Whether a run is one that there was already (contract 2.8), asked before anything is created (W13, W14).

use super::{Run, Runs};
use crate::domain::manifest::RunPlan;
use crate::domain::verdict::Verdict;
use jiff::{SignedDuration, Timestamp};

/// So long after a run was last seen its key (execution and dispatch id) is taken.
const TAKEN: SignedDuration = SignedDuration::from_hours(24);

impl Runs {
    /// The run that has the key of `plan`: its Job is in the cluster under that name, or was there in the last 24 hours, or may be
    /// there because nobody knows whether it was created.
    pub fn duplicate(&self, plan: &RunPlan, now: Timestamp) -> Option<&Run> {
        self.iter().find(|run| {
            let same = run.job == plan.job_name && run.namespace == plan.namespace;
            let dispatched = run.verdict != Verdict::NotDispatched;
            let last = run.removal.map_or(now, |removal| removal.at);
            same && dispatched && now.duration_since(last) < TAKEN
        })
    }
}

impl Run {
    /// Why it must not be dispatched once more, to be followed by what to do instead.
    pub fn known_already(&self) -> String {
        let state = match (self.removal, self.finished_at) {
            (Some(_), _) => "is gone from the cluster, and what it did is done",
            (None, None) => "has not ended",
            (None, Some(_)) => "has ended, and its Job is still there",
        };
        format!(
            "run {} was this very request (Job {}): it {state}",
            self.label(),
            self.job
        )
    }
}
