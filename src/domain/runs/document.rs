//! The JSON document of a run: times as RFC 3339, durations as seconds.

use super::clocks::Clocks;
use super::usual::{self, Usual};
use super::{Dispatch, Phase, Reason, RemovedBy, Run, Step, Stretch};
use crate::domain::contract::ExecutorResult;
use crate::domain::observed::EventSeen;
use crate::domain::target::Target;
use crate::domain::verdict::{Kubernetes, Verdict};
use crate::domain::why::Why;
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
    /// Rules of the output contracts that a success breaks, each with what is wrong (contract 5.7).
    pub violations: Vec<String>,
    /// How Kubernetes and the executor contradict each other.
    pub disagreement: Option<&'a str>,
    pub why: Why,
    /// Exit code that this verdict gives a command; null while there is none.
    pub exit: Option<u8>,
    pub dispatch: DispatchDocument,
    pub created: Timestamp,
    pub finished: Option<Timestamp>,
    /// Seconds that the work took, or has taken until now.
    pub took: Option<f64>,
    pub timeline: Vec<StretchDocument>,
    pub ttl: TtlDocument,
    /// The settings that it was made with, by key; null for runs of Studio.
    pub settings: Option<&'a serde_json::Map<String, Value>>,
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
    /// Dispatch, execution, collection; each from its own beginning.
    pub clocks: Clocks,
}

/// One stretch of the time bar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StretchDocument {
    pub step: Step,
    pub from: Timestamp,
    pub to: Option<Timestamp>,
    pub seconds: f64,
    /// No other step took longer; work that goes on is not counted.
    pub slowest: bool,
    /// Median of the step in earlier runs of the same sample, in seconds; null for the first one.
    pub median_seconds: Option<f64>,
    /// So many earlier runs the median is of.
    pub median_of: usize,
}

/// Retention and removal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TtlDocument {
    pub seconds: Option<u32>,
    /// Out of reach of Studio's pruner: only the TTL removes it.
    pub kept: bool,
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
            violations: violations(run),
            disagreement: run.disagreement.as_deref(),
            why: Why::of(run, target, now),
            exit: run.verdict.exit_code(),
            dispatch: DispatchDocument {
                status: run.dispatch,
                id: run.dispatch_id(),
                start_marker: run.marker_at,
                clocks: run.clocks(),
            },
            created: run.created,
            finished: run.finished_at,
            took: run.took(now).map(|took| took.as_secs_f64()),
            timeline: stretches(run, now),
            ttl: TtlDocument {
                seconds: run.ttl.map(|ttl| ttl.0),
                kept: run.kept,
                expires_at: run.expires_at(),
                remaining_seconds: run
                    .expires_at()
                    .filter(|_| run.removal.is_none())
                    .map(|at| seconds(now, at)),
                removed_at: run.removal.map(|removal| removal.at),
                removed_by: run.removal.map(|removal| removal.by),
            },
            settings: run.settings.as_ref(),
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

impl RunDocument<'_> {
    /// The document with what is usual for the sample beside each step.
    #[must_use]
    pub fn compared(mut self, usual: &[Usual]) -> Self {
        for stretch in &mut self.timeline {
            if let Some(usual) = usual.iter().find(|usual| usual.step == stretch.step) {
                stretch.median_seconds = Some(usual.median.as_secs_f64());
                stretch.median_of = usual.runs;
            }
        }
        self
    }
}

fn violations(run: &Run) -> Vec<String> {
    let checks = run.checks();
    checks
        .into_iter()
        .filter_map(|check| Some(format!("{}: {}", check.rule, check.broken?)))
        .collect()
}

fn stretches(run: &Run, now: Timestamp) -> Vec<StretchDocument> {
    let slowest = usual::slowest(&run.timeline, now);
    let document = |(at, stretch): (usize, &Stretch)| StretchDocument {
        step: stretch.step,
        from: stretch.from,
        to: stretch.to,
        seconds: seconds(stretch.from, stretch.to.unwrap_or(now)),
        slowest: slowest == Some(at),
        median_seconds: None,
        median_of: 0,
    };
    run.timeline.iter().enumerate().map(document).collect()
}

/// Seconds from one moment to a later one, with milliseconds; 0 when it is not later.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    let milliseconds = to.duration_since(from).as_millis().max(0);
    // A run lives for days at the most: well within what an f64 holds exactly.
    let milliseconds = u32::try_from(milliseconds).unwrap_or(u32::MAX);
    f64::from(milliseconds) / 1000.0
}

