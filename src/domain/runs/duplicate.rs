//! Whether a run is one that there was already (contract 2.8), asked before anything is created (W13, W14).

use super::{Run, Runs};
use crate::domain::identity;
use crate::domain::manifest::RunPlan;
use crate::domain::manifest::asked::pass_of;
use crate::domain::payload::NodeRequest;
use crate::domain::verdict::Verdict;
use jiff::{SignedDuration, Timestamp};

/// So long after a run was last seen its key (execution and dispatch id) is taken.
const TAKEN: SignedDuration = SignedDuration::from_hours(24);

impl Runs {
    /// The run that has the key of `plan`: its Job is in the cluster under that name, or was there in the last 24 hours, or may be
    /// there because nobody knows whether it was created.
    pub fn duplicate(&self, plan: &RunPlan, now: Timestamp) -> Option<&Run> {
        self.holder(&plan.job_name, &plan.namespace, now)
    }

    /// The pass through its node as which `request` is to be asked once more: the first behind the one that `run` was whose Job no known
    /// run has.
    pub fn next_pass(&self, request: &NodeRequest, run: &Run, now: Timestamp) -> u64 {
        let own = pass_of(request, &run.job).unwrap_or(0);
        let mut next = NodeRequest {
            execution_index: own + 1,
            ..request.clone()
        };
        while self
            .holder(&identity::job_name(&next), &run.namespace, now)
            .is_some()
        {
            next.execution_index += 1;
        }
        next.execution_index
    }

    fn holder(&self, job: &str, namespace: &str, now: Timestamp) -> Option<&Run> {
        self.iter().find(|run| {
            let same = run.job == job && run.namespace == namespace;
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
