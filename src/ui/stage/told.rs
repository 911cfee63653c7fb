//! Runs as a cluster tells of them: Jobs, pods, events and logs, one fact after the other.

use super::{Stage, seconds};
use crate::app::{Msg, runs};
use crate::domain::identity;
use crate::domain::logs::{LogEvent, LogLine};
use crate::domain::manifest::{OURS, SAMPLE_ANNOTATION};
use crate::domain::observed::{
    ContainerSeen, ContainerState, EventSeen, JobSeen, PodSeen, Scheduling, Seen,
};
use crate::domain::payload::NodeRequest;
use crate::domain::runs::{RunId, Ttl};
use std::collections::BTreeMap;

const IMAGE: &str = "llmctl-executor-frontier:0.1.0";

/// A run to be told of: its number and its times in seconds, before now for those that are over.
#[derive(Clone, Debug)]
pub(in super::super) struct Told {
    pub(in super::super) number: u64,
    pub(in super::super) sample: &'static str,
    pub(in super::super) ours: bool,
    pub(in super::super) created: i64,
    pub(in super::super) ttl: u32,
    /// The type of the node that is to run, which the name of the Job tells.
    pub(in super::super) asked: Option<String>,
}

impl Told {
    pub(in super::super) fn new(number: u64, sample: &'static str, created: i64) -> Self {
        Self {
            number,
            sample,
            ours: true,
            created,
            ttl: 1800,
            asked: None,
        }
    }

    pub(in super::super) fn by_studio(number: u64, created: i64) -> Self {
        Self {
            ours: false,
            ..Self::new(number, "", created)
        }
    }

    fn job_name(&self) -> String {
        if let Some(node_type) = &self.asked {
            return identity::job_name(&NodeRequest {
                node_id: 12,
                node_type: node_type.clone(),
                execution_id: self.number,
                execution_index: 1,
                ..NodeRequest::default()
            });
        }
        format!(
            "llmctl-exec-{}-{:08x}",
            self.number,
            self.number * 2_654_435
        )
    }

    fn image(&self) -> &'static str {
        if self.sample == "bad-image" {
            "llmctl-executor-none:0"
        } else {
            IMAGE
        }
    }

    pub(in super::super) fn id(&self) -> RunId {
        RunId(format!("uid-{}", self.number))
    }
}

impl Stage {
    pub(in super::super) fn job(&self, told: &Told) -> JobSeen {
        let mut labels = BTreeMap::from([
            ("llmctl.executor".to_owned(), "true".to_owned()),
            (
                "llmctl.flowchart.execution_id".to_owned(),
                told.number.to_string(),
            ),
            ("llmctl.flowchart.node_id".to_owned(), "12".to_owned()),
        ]);
        let mut annotations = BTreeMap::new();
        if told.ours {
            labels.insert(OURS.0.to_owned(), OURS.1.to_owned());
            annotations.insert(SAMPLE_ANNOTATION.to_owned(), told.sample.to_owned());
        }
        let created = self.at(seconds(told.created));
        JobSeen {
            name: told.job_name(),
            namespace: "llmctl".into(),
            uid: told.id().0,
            labels,
            annotations,
            created,
            started: Some(created),
            finish: None,
            finishing: false,
            suspended: false,
            active: 1,
            ended: 0,
            ttl: Some(Ttl(told.ttl)),
            deadline: Some(1860),
            deleting: None,
            image: told.image().into(),
        }
    }

    pub(in super::super) fn pod(&self, told: &Told, state: Option<ContainerState>) -> PodSeen {
        let created = self.at(seconds(told.created));
        let phase = match &state {
            Some(ContainerState::Running { .. }) => "Running",
            Some(ContainerState::Terminated { exit: 0, .. }) => "Succeeded",
            Some(ContainerState::Terminated { .. }) => "Failed",
            _ => "Pending",
        };
        let ran = matches!(
            state,
            Some(ContainerState::Running { .. } | ContainerState::Terminated { .. })
        );
        PodSeen {
            name: format!("{}-x7k2p", told.job_name()),
            namespace: "llmctl".into(),
            uid: format!("pod-{}", told.number),
            job: told.job_name(),
            job_uid: told.id().0,
            created,
            started: Some(created),
            node: "minikube".into(),
            phase: phase.into(),
            reason: String::new(),
            message: String::new(),
            scheduling: Some(Scheduling {
                done: true,
                at: Some(created),
                reason: String::new(),
                message: String::new(),
            }),
            ready: None,
            container: state.map(|state| ContainerSeen {
                id: if ran {
                    format!("containerd://{:064x}", told.number)
                } else {
                    String::new()
                },
                image: told.image().into(),
                image_id: if ran {
                    format!("llmctl-executor-frontier@sha256:{:064x}", 0x005e_ed5e)
                } else {
                    String::new()
                },
                restarts: 0,
                state,
            }),
            deleting: None,
        }
    }