impl Run {
    /// The number that lists show, with the pass when it is not the first: `208`, `208.2`; the Job's name when it has none.
    pub fn label(&self) -> String {
        match (self.execution, self.pass) {
            (None, _) => self.job.clone(),
            (Some(execution), Some(pass)) => format!("{execution}.{pass}"),
            (Some(execution), None) => execution.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::logs::{LogEvent, LogLine};
    use crate::domain::observed::{
        ContainerSeen, ContainerState, JobFinish, JobSeen, PodSeen, Seen,
    };
    use crate::domain::runs::{RunId, Runs, Ttl};
    use std::collections::BTreeMap;

    fn at(seconds: f64) -> Timestamp {
        let start: Timestamp = "2026-11-24T14:02:20Z".parse().unwrap();
        start + jiff::SignedDuration::from_secs_f64(seconds)
    }

    fn job(finish: Option<JobFinish>) -> JobSeen {
        JobSeen {
            name: "llmctl-exec-1-208-task-none-0123456789".into(),
            namespace: "llmctl".into(),
            uid: "00000000-0000-4000-8000-000000000208".into(),
            labels: BTreeMap::from([
                ("llmctl.flowchart.execution_id".into(), "208".into()),
                ("app.kubernetes.io/managed-by".into(), "llmctl-dev".into()),
            ]),
            annotations: BTreeMap::from([("llmctl.dev/sample".into(), "fail".into())]),
            created: at(0.0),
            started: Some(at(0.0)),
            finish,
            finishing: false,
            suspended: false,
            active: 0,
            ended: 0,
            ttl: Some(Ttl(1800)),
            deadline: Some(2160),
            deleting: None,
            image: "llmctl-executor-frontier:0.1.0".into(),
        }
    }

    fn pod(state: ContainerState) -> PodSeen {
        PodSeen {
            name: "llmctl-exec-1-208-task-none-0123456789-x7k2p".into(),
            namespace: "llmctl".into(),
            uid: "p".into(),
            job: job(None).name,
            job_uid: job(None).uid,
            created: at(0.0),
            started: Some(at(0.0)),
            node: "minikube".into(),
            phase: "Running".into(),
            reason: String::new(),
            message: String::new(),
            scheduling: None,
            ready: None,
            container: Some(ContainerSeen {
                id: "containerd://c".into(),
                image: "llmctl-executor-frontier:0.1.0".into(),
                image_id: "sha256:00".into(),
                restarts: 0,
                state,
            }),
            deleting: None,
        }
    }

    /// A run that failed with exit code 3, at second 8 of its life.
    fn failed() -> Runs {
        let mut runs = Runs::of("llmctl");
        let id = RunId(job(None).uid);
        let running = ContainerState::Running { since: at(1.0) };
        runs.observe(Seen::Job(Box::new(job(None))), at(0.2));
        runs.observe(Seen::Pod(Box::new(pod(running))), at(1.4));
        let opened = LogEvent::Opened {
            container_id: "containerd://c".into(),
        };
        runs.log(&id, opened, at(1.5));
        let result = r#"LLMCTL_EXECUTOR_RESULT_JSON={"contract_version": "v1", "status": "failed", "exit_code": 3, "error": {"code": "execution_error", "message": "Command exited with non-zero code 3.", "retryable": false}, "metrics": {"duration_seconds": 0.25}}"#;
        let lines = ["LLMCTL_EXECUTOR_STARTED", "about to fail", result]
            .map(|text| LogLine {
                at: Some(at(1.75)),
                text: text.into(),
            })
            .into();
        runs.log(&id, LogEvent::Lines(lines), at(1.8));
        let ended = ContainerState::Terminated {
            started: Some(at(1.0)),
            finished: Some(at(2.0)),
            exit: 3,
            signal: None,
            reason: "Error".into(),
            message: String::new(),
        };
        runs.observe(Seen::Pod(Box::new(pod(ended))), at(2.1));
        runs.log(&id, LogEvent::Whole, at(2.2));
        let finish = JobFinish {
            at: at(4.0),
            complete: false,
            reason: "BackoffLimitExceeded".into(),
            message: "Job has reached the specified backoff limit".into(),
        };
        runs.observe(Seen::Job(Box::new(job(Some(finish)))), at(4.3));
        runs
    }

    #[test]
    fn a_retained_run_as_a_document() {
        let runs = failed();
        let run = runs.iter().next().unwrap();
        let target = Target::sandbox();
        insta::assert_json_snapshot!(RunDocument::new(run, &target, at(8.0)));
    }

    #[test]
    fn a_removed_run_has_no_time_left() {
        let mut runs = failed();
        let gone = job(None);
        let finish = JobFinish {
            at: at(4.0),
            complete: false,
            reason: "BackoffLimitExceeded".into(),
            message: String::new(),
        };
        runs.observe(
            Seen::JobGone(Box::new(JobSeen {
                finish: Some(finish),
                ..gone
            })),
            at(1805.0),
        );
        let run = runs.iter().next().unwrap();
        let target = Target::sandbox();
        let document = serde_json::to_value(RunDocument::new(run, &target, at(2000.0))).unwrap();
        assert_eq!(document["phase"], "removed");
        assert_eq!(document["ttl"]["removed_by"], "ttl");
        assert_eq!(document["ttl"]["removed_at"], "2026-11-24T14:32:25Z");
        assert_eq!(document["ttl"]["remaining_seconds"], Value::Null);
        assert_eq!(document["exit"], 1);
    }
}
