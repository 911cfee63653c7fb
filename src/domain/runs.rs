//! A run: one executor Job from dispatch through its verdict to TTL clean-up, and the reducer that follows it.

pub mod document;
pub mod lifecycle;
pub mod timeline;

use super::contract::ExecutorResult;
use super::logs::Log;
use super::observed::EventSeen;
use super::verdict::{Kubernetes, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use lifecycle::Runs;

/// Identity of a run: the UID of its Job, or `dispatch-<n>` before the API server accepted it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(pub String);

/// Time to live of a finished Job in seconds, 60 to 86400 (contract 3.1 `k8s_job_ttl_seconds`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ttl(pub u32);

impl Ttl {
    pub const MIN: Self = Self(60);
    pub const MAX: Self = Self(86_400);
}

/// Where a run is in its life (contract 6.4). The word in documents is the snake-case name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Asked for, not yet accepted by the API server.
    Dispatching,
    /// Refused or failed before the API server accepted the Job: nothing ran.
    NotDispatched,
    /// Job exists, no pod is scheduled.
    Queued,
    /// A pod is there, its container is not running; the reason is in [`Run::reason`].
    Pending,
    /// Container running, start marker not seen.
    Running,
    /// Start marker seen.
    Started,
    /// Finished, kept until its TTL ends.
    Retained,
    /// `deletionTimestamp` set.
    Deleting,
    /// Gone from the cluster; only our history has it.
    Removed,
}

/// Who removed a Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovedBy {
    /// The TTL controller, when it was due.
    Ttl,
    /// This program, because its user asked for it.
    You,
    /// Somebody or something else, before it was due.
    SomeoneElse,
    /// It went while nobody here watched and before it was due, or with no TTL at all.
    Unobserved,
}

/// The end of a Job in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    pub at: Timestamp,
    pub by: RemovedBy,
}

/// One phase of the time bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Job accepted until a pod is scheduled.
    Queued,
    /// Image being pulled.
    Pulling,
    /// Scheduled (and pulled) until the container runs.
    Starting,
    /// Container running.
    Running,
    /// Container ended until the Job's final condition and the whole log are here.
    Collecting,
    /// Finished until removal is due or done.
    Retained,
}

/// A stretch of time in one step; `to` is absent while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    pub step: Step,
    pub from: Timestamp,
    pub to: Option<Timestamp>,
}

/// Why a run waits or how its container ended, in one word and one sentence; empty when there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Kubernetes' word: `ImagePullBackOff`, `Unschedulable`, `OOMKilled`, `DeadlineExceeded`…
    pub word: String,
    pub message: String,
}

/// The moments of a run's life, as far as they are known.
///
/// Kubernetes keeps whole seconds. A moment that was watched as it happened carries our clock's fraction within that second, so that a
/// run of half a second does not look like none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// A pod was bound to a node.
    pub scheduled: Option<Timestamp>,
    pub pulling: Option<Timestamp>,
    pub pulled: Option<Timestamp>,
    /// The container began to run.
    pub started: Option<Timestamp>,
    /// The container ended.
    pub ended: Option<Timestamp>,
    /// The final condition is there and the log is read, so that the verdict stands.
    pub collected: Option<Timestamp>,
}

/// Facts of the pod that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodFacts {
    pub name: String,
    pub uid: String,
    pub node: String,
    pub container_id: String,
    pub image: String,
    pub image_id: String,
    pub exit: Option<i32>,
    pub signal: Option<i32>,
    /// The container was seen running or ended: work may have been done.
    pub ran: bool,
    /// The pod left the cluster.
    pub gone: bool,
}

/// The dispatch status of contract 2.1 and 2.2, with uncertainty as a fact of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dispatch {
    DispatchPending,
    DispatchSubmitted,
    DispatchConfirmed,
    DispatchFailed,
}

/// A run as panes and documents show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: RunId,
    pub job: String,
    pub namespace: String,
    /// Label `llmctl.flowchart.execution_id`; the number that a list shows.
    pub execution: Option<u64>,
    /// Label `llmctl.flowchart.node_id`.
    pub node_id: Option<u64>,
    /// The sample's name, when this tool started it.
    pub sample: Option<String>,
    /// Made by this tool and not by Studio (label `app.kubernetes.io/managed-by: llmctl-dev`).
    pub ours: bool,
    pub phase: Phase,
    /// Why it waits, or how its container ended: the most telling of what Job, pod and events say.
    pub reason: Reason,
    pub dispatch: Dispatch,
    /// The remote outcome is not known; a fact beside the verdict (contract 2.6, 2.7).
    pub uncertain: bool,
    pub created: Timestamp,
    pub marks: Marks,
    pub timeline: Vec<Stretch>,
    /// When the start marker was written, by the cluster's log clock.
    pub marker_at: Option<Timestamp>,
    /// `completionTime`, or the time of the `Failed` condition; the TTL counts from here.
    pub finished_at: Option<Timestamp>,
    pub ttl: Option<Ttl>,
    pub removal: Option<Removal>,
    pub kubernetes: Kubernetes,
    pub executor: Option<ExecutorResult>,
    pub verdict: Verdict,
    /// One sentence: why this verdict or this state, and what to do.
    pub why: String,
    /// How Kubernetes and the executor contradict each other, in one sentence.
    pub disagreement: Option<String>,
    pub image: String,
    pub pod: Option<PodFacts>,
    pub events: Vec<EventSeen>,
    /// The log with what was read from it. A record on disk has its numbers only; the lines are stored beside it.
    pub log: Log,
    /// This tool's user asked for the end (cancel or remove): what follows is theirs.
    pub cancel_asked: Option<Timestamp>,
}

impl Run {
    /// When the TTL controller will remove it: finish time plus TTL.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let ttl = i64::from(self.ttl?.0);
        self.finished_at?
            .checked_add(jiff::SignedDuration::from_secs(ttl))
            .ok()
    }

    /// The run without the lines of its log: what a record on disk holds.
    pub fn record(&self) -> Self {
        Self {
            id: self.id.clone(),
            job: self.job.clone(),
            namespace: self.namespace.clone(),
            execution: self.execution,
            node_id: self.node_id,
            sample: self.sample.clone(),
            ours: self.ours,
            phase: self.phase.clone(),
            reason: self.reason.clone(),
            dispatch: self.dispatch,
            uncertain: self.uncertain,
            created: self.created,
            marks: self.marks,
            timeline: self.timeline.clone(),
            marker_at: self.marker_at,
            finished_at: self.finished_at,
            ttl: self.ttl,
            removal: self.removal,
            kubernetes: self.kubernetes,
            executor: self.executor.clone(),
            verdict: self.verdict,
            why: self.why.clone(),
            disagreement: self.disagreement.clone(),
            image: self.image.clone(),
            pod: self.pod.clone(),
            events: self.events.clone(),
            log: Log::from(self.log.summary().clone()),
            cancel_asked: self.cancel_asked,
        }
    }
}
