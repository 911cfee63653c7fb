//! Rows of pods: the one word that says how a pod is doing.

use jiff::Timestamp;
use serde_json::Value;

use super::{age, count, each, size, text, text_or};

pub(super) fn cells(pod: &Value, now: Timestamp, name: Value, created: Value) -> Vec<Value> {
    let status = &pod["status"];
    let summary = Summary::of(pod);
    let restarts = match (summary.restarts, summary.last_restart.as_str()) {
        (0, _) | (_, "") => summary.restarts.to_string(),
        (times, at) => format!("{times} ({} ago)", age(&at.into(), now)),
    };
    let gates = match size(&pod["spec"]["readinessGates"]) {
        0 => "<none>".to_owned(),
        all => {
            let open = each(&pod["spec"]["readinessGates"])
                .filter(|gate| has_condition(pod, text(&gate["conditionType"])))
                .count();
            format!("{open}/{all}")
        }
    };
    vec![
        name,
        format!("{}/{}", summary.ready, size(&pod["spec"]["containers"])).into(),
        summary.reason.into(),
        restarts.into(),
        created,
        text_or(&status["podIP"], "<none>").into(),
        text_or(&pod["spec"]["nodeName"], "<none>").into(),
        text_or(&status["nominatedNodeName"], "<none>").into(),
        gates.into(),
    ]
}

#[derive(Default)]
struct Summary {
    reason: String,
    ready: usize,
    restarts: i64,
    /// When a container last ended and was started again, as the API writes it.
    last_restart: String,
}

impl Summary {
    fn of(pod: &Value) -> Self {
        let status = &pod["status"];
        let mut summary = Self {
            reason: text_or(&status["reason"], text(&status["phase"])).to_owned(),
            ..Self::default()
        };
        let initializing = summary.look_at_init(pod);
        if !initializing || has_condition(pod, "Initialized") {
            summary.restarts = 0;
            summary.last_restart.clear();
            summary.look_at_containers(pod);
        }
        let ended = matches!(text(&status["phase"]), "Succeeded" | "Failed");
        if pod["metadata"]["deletionTimestamp"].is_string() && !ended {
            "Terminating".clone_into(&mut summary.reason);
        }
        summary
    }

    /// Whether an init container is still at work, or failed.
    fn look_at_init(&mut self, pod: &Value) -> bool {
        let all = size(&pod["spec"]["initContainers"]);
        for (index, container) in each(&pod["status"]["initContainerStatuses"]).enumerate() {
            self.count_restarts(container);
            let (terminated, waiting) = (
                &container["state"]["terminated"],
                &container["state"]["waiting"],
            );
            self.reason = if terminated.is_object() {
                if count(&terminated["exitCode"]) == 0 {
                    continue;
                }
                format!("Init:{}", end_of(terminated))
            } else {
                match text(&waiting["reason"]) {
                    "" | "PodInitializing" => format!("Init:{index}/{all}"),
                    reason => format!("Init:{reason}"),
                }
            };
            return true;
        }
        false
    }

    fn look_at_containers(&mut self, pod: &Value) {
        let mut running = false;
        for container in each(&pod["status"]["containerStatuses"]).rev() {
            self.count_restarts(container);
            let (terminated, waiting) = (
                &container["state"]["terminated"],
                &container["state"]["waiting"],
            );
            if !text(&waiting["reason"]).is_empty() {
                text(&waiting["reason"]).clone_into(&mut self.reason);
            } else if terminated.is_object() {
                self.reason = end_of(terminated);
            } else if container["ready"] == true && container["state"]["running"].is_object() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && running {
            let word = if has_condition(pod, "Ready") {
                "Running"
            } else {
                "NotReady"
            };
            word.clone_into(&mut self.reason);
        }
    }

    fn count_restarts(&mut self, container: &Value) {
        self.restarts += count(&container["restartCount"]);
        let ended = text(&container["lastState"]["terminated"]["finishedAt"]);
        if ended > self.last_restart.as_str() {
            ended.clone_into(&mut self.last_restart);
        }
    }
}

/// Why a container ended, in a word.
fn end_of(terminated: &Value) -> String {
    match (text(&terminated["reason"]), count(&terminated["signal"])) {
        ("", 0) => format!("ExitCode:{}", count(&terminated["exitCode"])),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn has_condition(pod: &Value, kind: &str) -> bool {
    each(&pod["status"]["conditions"])
        .any(|condition| condition["type"] == kind && condition["status"] == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_word_for_a_pod() {
        let now = "2026-11-24T08:10:00Z".parse().unwrap();
        let row = |status: Value, deleted: bool| {
            let mut pod = json!({"metadata": {}, "spec": {"containers": [{"name": "c"}], "initContainers": [{"name": "i"}]}});
            pod["status"] = status;
            if deleted {
                pod["metadata"]["deletionTimestamp"] = "2026-11-24T08:00:00Z".into();
            }
            let cells = cells(&pod, now, "p".into(), "1m".into());
            format!(
                "{} {} {}",
                text(&cells[1]),
                text(&cells[2]),
                text(&cells[3])
            )
        };
        let state = |state: Value, ready: bool| json!({"phase": "Running", "containerStatuses": [{"restartCount": 0, "ready": ready, "state": state}]});
        assert_eq!(row(json!({"phase": "Pending"}), false), "0/1 Pending 0");
        assert_eq!(
            row(state(json!({"running": {}}), true), false),
            "1/1 Running 0"
        );
        assert_eq!(
            row(state(json!({"running": {}}), true), true),
            "1/1 Terminating 0"
        );
        assert_eq!(
            row(
                state(json!({"waiting": {"reason": "ErrImagePull"}}), false),
                false
            ),
            "0/1 ErrImagePull 0"
        );
        assert_eq!(
            row(
                state(
                    json!({"terminated": {"exitCode": 3, "reason": "Error"}}),
                    false
                ),
                false
            ),
            "0/1 Error 0"
        );
        assert_eq!(
            row(state(json!({"terminated": {"exitCode": 3}}), false), false),
            "0/1 ExitCode:3 0"
        );
        let init = json!({"phase": "Pending", "initContainerStatuses": [{"restartCount": 2, "state": {"waiting": {}},
            "lastState": {"terminated": {"finishedAt": "2026-11-24T08:08:00Z"}}}]});
        assert_eq!(row(init, false), "0/1 Init:0/1 2 (2m ago)");
        assert_eq!(
            row(
                json!({"phase": "Failed", "reason": "DeadlineExceeded"}),
                true
            ),
            "0/1 DeadlineExceeded 0"
        );
    }
}
