//! What a pod tells of a run: its facts, and the moments they mark.

use super::{Contact, Marks, PodFacts, Ran, Reason};
use crate::domain::observed::{ContainerState, PodSeen};
use crate::domain::verdict::is_telling;
use jiff::{SignedDuration, Timestamp};

/// A moment that is told within this time was watched as it happened.
const SOON: SignedDuration = SignedDuration::from_secs(2);

/// The last that is meant by a time in whole seconds.
const LATEST: SignedDuration = SignedDuration::from_millis(999);

/// Sets a mark to the cluster's time, which has whole seconds. When it is watched as it happens, our clock is nearer.
pub(super) fn mark(slot: &mut Option<Timestamp>, at: Timestamp, now: Timestamp) {
    let second = |t: Timestamp| t.as_second();
    if slot.is_some_and(|known| second(known) == second(at) && at.subsec_nanosecond() == 0) {
        return;
    }
    let since = now.duration_since(at);
    let soon = at.subsec_nanosecond() == 0 && !since.is_negative() && since < SOON;
    // It was somewhere in that second, and was seen soon after: the end of the second is nearer than its beginning.
    let last = at.checked_add(LATEST).unwrap_or(at);
    *slot = Some(if soon { now.min(last) } else { at });
}

pub(super) fn pod_facts(
    pod: &PodSeen,
    before: PodFacts,
    marks: &mut Marks,
    now: Timestamp,
) -> PodFacts {
    if let Some(at) = pod
        .scheduling
        .as_ref()
        .filter(|s| s.done)
        .and_then(|s| s.at)
    {
        mark(&mut marks.scheduled, at, now);
    }
    let mut facts = PodFacts {
        name: pod.name.clone(),
        uid: pod.uid.clone(),
        node: pod.node.clone(),
        gone: false,
        contact: contact(pod),
        ..before
    };
    facts.over = matches!(pod.phase.as_str(), "Succeeded" | "Failed");
    facts.reason = Reason::new(&pod.reason, &pod.message);
    // Without a container status: not made yet, or forgotten by an eviction.
    let mut ran = if pod.phase == "Pending" {
        Ran::No
    } else {
        Ran::Unknown
    };
    if let Some(scheduling) = pod.scheduling.as_ref().filter(|s| !s.done) {
        ran = Ran::No;
        if facts.reason.is_empty() {
            facts.reason = Reason::new(&scheduling.reason, &scheduling.message);
        }
    }
    if let Some(container) = &pod.container {
        if !container.id.is_empty() {
            facts.container_id.clone_from(&container.id);
        }
        facts.image.clone_from(&container.image);
        facts.image_id.clone_from(&container.image_id);
        let (word, message) = match &container.state {
            ContainerState::Waiting { reason, message } => {
                ran = Ran::No;
                (reason, message)
            }
            ContainerState::Running { since } => {
                ran = Ran::Yes;
                mark(&mut marks.started, *since, now);
                (&pod.reason, &pod.message)
            }
            ContainerState::Terminated {
                started,
                finished,
                exit,
                signal,
                reason,
                message,
            } => {
                ran = match reason.as_str() {
                    "StartError" | "ContainerCannotRun" | "CreateContainerError" => Ran::No,
                    // It says nothing itself: what was seen before stands.
                    "ContainerStatusUnknown" => facts.ran,
                    _ => Ran::Yes,
                };
                if ran == Ran::Yes {
                    if let Some(at) = started {
                        mark(&mut marks.started, *at, now);
                    }
                    if let Some(at) = finished {
                        mark(&mut marks.ended, *at, now);
                    }
                }
                facts.exit = Some(*exit);
                facts.signal = *signal;
                (reason, message)
            }
        };
        if facts.reason.is_empty() {
            facts.reason = Reason::new(word, message);
        }
    }
    // Work that was done stays done, whatever a later status forgets.
    facts.ran = if facts.ran == Ran::Yes { Ran::Yes } else { ran };
    if facts.ran == Ran::No && facts.exit.is_none() && is_telling(&facts.reason.word) {
        facts.waited = facts.reason.clone();
    }
    facts
}

/// A container without a probe is ready for as long as it runs: only the node controller takes that back.
fn contact(pod: &PodSeen) -> Contact {
    let runs = pod
        .container
        .as_ref()
        .is_some_and(|container| matches!(container.state, ContainerState::Running { .. }));
    if pod.started.is_none() {
        Contact::Awaited
    } else if runs && pod.ready == Some(false) && pod.deleting.is_none() {
        Contact::Lost
    } else {
        Contact::Made
    }
}

impl PodFacts {
    /// The pod left the cluster. Only its node knows whether a container began after the last word of it (contract 2.7).
    pub(super) fn leave(&mut self) {
        self.gone = true;
        let bound = !self.node.is_empty() && !self.over;
        if bound && self.ran == Ran::No && self.waited.is_empty() {
            self.ran = Ran::Unknown;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_second_is_read_by_when_it_was_seen() {
        let at = |text: &str| -> Timestamp { format!("2026-11-24T11:25:{text}Z").parse().unwrap() };
        for (told, seen, read) in [
            ("33", "33.168", "33.168"),
            ("33", "34.06", "33.999"),
            ("33", "35.2", "33"),
            ("33", "32.9", "33"),
            ("33.065205", "34", "33.065205"),
        ] {
            let mut slot = None;
            mark(&mut slot, at(told), at(seen));
            assert_eq!(slot, Some(at(read)), "{told} seen at {seen}");
            mark(&mut slot, at(told), at("50"));
            assert_eq!(slot, Some(at(read)), "told again");
        }
    }
}
