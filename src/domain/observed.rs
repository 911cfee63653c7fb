//! What a cluster showed, as plain facts: the edge converts Kubernetes objects to these, the reducer of [`super::runs`] reads them.

use super::runs::Ttl;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// One fact from a watch or a list of the executor's namespace.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Part of a full list of executor Jobs that is still being read: these exist, nothing is said of others.
    JobsPage(Vec<JobSeen>),
    /// A full list of executor Jobs ended. It holds the UID of every Job of its pages: a Job that is absent is gone (a watch may lose deletes).
    JobsListed(BTreeSet<String>),
    Job(Box<JobSeen>),
    /// A delete event; the last state is carried, as it holds the deletion time.
    JobGone(Box<JobSeen>),
    /// Part of a full list of executor pods that is still being read.
    PodsPage(Vec<PodSeen>),
    /// A full list of executor pods ended: the UIDs of all its pods.
    PodsListed(BTreeSet<String>),
    Pod(Box<PodSeen>),
    PodGone(Box<PodSeen>),
    Event(Box<EventSeen>),
}

/// The end of a Job as its `Complete` or `Failed` condition tells it; never `SuccessCriteriaMet` or `FailureTarget`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFinish {
    /// `completionTime`, or the `lastTransitionTime` of the true `Failed` condition.
    pub at: Timestamp,
    pub complete: bool,
    pub reason: String,
    pub message: String,
}

/// A Job with label `llmctl.executor`: `true`, or `kept` when a person keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSeen {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub finish: Option<JobFinish>,
    /// `SuccessCriteriaMet` or `FailureTarget` is true, the final condition is not there yet.
    pub finishing: bool,
    pub suspended: bool,
    pub active: u32,
    /// Pods that ended and were counted.
    pub ended: u32,
    pub ttl: Option<Ttl>,
    /// `spec.activeDeadlineSeconds` of the Job, in seconds.
    pub deadline: Option<u64>,
    /// `metadata.deletionTimestamp`.
    pub deleting: Option<Timestamp>,
    /// Image of the container `executor`.
    pub image: String,
}

/// State of the container `executor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerState {
    Waiting {
        reason: String,
        message: String,
    },
    Running {
        since: Timestamp,
    },
    Terminated {
        started: Option<Timestamp>,
        finished: Option<Timestamp>,
        exit: i32,
        signal: Option<i32>,
        reason: String,
        message: String,
    },
}

/// The container `executor` of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerSeen {
    /// `containerd://…`; empty until the runtime made it. Log streams are keyed by it.
    pub id: String,
    pub image: String,
    /// Image digest as the runtime resolved it; empty until then.
    pub image_id: String,
    pub restarts: u32,
    pub state: ContainerState,
}

/// The condition `PodScheduled`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduling {
    pub done: bool,
    pub at: Option<Timestamp>,
    pub reason: String,
    pub message: String,
}

/// A pod of an executor Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSeen {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    /// Label `job-name`.
    pub job: String,
    /// UID of the Job that controls it (owner reference, else label `controller-uid`); empty when unknown. It tells two Jobs of one name apart.
    pub job_uid: String,
    pub created: Timestamp,
    /// `status.startTime`; of several pods of a Job the one with the latest counts.
    pub started: Option<Timestamp>,
    pub node: String,
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
    pub phase: String,
    /// Pod-level reason: `Evicted`, `DeadlineExceeded`, `NodeLost`…
    pub reason: String,
    pub message: String,
    pub scheduling: Option<Scheduling>,
    /// The condition `Ready`; absent until the kubelet wrote it.
    pub ready: Option<bool>,
    pub container: Option<ContainerSeen>,
    pub deleting: Option<Timestamp>,
}

/// A Kubernetes Event about a Job or pod of the namespace.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EventSeen {
    pub uid: String,
    /// Kind of the involved object: `Job` or `Pod`.
    pub kind: String,
    /// Name of the involved object.
    pub name: String,
    /// UID of the involved object; empty when the event does not say.
    pub object_uid: String,
    /// `Normal` or `Warning`.
    pub level: String,
    pub reason: String,
    pub message: String,
    pub source: String,
    pub count: u32,
    pub first: Timestamp,
    pub last: Timestamp,
}

impl EventSeen {
    /// The order in which events are told: by the second, within a second by what causes what, then by the fraction. Most events have
    /// whole seconds and some have fractions, so that the times alone put a pod's scheduling behind the pull that followed it.
    pub fn order(&self) -> (i64, u8, Timestamp) {
        (self.last.as_second(), self.place(), self.last)
    }

    /// Where in the life of a Job and its pod it stands.
    fn place(&self) -> u8 {
        match self.reason.as_str() {
            "SuccessfulCreate" | "FailedCreate" | "Suspended" | "Resumed" => 0,
            "FailedScheduling" | "Preempting" => 1,
            "Scheduled" => 2,
            "SuccessfulAttachVolume"
            | "FailedAttachVolume"
            | "FailedMount"
            | "FailedCreatePodSandBox"
            | "NetworkNotReady" => 3,
            "Pulling" => 4,
            "ErrImageNeverPull" | "InspectFailed" => 5,
            "Failed" if self.message.to_ascii_lowercase().contains("pull") => 5,
            "BackOff" => 6,
            "Pulled" => 7,
            "Created" => 8,
            "Started" => 9,
            "Evicted" | "Preempted" | "NodeNotReady" | "TaintManagerEviction" => 11,
            "Killing" => 12,
            "DeadlineExceeded" if self.kind == "Pod" => 12,
            "SuccessfulDelete" => 13,
            "Completed" | "BackoffLimitExceeded" | "DeadlineExceeded" => 14,
            _ => 10,
        }
    }
}

#[cfg(test)]
pub(crate) mod from_json;

#[cfg(test)]
mod tests {
    use super::*;

    fn event(reason: &str, at: &str) -> EventSeen {
        EventSeen {
            uid: reason.into(),
            kind: if reason.starts_with("Successful") {
                "Job"
            } else {
                "Pod"
            }
            .into(),
            name: "x".into(),
            object_uid: String::new(),
            level: "Normal".into(),
            reason: reason.into(),
            message: String::new(),
            source: String::new(),
            count: 1,
            first: at.parse().unwrap(),
            last: at.parse().unwrap(),
        }
    }

    #[test]
    fn within_a_second_the_cause_comes_before_what_it_causes() {
        let mut events = [
            event("Started", "2026-11-24T12:00:01Z"),
            event("Pulling", "2026-11-24T12:00:00Z"),
            event("Killing", "2026-11-24T12:00:05Z"),
            event("Created", "2026-11-24T12:00:01Z"),
            event("Scheduled", "2026-11-24T12:00:00.734Z"),
            event("Pulled", "2026-11-24T12:00:01Z"),
            event("SuccessfulCreate", "2026-11-24T12:00:00Z"),
            event("Other", "2026-11-24T12:00:05Z"),
        ];
        events.sort_by_key(EventSeen::order);
        let told: Vec<&str> = events.iter().map(|event| event.reason.as_str()).collect();
        assert_eq!(
            told,
            [
                "SuccessfulCreate",
                "Scheduled",
                "Pulling",
                "Pulled",
                "Created",
                "Started",
                "Other",
                "Killing"
            ]
        );
    }
}
