//! Which events of a namespace belong to executor Jobs: one events watch cannot be selected by several names, so it is sieved here.

use crate::domain::observed::EventSeen;
use std::collections::{BTreeSet, VecDeque};

/// Events of Jobs that are not known yet, kept until they are: events may come before the object they are about.
const WAITING: usize = 1024;

/// Length at which Kubernetes cuts the stem of a generated name, and the length of the letters that it appends.
const STEM: usize = 58;
const LETTERS: usize = 5;

/// Knows the executor Jobs and lets their events and those of their pods through.
#[derive(Default)]
pub(super) struct Sieve {
    jobs: BTreeSet<String>,
    /// What the names of their pods begin with.
    stems: BTreeSet<String>,
    waiting: VecDeque<EventSeen>,
}

impl Sieve {
    /// A Job is an executor's; gives the events that waited for it.
    pub(super) fn know(&mut self, job: &str) -> Vec<EventSeen> {
        if !self.jobs.insert(job.to_owned()) {
            return Vec::new();
        }
        self.stems.insert(stem_of_pods(job));
        let (known, still) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|event| self.is_known(event));
        self.waiting = still;
        Vec::from(known)
    }

    /// Gives the event back when it is about a known Job or its pod, and keeps it for later otherwise.
    pub(super) fn pass(&mut self, event: EventSeen) -> Option<EventSeen> {
        if self.is_known(&event) {
            return Some(event);
        }
        self.waiting.retain(|old| old.uid != event.uid);
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(event);
        None
    }

    fn is_known(&self, event: &EventSeen) -> bool {
        if event.kind == "Job" {
            return self.jobs.contains(&event.name);
        }
        let stem = event
            .name
            .len()
            .checked_sub(LETTERS)
            .and_then(|end| event.name.get(..end));
        stem.is_some_and(|stem| self.stems.contains(stem))
    }
}

fn stem_of_pods(job: &str) -> String {
    job.chars().chain(['-']).take(STEM).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn event(uid: &str, kind: &str, name: &str) -> EventSeen {
        EventSeen {
            uid: uid.into(),
            kind: kind.into(),
            name: name.into(),
            object_uid: String::new(),
            level: "Normal".into(),
            reason: "Started".into(),
            message: String::new(),
            source: "kubelet".into(),
            count: 1,
            first: Timestamp::UNIX_EPOCH,
            last: Timestamp::UNIX_EPOCH,
        }
    }

    fn uids(events: &[EventSeen]) -> Vec<&str> {
        events.iter().map(|e| e.uid.as_str()).collect()
    }

    #[test]
    fn events_of_known_jobs_and_their_pods_pass() {
        let mut sieve = Sieve::default();
        assert!(sieve.know("llmctl-exec-1").is_empty());
        assert!(sieve.pass(event("a", "Job", "llmctl-exec-1")).is_some());
        assert!(
            sieve
                .pass(event("b", "Pod", "llmctl-exec-1-x7k2p"))
                .is_some()
        );
        assert!(sieve.pass(event("c", "Job", "llmctl-exec-11")).is_none());
        assert!(
            sieve
                .pass(event("d", "Pod", "llmctl-exec-11-x7k2p"))
                .is_none()
        );
        assert!(sieve.pass(event("e", "Pod", "plain")).is_none());
    }

    #[test]
    fn early_events_wait_for_their_job() {
        let mut sieve = Sieve::default();
        for (uid, kind, name) in [
            ("a", "Job", "j"),
            ("b", "Pod", "j-x7k2p"),
            ("c", "Pod", "k-x7k2p"),
            ("a", "Job", "j"),
        ] {
            assert!(sieve.pass(event(uid, kind, name)).is_none());
        }
        assert_eq!(uids(&sieve.know("j")), ["b", "a"]);
        assert!(sieve.know("j").is_empty());
        assert_eq!(uids(&sieve.know("k")), ["c"]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut sieve = Sieve::default();
        for n in 0..WAITING + 10 {
            assert!(sieve.pass(event(&n.to_string(), "Job", "j")).is_none());
        }
        assert_eq!(sieve.know("j").len(), WAITING);
    }

    #[test]
    fn pods_of_a_job_with_a_long_name_are_its_own() {
        let job = format!("llmctl-exec-{}", "9".repeat(51));
        assert_eq!(job.len(), 63);
        let mut sieve = Sieve::default();
        sieve.know(&job);
        assert!(
            sieve
                .pass(event("a", "Pod", &format!("{}x7k2p", &job[..58])))
                .is_some()
        );
        assert!(
            sieve
                .pass(event("b", "Pod", &format!("{}-x7k2p", &job[..20])))
                .is_none()
        );
    }
}
