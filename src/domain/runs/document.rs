//! The JSON document of a run: times as RFC 3339, durations as seconds.

use super::{Dispatch, Phase, Reason, RemovedBy, Run, Step};
use crate::domain::contract::ExecutorResult;
use crate::domain::observed::EventSeen;
use crate::domain::target::Target;
use crate::domain::verdict::{Kubernetes, Verdict};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// Name and version of the document's shape.
pub const SCHEMA: &str = "llmctl-dev/run/v1";

/// What `run --wait -o json` and `runs show -o json` print.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunDocument<'a> {
    pub schema: &'static str,
    pub target: &'a Target,
    /// The number that lists show and commands take; the Job's name when it has none.
    pub run: String,
    pub uid: &'a str,
    pub job: &'a str,
    pub namespace: &'a str,
    pub sample: Option<&'a str>,
    /// Started by this tool and not by Studio.
    pub ours: bool,
    pub phase: &'a Phase,
    pub reason: Option<&'a Reason>,
    pub kubernetes: Kubernetes,
    /// The executor's result as it was printed; null when there is none.
    pub executor: Option<&'a Value>,
    pub verdict: Verdict,
    pub uncertain: bool,
    /// How Kubernetes and the executor contradict each other.
    pub disagreement: Option<&'a str>,
    pub why: &'a str,
    /// Exit code that this verdict gives a command; null while there is none.
    pub exit: Option<u8>,
    pub dispatch: DispatchDocument,
    pub created: Timestamp,
    pub finished: Option<Timestamp>,
    /// Seconds that the work took, or has taken until now.
    pub took: Option<f64>,
    pub timeline: Vec<StretchDocument>,
    pub ttl: TtlDocument,
    pub image: &'a str,
    pub pod: Option<PodDocument<'a>>,
    pub log: LogDocument<'a>,
    pub events: &'a [EventSeen],
}

/// The dispatch facts of contract 2.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DispatchDocument {
    pub status: Dispatch,
    /// `kubernetes:<namespace>/<job>`; null until the API server accepted the Job.
    pub id: Option<String>,
    pub start_marker: Option<Timestamp>,
}

/// One stretch of the time bar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StretchDocument {
    pub step: Step,
    pub from: Timestamp,
    pub to: Option<Timestamp>,
    pub seconds: f64,
}

/// Retention and removal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TtlDocument {
    pub seconds: Option<u32>,
    /// When it is due to be removed.
    pub expires_at: Option<Timestamp>,
    /// Until then; absent once it is gone.
    pub remaining_seconds: Option<f64>,
    pub removed_at: Option<Timestamp>,
    pub removed_by: Option<RemovedBy>,
}

/// The pod that counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PodDocument<'a> {
    pub name: &'a str,
    pub node: &'a str,
    pub image_id: &'a str,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
}

/// Numbers of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogDocument<'a> {
    pub lines: u64,
    pub bytes: u64,
    #[serde(flatten)]
    pub follow: &'a super::super::logs::Follow,
    pub gaps: usize,
}

impl<'a> RunDocument<'a> {
    /// The document of `run` at `now`.
    pub fn new(run: &'a Run, target: &'a Target, now: Timestamp) -> Self {
        Self {
            schema: SCHEMA,
            target,
            run: run.label(),
            uid: &run.id.0,
            job: &run.job,
            namespace: &run.namespace,
            sample: run.sample.as_deref(),
            ours: run.ours,
            phase: &run.phase,
            reason: (run.reason != Reason::default()).then_some(&run.reason),
            kubernetes: run.kubernetes,
            executor: run.executor.as_ref().map(|ExecutorResult { raw, .. }| raw),
            verdict: run.verdict,
            uncertain: run.uncertain,
            disagreement: run.disagreement.as_deref(),
            why: &run.why,
            exit: run.verdict.exit_code(),
            dispatch: DispatchDocument {
                status: run.dispatch,
                id: run.dispatch_id(),
                start_marker: run.marker_at,
            },
            created: run.created,
            finished: run.finished_at,
            took: run.took(now).map(|took| took.as_secs_f64()),
            timeline: run
                .timeline
                .iter()
                .map(|stretch| StretchDocument {
                    step: stretch.step,
                    from: stretch.from,
                    to: stretch.to,
                    seconds: seconds(stretch.from, stretch.to.unwrap_or(now)),
                })
                .collect(),
            ttl: TtlDocument {
                seconds: run.ttl.map(|ttl| ttl.0),
                expires_at: run.expires_at(),
                remaining_seconds: run
                    .expires_at()
                    .filter(|_| run.removal.is_none())
                    .map(|at| seconds(now, at)),
                removed_at: run.removal.map(|removal| removal.at),
                removed_by: run.removal.map(|removal| removal.by),
            },
            image: &run.image,
            pod: run.pod.as_ref().map(|pod| PodDocument {
                name: &pod.name,
                node: &pod.node,
                image_id: &pod.image_id,
                exit_code: pod.exit,
                signal: pod.signal,
            }),
            log: LogDocument {
                lines: run.log.total(),
                bytes: run.log.summary().bytes,
                follow: run.log.follow(),
                gaps: run.log.gaps().len(),
            },
            events: &run.events,
        }
    }
}

/// Seconds from one moment to a later one, with milliseconds; 0 when it is not later.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    let milliseconds = to.duration_since(from).as_millis().max(0);
    // A run lives for days at the most: well within what an f64 holds exactly.
    let milliseconds = u32::try_from(milliseconds).unwrap_or(u32::MAX);
    f64::from(milliseconds) / 1000.0
}

impl Run {
    /// The number that lists show; the Job's name when it has none.
    pub fn label(&self) -> String {
        self.execution
            .map_or_else(|| self.job.clone(), |n| n.to_string())
    }
}
