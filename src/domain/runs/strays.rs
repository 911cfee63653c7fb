//! Facts that came before the run they belong to: watches of Jobs, pods and events are not in step.

use crate::domain::observed::{EventSeen, PodSeen};
use std::collections::{HashMap, VecDeque};

/// Most events kept for objects that nobody knows; most of them belong to things that are no runs.
const EVENTS_MAX: usize = 2000;

/// Pods and events without a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Strays {
    /// By the name of the Job.
    pods: HashMap<String, Vec<PodSeen>>,
    /// By the name of the object.
    events: HashMap<String, Vec<EventSeen>>,
    /// Names of objects by arrival of their events.
    arrived: VecDeque<String>,
}

impl Strays {
    /// Keeps a pod, in place of what was known of it.
    pub(super) fn pod(&mut self, pod: PodSeen) {
        let pods = self.pods.entry(pod.job.clone()).or_default();
        pods.retain(|other| other.uid != pod.uid);
        pods.push(pod);
    }

    /// Forgets a pod.
    pub(super) fn pod_gone(&mut self, pod: &PodSeen) {
        if let Some(pods) = self.pods.get_mut(&pod.job) {
            pods.retain(|other| other.uid != pod.uid);
            if pods.is_empty() {
                self.pods.remove(&pod.job);
            }
        }
    }

    /// Forgets the pods that `exists` does not know.
    pub(super) fn retain_pods(&mut self, exists: impl Fn(&str) -> bool) {
        self.pods.retain(|_, pods| {
            pods.retain(|pod| exists(&pod.uid));
            !pods.is_empty()
        });
    }

    /// The pods of a Job, which has come.
    pub(super) fn take_pods(&mut self, job: &str, uid: &str) -> Vec<PodSeen> {
        let Some(mut pods) = self.pods.remove(job) else {
            return Vec::new();
        };
        let others: Vec<PodSeen> = pods
            .extract_if(.., |pod| !pod.job_uid.is_empty() && pod.job_uid != uid)
            .collect();
        if !others.is_empty() {
            self.pods.insert(job.to_owned(), others);
        }
        pods
    }

    /// Keeps an event; the oldest go when there are too many.
    pub(super) fn event(&mut self, event: EventSeen) {
        self.arrived.push_back(event.name.clone());
        self.events
            .entry(event.name.clone())
            .or_default()
            .push(event);
        while self.arrived.len() > EVENTS_MAX {
            let Some(name) = self.arrived.pop_front() else {
                break;
            };
            if let Some(events) = self.events.get_mut(&name) {
                events.remove(0);
                if events.is_empty() {
                    self.events.remove(&name);
                }
            }
        }
    }

    /// The events of an object, which has come.
    pub(super) fn take_events(&mut self, name: &str) -> Vec<EventSeen> {
        if self.events.is_empty() {
            return Vec::new();
        }
        let events = self.events.remove(name).unwrap_or_default();
        if !events.is_empty() {
            self.arrived.retain(|other| other != name);
        }
        events
    }
}
