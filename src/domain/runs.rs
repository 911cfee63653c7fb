//! A run: one executor Job from dispatch through its verdict to TTL clean-up, and the reducer that follows it.

pub mod clocks;
pub mod compare;
mod contract;
pub mod document;
mod duplicate;
mod entry;
mod index;
pub mod lifecycle;
mod memory;
mod pod;
mod removal;
mod strays;
pub mod timeline;
pub mod usual;

use super::contract::ExecutorResult;
use super::identity;
use super::logs::Log;
use super::observed::EventSeen;
use super::verdict::{Kubernetes, Verdict};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use lifecycle::Runs;
pub use removal::{Removal, RemovedBy};

/// Identity of a run: the UID of its Job, or `dispatch-<n>` before the API server accepted it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(pub String);

/// Time to live of a finished Job in seconds, 60 to 86400 (contract 3.1 `k8s_job_ttl_seconds`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ttl(pub u32);

impl Ttl {
    pub const MIN: Self = Self(60);
    pub const MAX: Self = Self(86_400);
}

/// Where a run is in its life (contract 6.4). The word in documents is the snake-case name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    /// Kubernetes' word: `ImagePullBackOff`, `Unschedulable`, `OOMKilled`, `DeadlineExceeded`…
    pub word: String,
    pub message: String,
}

impl Reason {
    /// A reason of these words.
    pub fn new(word: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            word: word.into(),
            message: message.into(),
        }
    }

    /// There is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.word.is_empty()
    }
}

/// The moments of a run's life, as far as they are known.
///
/// Kubernetes keeps whole seconds. A moment that was watched as it happened carries our clock's fraction within that second, so that a
/// run of half a second does not look like none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Marks {
    /// The API server accepted the Job: its creation time.
    pub accepted: Option<Timestamp>,
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

/// Whether a container did any work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ran {
    /// It never ran: nothing was done.
    No,
    /// Nobody saw.
    #[default]
    Unknown,
    Yes,
}

/// What is heard of a pod's node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    /// It has not taken the pod up yet (no `status.startTime`); one that is cut off never does.
    Awaited,
    /// It took the pod up.
    #[default]
    Made,
    /// The container runs, and the node controller says that it is not ready: nothing is heard of its node any more.
    Lost,
}

/// Facts of the pod that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PodFacts {
    pub name: String,
    pub uid: String,
    /// Empty until it is scheduled.
    pub node: String,
    pub container_id: String,
    pub image: String,
    pub image_id: String,
    pub exit: Option<i32>,
    pub signal: Option<i32>,
    pub ran: Ran,
    /// What the pod itself gives as its reason now: why it waits, or how it ended.
    pub reason: Reason,
    /// The last telling reason to wait (`ImagePullBackOff`, `Unschedulable`…): the kubelet forgets it when it ends the pod.
    pub waited: Reason,
    /// Its phase is `Succeeded` or `Failed`: its containers will not run any more.
    pub over: bool,
    /// The pod left the cluster.
    pub gone: bool,
    #[serde(default)]
    pub contact: Contact,
}

/// The dispatch status of contract 2.1 and 2.2, with uncertainty as a fact of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Counts the changes that were worth a record: of two records of a session the one with the higher number is the newer.
    pub revision: u64,
    pub job: String,
    pub namespace: String,
    /// Label `llmctl.flowchart.execution_id`; the number that a list shows.
    pub execution: Option<u64>,
    /// Which pass through its node it is, when it is not the first; told by our own Jobs only.
    #[serde(default)]
    pub pass: Option<u64>,
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
    /// Out of reach of Studio's pruner (contract 4.7): only the TTL removes it.
    #[serde(default)]
    pub kept: bool,
    /// The settings that it was made with, by key; absent for runs of Studio.
    #[serde(default)]
    pub settings: Option<serde_json::Map<String, serde_json::Value>>,
    pub removal: Option<Removal>,
    pub kubernetes: Kubernetes,
    /// What the Job's final condition says.
    pub job_reason: Reason,
    /// Pods that ended, as the finished Job counts them.
    #[serde(default)]
    pub pods_ended: Option<u32>,
    pub executor: Option<ExecutorResult>,
    /// What was wrong with a result line that cannot be used.
    pub malformed: Option<String>,
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
    /// This tool's user asked for the end before the Job was finished.
    pub cancel_asked: Option<Timestamp>,
    /// It was given up because its dispatch clock ran out before its container ran.
    #[serde(default)]
    pub gave_up: Option<Timestamp>,
    /// This tool's user asked for the removal of the finished Job.
    pub remove_asked: Option<Timestamp>,
    /// Why it could not be dispatched, in a sentence with the next step.
    pub refusal: Option<String>,
}

