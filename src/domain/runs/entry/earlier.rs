//! What an earlier session, or the dispatch, knew of a run and the cluster does not tell.

use super::Entry;
use crate::domain::runs::{Marks, Run};

impl Entry {
    /// Adds what an earlier session knew and the cluster does not tell.
    pub(in crate::domain::runs) fn merge(&mut self, earlier: Run) {
        let run = &mut self.run;
        run.revision = run.revision.max(earlier.revision);
        run.executor = run.executor.take().or(earlier.executor);
        run.marker_at = run.marker_at.or(earlier.marker_at);
        run.malformed = run.malformed.take().or(earlier.malformed);
        run.cancel_asked = run.cancel_asked.or(earlier.cancel_asked);
        run.gave_up = run.gave_up.or(earlier.gave_up);
        run.remove_asked = run.remove_asked.or(earlier.remove_asked);
        run.refusal = run.refusal.take().or(earlier.refusal);
        run.sample = run.sample.take().or(earlier.sample);
        if run.pod.is_none() {
            run.pod = earlier.pod;
        }
        if self.followed.is_none() {
            run.log = earlier.log;
        }
        fill(&mut run.marks, &earlier.marks);
        for event in earlier.events {
            if !run.events.iter().any(|known| known.uid == event.uid) {
                run.events.push(event);
            }
        }
        run.events.sort_by_key(|event| event.last);
    }
}

fn fill(marks: &mut Marks, earlier: &Marks) {
    for (slot, known) in [
        (&mut marks.scheduled, earlier.scheduled),
        (&mut marks.pulling, earlier.pulling),
        (&mut marks.pulled, earlier.pulled),
        (&mut marks.started, earlier.started),
        (&mut marks.ended, earlier.ended),
    ] {
        *slot = slot.or(known);
    }
}
