//! Objects of Kubernetes as facts, for tests that read recorded ones: only what the recordings hold.

use super::{ContainerSeen, ContainerState, EventSeen, JobFinish, JobSeen, PodSeen, Scheduling};
use crate::domain::runs::Ttl;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap_or(0).try_into().unwrap()
}

fn map(value: &Value) -> BTreeMap<String, String> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status["conditions"]
        .as_array()?
        .iter()
        .find(|c| c["type"] == kind)
}

pub(crate) fn job(object: &Value) -> JobSeen {
    let (meta, spec, status) = (&object["metadata"], &object["spec"], &object["status"]);
    let is = |kind: &str| condition(status, kind).is_some_and(|c| c["status"] == "True");
    let finish = ["Complete", "Failed"].into_iter().find(|kind| is(kind));
    let finish = finish.map(|kind| {
        let condition = condition(status, kind).unwrap();
        JobFinish {
            at: time(&status["completionTime"])
                .or(time(&condition["lastTransitionTime"]))
                .unwrap(),
            complete: kind == "Complete",
            reason: text(&condition["reason"]),
            message: text(&condition["message"]),
        }
    });
    JobSeen {
        name: text(&meta["name"]),
        namespace: text(&meta["namespace"]),
        uid: text(&meta["uid"]),
        labels: map(&meta["labels"]),
        annotations: map(&meta["annotations"]),
        created: time(&meta["creationTimestamp"]).unwrap(),
        started: time(&status["startTime"]),
        finishing: finish.is_none() && (is("SuccessCriteriaMet") || is("FailureTarget")),
        finish,
        suspended: is("Suspended"),
        active: number(&status["active"]),
        ended: number(&status["succeeded"]) + number(&status["failed"]),
        ttl: spec["ttlSecondsAfterFinished"]
            .as_u64()
            .map(|ttl| Ttl(ttl.try_into().unwrap())),
        deadline: spec["activeDeadlineSeconds"].as_u64(),
        deleting: time(&meta["deletionTimestamp"]),
        image: text(&spec["template"]["spec"]["containers"][0]["image"]),
    }
}

pub(crate) fn pod(object: &Value) -> PodSeen {
    let (meta, status) = (&object["metadata"], &object["status"]);
    PodSeen {
        name: text(&meta["name"]),
        namespace: text(&meta["namespace"]),
        uid: text(&meta["uid"]),
        job: text(&meta["labels"]["job-name"]),
        job_uid: text(&meta["labels"]["controller-uid"]),
        created: time(&meta["creationTimestamp"]).unwrap_or_default(),
        started: time(&status["startTime"]),
        node: text(&object["spec"]["nodeName"]),
        phase: text(&status["phase"]),
        reason: text(&status["reason"]),
        message: text(&status["message"]),
        scheduling: condition(status, "PodScheduled").map(|c| Scheduling {
            done: c["status"] == "True",
            at: time(&c["lastTransitionTime"]),
            reason: text(&c["reason"]),
            message: text(&c["message"]),
        }),
        ready: condition(status, "Ready").map(|c| c["status"] == "True"),
        container: status["containerStatuses"].get(0).map(container),
        deleting: time(&meta["deletionTimestamp"]),
    }
}

fn container(status: &Value) -> ContainerSeen {
    let state = &status["state"];
    let (waiting, running, ended) = (&state["waiting"], &state["running"], &state["terminated"]);
    ContainerSeen {
        id: text(&status["containerID"]),
        image: text(&status["image"]),
        image_id: text(&status["imageID"]),
        restarts: number(&status["restartCount"]),
        state: if running.is_object() {
            ContainerState::Running {
                since: time(&running["startedAt"]).unwrap(),
            }
        } else if ended.is_object() {
            ContainerState::Terminated {
                started: time(&ended["startedAt"]),
                finished: time(&ended["finishedAt"]),
                exit: ended["exitCode"].as_i64().unwrap().try_into().unwrap(),
                signal: None,
                reason: text(&ended["reason"]),
                message: text(&ended["message"]),
            }
        } else {
            ContainerState::Waiting {
                reason: text(&waiting["reason"]),
                message: text(&waiting["message"]),
            }
        },
    }
}

pub(crate) fn event(object: &Value) -> EventSeen {
    let about = &object["involvedObject"];
    let first = time(&object["firstTimestamp"])
        .or(time(&object["eventTime"]))
        .unwrap();
    EventSeen {
        uid: text(&object["metadata"]["uid"]),
        kind: text(&about["kind"]),
        name: text(&about["name"]),
        object_uid: text(&about["uid"]),
        level: text(&object["type"]),
        reason: text(&object["reason"]),
        message: text(&object["message"]),
        source: text(&object["source"]["component"]),
        count: number(&object["count"]).max(1),
        first,
        last: time(&object["lastTimestamp"]).unwrap_or(first),
    }
}