    pub(in super::super) fn event(
        &self,
        told: &Told,
        after: i64,
        level: &str,
        reason: &str,
        message: &str,
    ) -> Seen {
        let at = self.at(seconds(told.created + after));
        let of_job = reason == "SuccessfulCreate" || reason == "Completed";
        Seen::Event(Box::new(EventSeen {
            uid: format!("event-{}-{after}-{reason}", told.number),
            kind: if of_job { "Job" } else { "Pod" }.into(),
            object_uid: if of_job {
                told.id().0
            } else {
                format!("pod-{}", told.number)
            },
            name: if of_job {
                told.job_name()
            } else {
                format!("{}-x7k2p", told.job_name())
            },
            level: level.into(),
            reason: reason.into(),
            message: message.into(),
            source: "kubelet".into(),
            count: if reason == "BackOff" { 4 } else { 1 },
            first: at,
            last: at,
        }))
    }

    /// A run from dispatch to running and its start marker.
    pub(in super::super) fn running(&mut self, told: &Told) -> &mut Self {
        self.running_without_marker(told);
        let marker = [
            "LLMCTL_EXECUTOR_STARTED".to_owned(),
            r#"{"contract_version":"v1","event":"executor_started","ts":"2026-11-24T14:02:26.000000+00:00"}"#.to_owned(),
        ];
        self.print(told, seconds(told.created) + 3.0, &marker)
    }

    /// A run from dispatch to running, of an executor that does not say that it started.
    pub(in super::super) fn running_without_marker(&mut self, told: &Told) -> &mut Self {
        let begin = self.state.now;
        let created = seconds(told.created);
        self.tick(created);
        self.see(Seen::Job(Box::new(self.job(told))));
        self.see(Seen::Pod(Box::new(self.pod(told, None))));
        self.see(self.event(
            told,
            0,
            "Normal",
            "SuccessfulCreate",
            &format!("Created pod: {}-x7k2p", told.job_name()),
        ));
        self.see(self.event(
            told,
            0,
            "Normal",
            "Scheduled",
            &format!(
                "Successfully assigned llmctl/{}-x7k2p to minikube",
                told.job_name()
            ),
        ));
        self.tick(created + 0.2);
        self.see(self.event(
            told,
            0,
            "Normal",
            "Pulling",
            &format!("Pulling image \"{IMAGE}\""),
        ));
        self.tick(created + 2.4);
        self.see(self.event(told, 2, "Normal", "Pulled", &format!("Successfully pulled image \"{IMAGE}\" in 2.2s (2.2s including waiting). Image size: 41234567 bytes.")));
        self.tick(created + 2.9);
        let since = self.at(created + 2.9);
        self.see(Seen::Pod(Box::new(
            self.pod(told, Some(ContainerState::Running { since })),
        )));
        self.log(
            told,
            LogEvent::Opened {
                container_id: format!("containerd://{:064x}", told.number),
            },
        );
        self.send(Msg::Ticked(begin));
        self
    }

    /// Lines of a run's log, a hundredth of a second apart.
    pub(in super::super) fn print(
        &mut self,
        told: &Told,
        from: f64,
        lines: &[String],
    ) -> &mut Self {
        let lines = lines
            .iter()
            .enumerate()
            .map(|(n, text)| LogLine {
                at: Some(self.at(from + seconds(i64::try_from(n).unwrap()) / 100.0)),
                text: text.clone(),
            })
            .collect();
        self.log(told, LogEvent::Lines(lines))
    }

    pub(in super::super) fn log(&mut self, told: &Told, event: LogEvent) -> &mut Self {
        self.send(Msg::Runs(runs::Msg::Log {
            run: told.id(),
            event,
        }));
        self
    }

    /// A pod that no node has room for.
    pub(in super::super) fn cannot_schedule(&mut self, told: &Told) -> &mut Self {
        let begin = self.state.now;
        self.tick(seconds(told.created));
        self.see(Seen::Job(Box::new(self.job(told))));
        let mut pod = self.pod(told, None);
        pod.node = String::new();
        pod.started = None;
        pod.scheduling = Some(Scheduling {
            done: false,
            at: Some(self.at(seconds(told.created))),
            reason: "Unschedulable".into(),
            message: "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.".into(),
        });
        self.see(Seen::Pod(Box::new(pod)));
        self.send(Msg::Ticked(begin));
        self
    }

    /// A pod that cannot pull its image.
    pub(in super::super) fn cannot_pull(&mut self, told: &Told) -> &mut Self {
        let begin = self.state.now;
        self.tick(seconds(told.created));
        self.see(Seen::Job(Box::new(self.job(told))));
        let message = "Back-off pulling image \"llmctl-executor-none:0\": not found";
        let state = ContainerState::Waiting {
            reason: "ImagePullBackOff".into(),
            message: message.into(),
        };
        self.see(Seen::Pod(Box::new(self.pod(told, Some(state)))));
        self.see(self.event(
            told,
            1,
            "Warning",
            "Failed",
            "Failed to pull image \"llmctl-executor-none:0\": not found",
        ));
        self.see(self.event(told, 12, "Warning", "BackOff", message));
        self.send(Msg::Ticked(begin));
        self
    }
}
