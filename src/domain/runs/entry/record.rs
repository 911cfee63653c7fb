//! What changed of a run, and whether that is worth a record on disk.

use super::{Change, Entry, State};
use crate::domain::runs::{Phase, Ran};
use std::hash::{DefaultHasher, Hash, Hasher};

impl Entry {
    /// Compares with what was last recorded.
    pub(super) fn changed(&mut self, (verdict, phase): State) -> Change {
        let fingerprint = self.fingerprint();
        let record = fingerprint != self.recorded && self.is_worth_a_record();
        self.recorded = fingerprint;
        self.run.revision += u64::from(record);
        Change {
            follow: None,
            record,
            ended: self.run.verdict != verdict && self.run.verdict.is_final(),
            removed: self.run.phase != phase && self.run.phase == Phase::Removed,
        }
    }

    /// A Job of others that has not run yet holds nothing that could be lost; a namespace may be full of them.
    fn is_worth_a_record(&self) -> bool {
        let run = &self.run;
        let ran = run.pod.as_ref().is_some_and(|pod| pod.ran != Ran::No);
        run.phase != Phase::Dispatching && (run.ours || ran || run.verdict.is_final())
    }

    /// Two equal fingerprints: the record on disk is up to date. The log's lines are not part of it, only whether it is over.
    pub(super) fn fingerprint(&self) -> u64 {
        let run = &self.run;
        let mut hasher = DefaultHasher::new();
        (
            run.phase,
            run.verdict,
            run.uncertain,
            run.dispatch,
            run.kubernetes,
        )
            .hash(&mut hasher);
        (
            run.marks,
            run.finished_at,
            (run.ttl, run.kept),
            run.removal,
            run.marker_at,
        )
            .hash(&mut hasher);
        (&run.reason, &run.why, &run.pod, &run.sample, &run.refusal).hash(&mut hasher);
        (run.cancel_asked, run.remove_asked, run.log.is_over()).hash(&mut hasher);
        (run.gave_up, run.pods_ended).hash(&mut hasher);
        (
            run.executor.is_some(),
            &run.malformed,
            &run.log.summary().container_id,
        )
            .hash(&mut hasher);
        for event in &run.events {
            (&event.uid, event.count, event.last).hash(&mut hasher);
        }
        hasher.finish()
    }
}
