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

#[cfg(test)]
pub(crate) mod from_json;
