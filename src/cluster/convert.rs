//! From what Kubernetes sent to the facts that the domain knows.

use super::wire;
use crate::domain::observed::{
    ContainerSeen, ContainerState, EventSeen, JobFinish, JobSeen, PodSeen, Scheduling,
};
use crate::domain::runs::Ttl;
use jiff::Timestamp;

/// The container that runs the executor (contract 4.4).
pub(super) const CONTAINER: &str = "executor";

/// A Job as a fact.
pub(super) fn job(job: wire::Job) -> JobSeen {
    let wire::Job {
        metadata: meta,
        spec,
        status,
    } = job;
    let finish = finish(&status);
    let finishing = finish.is_none()
        && status
            .conditions
            .iter()
            .any(|c| c.is("SuccessCriteriaMet") || c.is("FailureTarget"));
    JobSeen {
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        labels: meta.labels,
        annotations: meta.annotations,
        created: meta.creation_timestamp.unwrap_or(Timestamp::UNIX_EPOCH),
        started: status.start_time,
        finish,
        finishing,
        suspended: spec.suspend.unwrap_or(false),
        active: status.active,
        ttl: spec.ttl_seconds_after_finished.map(Ttl),
        deadline: spec.active_deadline_seconds,
        deleting: meta.deletion_timestamp,
        image: image_of(&spec.template.spec),
    }
}

/// The final condition; the conditions that announce it are none (contract 6.4).
fn finish(status: &wire::JobStatus) -> Option<JobFinish> {
    let condition = status
        .conditions
        .iter()
        .find(|c| c.is("Complete") || c.is("Failed"))?;
    let complete = condition.kind == "Complete";
    let of_condition = condition.last_transition_time;
    let at = if complete {
        status.completion_time.or(of_condition)
    } else {
        of_condition
    };
    Some(JobFinish {
        at: at.or(status.start_time).unwrap_or(Timestamp::UNIX_EPOCH),
        complete,
        reason: condition.reason.clone(),
        message: condition.message.clone(),
    })
}

fn image_of(spec: &wire::PodSpec) -> String {
    let named = spec.containers.iter().find(|c| c.name == CONTAINER);
    named
        .or(spec.containers.first())
        .map(|c| c.image.clone())
        .unwrap_or_default()
}

/// A pod as a fact.
pub(super) fn pod(pod: wire::Pod) -> PodSeen {
    let wire::Pod {
        metadata: mut meta,
        spec,
        status,
    } = pod;
    let owner = meta
        .owner_references
        .into_iter()
        .find(|owner| owner.kind == "Job")
        .unwrap_or_default();
    let label = meta
        .labels
        .remove("job-name")
        .or_else(|| meta.labels.remove("batch.kubernetes.io/job-name"));
    let by_label = || {
        meta.labels
            .get("controller-uid")
            .or_else(|| meta.labels.get("batch.kubernetes.io/controller-uid"))
            .cloned()
    };
    let job_uid = if owner.uid.is_empty() {
        by_label().unwrap_or_default()
    } else {
        owner.uid
    };
    let scheduling = status
        .conditions
        .iter()
        .find(|c| c.kind == "PodScheduled")
        .map(|c| Scheduling {
            done: c.status == "True",
            at: c.last_transition_time,
            reason: c.reason.clone(),
            message: c.message.clone(),
        });
    let mut containers = status.container_statuses;
    let which = containers
        .iter()
        .position(|c| c.name == CONTAINER)
        .or((containers.len() == 1).then_some(0));
    let container = which.map(|at| container(containers.swap_remove(at)));
    PodSeen {
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        job: label.unwrap_or(owner.name),
        job_uid,
        created: meta.creation_timestamp.unwrap_or(Timestamp::UNIX_EPOCH),
        started: status.start_time,
        node: spec.node_name,
        phase: status.phase,
        reason: status.reason,
        message: status.message,
        scheduling,
        container,
        deleting: meta.deletion_timestamp,
    }
}

fn container(status: wire::ContainerStatus) -> ContainerSeen {
    let mut id = status.container_id;
    let state = match status.state {
        wire::State {
            terminated: Some(end),
            ..
        } => {
            if id.is_empty() {
                id = end.container_id;
            }
            // A container that never ran has the beginning of time here.
            let real = |t: Option<Timestamp>| t.filter(|t| *t > Timestamp::UNIX_EPOCH);
            ContainerState::Terminated {
                started: real(end.started_at),
                finished: real(end.finished_at),
                exit: end.exit_code,
                signal: end.signal.filter(|signal| *signal != 0),
                reason: end.reason,
                message: end.message,
            }
        }
        wire::State {
            running: Some(running),
            ..
        } => ContainerState::Running {
            since: running.started_at.unwrap_or(Timestamp::UNIX_EPOCH),
        },
        wire::State { waiting, .. } => {
            let waiting = waiting.unwrap_or_default();
            ContainerState::Waiting {
                reason: waiting.reason,
                message: waiting.message,
            }
        }
    };
    ContainerSeen {
        id,
        image: status.image,
        image_id: status.image_id,
        restarts: status.restart_count,
        state,
    }
}

/// An event as a fact; nothing for events about other kinds.
pub(super) fn event(event: wire::Event) -> Option<EventSeen> {
    if !matches!(event.involved_object.kind.as_str(), "Job" | "Pod") {
        return None;
    }
    let created = event.metadata.creation_timestamp;
    let first = event
        .first_timestamp
        .or(event.event_time)
        .or(created)
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let (series_count, series_last) = event
        .series
        .map_or((None, None), |s| (Some(s.count), s.last_observed_time));
    let source = event.source.component;
    Some(EventSeen {
        uid: event.metadata.uid,
        kind: event.involved_object.kind,
        name: event.involved_object.name,
        object_uid: event.involved_object.uid,
        level: event.level,
        reason: event.reason,
        message: event.message,
        source: if source.is_empty() {
            event.reporting_component
        } else {
            source
        },
        count: series_count.or(event.count).unwrap_or(1).max(1),
        first,
        last: series_last
            .or(event.last_timestamp)
            .unwrap_or(first)
            .max(first),
    })
}
