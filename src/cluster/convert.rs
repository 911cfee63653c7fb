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
        ended: status.succeeded.saturating_add(status.failed),
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
    let ready = status.conditions.iter().find(|c| c.kind == "Ready");
    let ready = ready.map(|c| c.status == "True");
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
        ready,
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
        .or(event.exact_time)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn cases() -> Vec<Value> {
        let text = include_str!("../../tests/it/fixtures/cluster-objects.json");
        let mut fixture: Value = serde_json::from_str(text).unwrap();
        match fixture["cases"].take() {
            Value::Array(cases) => cases,
            other => panic!("{other}"),
        }
    }

    fn read_job(value: &Value) -> JobSeen {
        job(serde_json::from_value(value.clone()).unwrap())
    }

    fn read_pod(value: &Value) -> PodSeen {
        pod(serde_json::from_value(value.clone()).unwrap())
    }

    /// The facts that a case is about, in one line.
    fn gist(case: &Value) -> String {
        let job = read_job(&case["job"]);
        let finish = match &job.finish {
            Some(f) => format!(
                "{} {} {}",
                if f.complete { "complete" } else { "failed" },
                f.reason,
                f.at
            ),
            None if job.finishing => "finishing".to_owned(),
            None => "open".to_owned(),
        };
        let pod = match &case["pod"] {
            Value::Null => "no pod".to_owned(),
            value => {
                let pod = read_pod(value);
                assert_eq!(pod.job, job.name);
                let state = match pod.container.map(|c| c.state) {
                    None => pod.scheduling.map_or_else(
                        || "nothing".to_owned(),
                        |s| format!("scheduled={} {}", s.done, s.reason),
                    ),
                    Some(ContainerState::Waiting { reason, .. }) => format!("waiting {reason}"),
                    Some(ContainerState::Running { .. }) => "running".to_owned(),
                    Some(ContainerState::Terminated { exit, reason, .. }) => {
                        format!("terminated {exit} {reason}")
                    }
                };
                format!("{} {} {state}", pod.phase, pod.reason)
            }
        };
        format!("{}: {finish} | {pod}", case["name"].as_str().unwrap())
    }

    #[test]
    fn objects_as_facts() {
        let gists: Vec<_> = cases().iter().map(gist).collect();
        let expected = [
            "created_no_status: open | no pod",
            "pod_unschedulable: open | Pending  scheduled=false Unschedulable",
            "image_pull_backoff: open | Pending  waiting ImagePullBackOff",
            "err_image_never_pull: open | Pending  waiting ErrImageNeverPull",
            "container_creating: open | Pending  waiting ContainerCreating",
            "running: open | Running  running",
            "complete: complete  2026-02-17T20:15:09Z | Succeeded  terminated 0 Completed",
            "complete_with_success_criteria: complete CompletionsReached 2026-02-17T20:15:09Z | Succeeded  terminated 0 Completed",
            "failed_exit_code: failed BackoffLimitExceeded 2026-02-17T20:15:09Z | Failed  terminated 1 Error",
            "failed_with_failure_target: failed BackoffLimitExceeded 2026-02-17T20:15:09Z | Failed  terminated 1 Error",
            "failure_target_only: finishing | Running  running",
            "failed_oom_killed: failed BackoffLimitExceeded 2026-02-17T20:15:09Z | Failed  terminated 137 OOMKilled",
            "failed_pod_deadline: failed BackoffLimitExceeded 2026-02-17T20:15:09Z | Failed DeadlineExceeded terminated 137 Error",
            "failed_job_deadline: failed DeadlineExceeded 2026-02-17T20:15:09Z | no pod",
            "pod_evicted: failed BackoffLimitExceeded 2026-02-17T20:15:09Z | Failed Evicted nothing",
            "pod_gone_job_complete: complete  2026-02-17T20:15:09Z | no pod",
            "suspended: open | no pod",
            "deleting: open | Running  running",
        ];
        assert_eq!(gists, expected);
    }

    #[test]
    fn what_a_job_carries() {
        let seen = read_job(&json!({
            "metadata": {"name": "j", "namespace": "n", "uid": "u", "creationTimestamp": "2026-11-24T08:00:00Z", "deletionTimestamp": "2026-11-24T09:00:00Z",
                "labels": {"llmctl.executor": "true"}, "annotations": {"a": "b"}, "managedFields": [{"fieldsV1": {}}]},
            "spec": {"ttlSecondsAfterFinished": 1800, "activeDeadlineSeconds": 90, "suspend": true,
                "template": {"spec": {"containers": [{"name": "side", "image": "s:1"}, {"name": "executor", "image": "e:1"}]}}},
            "status": {"active": 1, "startTime": "2026-11-24T08:00:01Z", "conditions": null},
        }));
        assert_eq!(
            (seen.ttl, seen.deadline, seen.suspended, seen.active),
            (Some(Ttl(1800)), Some(90), true, 1)
        );
        assert_eq!(
            (
                seen.image.as_str(),
                seen.labels["llmctl.executor"].as_str(),
                seen.annotations["a"].as_str()
            ),
            ("e:1", "true", "b")
        );
        assert!(seen.deleting.is_some() && seen.started.is_some());
    }

    #[test]
    fn a_pod_knows_its_job_without_labels() {
        let seen = read_pod(
            &json!({"metadata": {"name": "p", "ownerReferences": [{"kind": "Job", "name": "j", "uid": "ju"}]}}),
        );
        assert_eq!((seen.job.as_str(), seen.job_uid.as_str()), ("j", "ju"));
        let seen = read_pod(
            &json!({"metadata": {"name": "p", "labels": {"batch.kubernetes.io/job-name": "j", "controller-uid": "ju"}}}),
        );
        assert_eq!((seen.job.as_str(), seen.job_uid.as_str()), ("j", "ju"));
    }

    #[test]
    fn a_container_that_never_ran_has_no_times() {
        let seen = read_pod(
            &json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [{"name": "executor", "state": {"terminated":
            {"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": null, "finishedAt": "1970-01-01T00:00:00Z"}}}]}}),
        );
        let state = seen.container.unwrap().state;
        assert!(
            matches!(
                state,
                ContainerState::Terminated {
                    started: None,
                    finished: None,
                    exit: 137,
                    ..
                }
            ),
            "{state:?}"
        );
    }

    #[test]
    fn old_and_new_events() {
        let read = |value: Value| event(serde_json::from_value(value).unwrap());
        let about = json!({"kind": "Pod", "name": "p", "uid": "pu"});
        let old = read(json!({"metadata": {"uid": "1"}, "involvedObject": about, "type": "Warning", "reason": "BackOff", "count": 3,
            "source": {"component": "kubelet"}, "firstTimestamp": "2026-11-24T08:00:00Z", "lastTimestamp": "2026-11-24T08:05:00Z"}))
        .unwrap();
        assert_eq!(
            (
                old.count,
                old.source.as_str(),
                old.object_uid.as_str(),
                old.last.duration_since(old.first).as_secs()
            ),
            (3, "kubelet", "pu", 300)
        );
        let new = read(json!({"metadata": {"uid": "2"}, "involvedObject": about, "type": "Normal", "reason": "Scheduled", "source": {},
            "firstTimestamp": null, "eventTime": "2026-11-24T08:00:00.842732Z", "reportingComponent": "default-scheduler", "series": null}))
        .unwrap();
        assert_eq!(
            (new.count, new.source.as_str(), new.first == new.last),
            (1, "default-scheduler", true)
        );
        assert_eq!(
            read(json!({"metadata": {}, "involvedObject": {"kind": "Node", "name": "n"}})),
            None
        );
    }
}