impl Run {
    /// A run that is not in the cluster yet, or not at all.
    pub fn new(id: RunId, job: &str, namespace: &str, created: Timestamp) -> Self {
        Self {
            id,
            revision: 0,
            job: job.to_owned(),
            namespace: namespace.to_owned(),
            execution: None,
            pass: None,
            node_id: None,
            sample: None,
            ours: false,
            phase: Phase::Dispatching,
            reason: Reason::default(),
            dispatch: Dispatch::DispatchPending,
            uncertain: false,
            created,
            marks: Marks::default(),
            timeline: Vec::new(),
            marker_at: None,
            finished_at: None,
            ttl: None,
            kept: false,
            settings: None,
            removal: None,
            kubernetes: Kubernetes::Pending,
            job_reason: Reason::default(),
            pods_ended: None,
            executor: None,
            malformed: None,
            verdict: Verdict::Pending,
            why: String::new(),
            disagreement: None,
            image: String::new(),
            pod: None,
            events: Vec::new(),
            log: Log::default(),
            cancel_asked: None,
            gave_up: None,
            remove_asked: None,
            refusal: None,
        }
    }

    /// `kubernetes:<namespace>/<job>` once the API server accepted the Job (contract 2.3).
    pub fn dispatch_id(&self) -> Option<String> {
        let accepted = !matches!(self.phase, Phase::Dispatching | Phase::NotDispatched);
        accepted.then(|| identity::dispatch_id(&self.namespace, &self.job))
    }

    /// The Job finished without a pod ever having been made for it.
    pub fn is_podless(&self) -> bool {
        self.pods_ended == Some(0) && self.pod.is_none()
    }

    /// How long the work took, or has taken until `now`: as the executor measured it, else from the container's start to its end.
    pub fn took(&self, now: Timestamp) -> Option<SignedDuration> {
        let measured = self
            .executor
            .as_ref()
            .and_then(ExecutorResult::duration_seconds);
        if let Some(seconds) = measured {
            return SignedDuration::try_from_secs_f64(seconds).ok();
        }
        let end = self
            .marks
            .ended
            // A pod that was evicted, or deleted at its deadline, took the end of its container along.
            .or(self.finished_at)
            .or(self.removal.map(|removal| removal.at))
            .unwrap_or(now);
        let took = end.duration_since(self.marks.started?);
        Some(took.max(SignedDuration::ZERO))
    }

    /// When the TTL controller will remove it: finish time plus TTL.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let ttl = i64::from(self.ttl?.0);
        self.finished_at?
            .checked_add(SignedDuration::from_secs(ttl))
            .ok()
    }

    /// The run without the lines of its log: what a record on disk holds.
    #[must_use]
    pub fn record(&self) -> Self {
        Self {
            id: self.id.clone(),
            revision: self.revision,
            job: self.job.clone(),
            namespace: self.namespace.clone(),
            execution: self.execution,
            pass: self.pass,
            node_id: self.node_id,
            sample: self.sample.clone(),
            ours: self.ours,
            phase: self.phase,
            reason: self.reason.clone(),
            dispatch: self.dispatch,
            uncertain: self.uncertain,
            created: self.created,
            marks: self.marks,
            timeline: self.timeline.clone(),
            marker_at: self.marker_at,
            finished_at: self.finished_at,
            ttl: self.ttl,
            kept: self.kept,
            settings: self.settings.clone(),
            removal: self.removal,
            kubernetes: self.kubernetes,
            job_reason: self.job_reason.clone(),
            pods_ended: self.pods_ended,
            executor: self.executor.clone(),
            malformed: self.malformed.clone(),
            verdict: self.verdict,
            why: self.why.clone(),
            disagreement: self.disagreement.clone(),
            image: self.image.clone(),
            pod: self.pod.clone(),
            events: self.events.clone(),
            log: Log::from(self.log.summary().clone()),
            cancel_asked: self.cancel_asked,
            gave_up: self.gave_up,
            remove_asked: self.remove_asked,
            refusal: self.refusal.clone(),
        }
    }
}
