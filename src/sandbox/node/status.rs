//! A pod's status as the kubelet writes it, computed from the states of its containers: pure.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::clock::whole_seconds;
use crate::sandbox::object::put;

/// What one container is doing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    Waiting {
        reason: String,
        message: Option<String>,
    },
    Running {
        since: Timestamp,
    },
    Terminated(Ended),
}

impl State {
    pub(crate) fn waiting(reason: &str) -> Self {
        Self::Waiting {
            reason: reason.to_owned(),
            message: None,
        }
    }
}

/// How an instance of a container ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) exit_code: i32,
    pub(crate) reason: String,
    pub(crate) message: Option<String>,
    /// None when it never ran.
    pub(crate) started: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
    pub(crate) container_id: Option<String>,
}

impl Ended {
    /// A container that the node has nothing to show of.
    pub(crate) fn unknown() -> Self {
        Self {
            exit_code: 137,
            reason: "ContainerStatusUnknown".to_owned(),
            message: Some(
                "The container could not be located when the pod was terminated".to_owned(),
            ),
            started: None,
            finished: None,
            container_id: None,
        }
    }

    fn json(&self) -> Value {
        let time = |at: Option<Timestamp>| at.map_or(Value::Null, |at| whole_seconds(at).into());
        let mut ended = json!({
            "exitCode": self.exit_code, "reason": self.reason,
            "startedAt": time(self.started), "finishedAt": time(self.finished),
        });
        put(
            &mut ended,
            "message",
            self.message.clone().map_or(Value::Null, Value::from),
        );
        put(
            &mut ended,
            "containerID",
            self.container_id.clone().map_or(Value::Null, Value::from),
        );
        ended
    }
}

/// One container as the status shows it.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    /// Its part of the pod's spec.
    pub(crate) spec: Value,
    /// Runs to its end before the others start.
    pub(crate) init: bool,
    pub(crate) state: State,
    pub(crate) last: Option<Ended>,
    pub(crate) restarts: u32,
    /// The runtime's names for image and container, once it was created.
    pub(crate) image: Option<(String, String)>,
    pub(crate) id: Option<String>,
}

impl Container {
    pub(crate) fn new(spec: Value, init: bool) -> Self {
        let reason = if init {
            "PodInitializing"
        } else {
            "ContainerCreating"
        };
        Self {
            spec,
            init,
            state: State::waiting(reason),
            last: None,
            restarts: 0,
            image: None,
            id: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.spec["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    fn json(&self) -> Value {
        let running = self.is_running();
        let done =
            self.init && matches!(&self.state, State::Terminated(ended) if ended.exit_code == 0);
        let state = match &self.state {
            State::Waiting { reason, message } => {
                let mut waiting = json!({"reason": reason});
                put(
                    &mut waiting,
                    "message",
                    message.clone().map_or(Value::Null, Value::from),
                );
                json!({"waiting": waiting})
            }
            State::Running { since } => json!({"running": {"startedAt": whole_seconds(*since)}}),
            State::Terminated(ended) => json!({"terminated": ended.json()}),
        };
        let (image, image_id) = match &self.image {
            Some((image, id)) => (Value::from(image.as_str()), id.as_str()),
            None => (self.spec["image"].clone(), ""),
        };
        let mut status = json!({
            "name": self.name(), "image": image, "imageID": image_id, "state": state,
            "lastState": self.last.as_ref().map_or_else(|| json!({}), |last| json!({"terminated": last.json()})),
            "ready": running && !self.init || done, "started": running, "restartCount": self.restarts,
        });
        if let Some(id) = &self.id {
            status["containerID"] = id.as_str().into();
            let resources = &self.spec["resources"];
            status["resources"] = if resources.is_object() {
                resources.clone()
            } else {
                json!({})
            };
        }
        let mounts: Vec<Value> = self.spec["volumeMounts"]
            .as_array()
            .into_iter()
            .flatten()
            .map(mount)
            .collect();
        if !mounts.is_empty() {
            status["volumeMounts"] = mounts.into();
        }
        status
    }
}

fn mount(spec: &Value) -> Value {
    let mut mount = json!({"name": spec["name"], "mountPath": spec["mountPath"]});
    if spec["readOnly"] == true {
        mount["readOnly"] = true.into();
        mount["recursiveReadOnly"] = "Disabled".into();
    }
    mount
}

/// The pod as its node knows it.
#[derive(Clone, Debug)]
pub(crate) struct PodState {
    pub(crate) containers: Vec<Container>,
    pub(crate) started: Timestamp,
    /// The pod's network and volumes are up.
    pub(crate) sandbox: bool,
    pub(crate) ip: Option<String>,
    /// Nothing runs any more: a final phase may be shown.
    pub(crate) settled: bool,
    /// Some container never came to be: that it is not ready keeps its old reason.
    pub(crate) unseen: bool,
    /// The reason and the message of a pod that the node ended.
    pub(crate) evicted: Option<(&'static str, &'static str)>,
}

/// How the containers add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }

    fn text(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

impl PodState {
    /// The phase that the containers add up to, under the pod's restart policy.
    pub(crate) fn phase(&self, policy: &str) -> Phase {
        if self.evicted.is_some() {
            return Phase::Failed;
        }
        let failed = |container: &Container| matches!(&container.state, State::Terminated(ended) if ended.exit_code != 0);
        let inits = || self.containers.iter().filter(|one| one.init);
        if policy == "Never" && inits().any(failed) {
            return Phase::Failed;
        }
        if inits()
            .any(|one| !matches!(&one.state, State::Terminated(ended) if ended.exit_code == 0))
        {
            return Phase::Pending;
        }
        let (mut waiting, mut running, mut stopped, mut failures) = (0, 0, 0, 0);
        for container in self.containers.iter().filter(|one| !one.init) {
            match &container.state {
                State::Running { .. } => running += 1,
                State::Terminated(ended) => {
                    stopped += 1;
                    failures += usize::from(ended.exit_code != 0);
                }
                State::Waiting { .. } if container.last.is_some() => running += 1,
                State::Waiting { .. } => waiting += 1,
            }
        }
        match policy {
            _ if waiting > 0 => Phase::Pending,
            _ if running > 0 || stopped == 0 => Phase::Running,
            "Never" if failures > 0 => Phase::Failed,
            "Always" => Phase::Running,
            "OnFailure" if failures > 0 => Phase::Running,
            _ => Phase::Succeeded,
        }
    }

    /// Writes what is known into the pod's status.
    pub(crate) fn write(&self, pod: &mut Value, node_ip: &str, now: Timestamp) {
        let policy = pod["spec"]["restartPolicy"]
            .as_str()
            .unwrap_or("Always")
            .to_owned();
        let deleting = pod["metadata"]["deletionTimestamp"].is_string();
        // A pod on its way out is not started again, so its containers' ends are final.
        let policy = if deleting && self.settled {
            "Never"
        } else {
            policy.as_str()
        };
        let phase = self.phase(policy);
        let generation = pod["metadata"]["generation"].clone();
        let told = if self.unseen { Phase::Pending } else { phase };
        let conditions = self.conditions(&pod["status"], told, &generation, now);
        let status = &mut pod["status"];
        if !phase.is_final() || self.settled {
            status["phase"] = phase.text().into();
        }
        if self.settled
            && let Some((reason, message)) = self.evicted
        {
            status["reason"] = reason.into();
            status["message"] = message.into();
        }
        put(status, "observedGeneration", generation);
        status["conditions"] = conditions;
        status["hostIP"] = node_ip.into();
        status["hostIPs"] = json!([{"ip": node_ip}]);
        status["startTime"] = whole_seconds(self.started).into();
        if let Some(ip) = &self.ip {
            status["podIP"] = ip.as_str().into();
            status["podIPs"] = json!([{"ip": ip}]);
        }
        for (field, init) in [
            ("initContainerStatuses", true),
            ("containerStatuses", false),
        ] {
            let all: Vec<Value> = self
                .containers
                .iter()
                .filter(|one| one.init == init)
                .map(Container::json)
                .collect();
            if !all.is_empty() {
                status[field] = all.into();
            }
        }
    }

    fn conditions(&self, old: &Value, phase: Phase, generation: &Value, now: Timestamp) -> Value {
        let unready = |init: bool| -> Vec<&str> {
            let ready = |one: &Container| {
                if init {
                    matches!(&one.state, State::Terminated(e) if e.exit_code == 0)
                } else {
                    one.is_running()
                }
            };
            self.containers
                .iter()
                .filter(|one| one.init == init && !ready(one))
                .map(Container::name)
                .collect()
        };
        let waiting = unready(false);
        let (ready, reason, message) = match phase {
            Phase::Succeeded => (false, Some("PodCompleted"), None),
            Phase::Failed => (false, Some("PodFailed"), None),
            _ if waiting.is_empty() => (true, None, None),
            _ => {
                let message = format!("containers with unready status: [{}]", waiting.join(" "));
                (false, Some("ContainersNotReady"), Some(message))
            }
        };
        let inits = unready(true);
        let (initialized, init_reason, init_message) = match phase {
            Phase::Succeeded => (true, Some("PodCompleted"), None),
            _ if inits.is_empty() => (true, None, None),
            _ => {
                let message = format!("containers with incomplete status: [{}]", inits.join(" "));
                (false, Some("ContainersNotInitialized"), Some(message))
            }
        };
        let make = |name: &str, is: bool, reason: Option<&str>, message: Option<String>| {
            let is = if is { "True" } else { "False" };
            let before = old["conditions"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|one| one["type"] == name);
            let since = before.filter(|before| before["status"] == is).map_or_else(
                || whole_seconds(now).into(),
                |before| before["lastTransitionTime"].clone(),
            );
            let mut condition = json!({"type": name, "status": is, "lastProbeTime": null, "lastTransitionTime": since});
            put(&mut condition, "observedGeneration", generation.clone());
            put(
                &mut condition,
                "reason",
                reason.map_or(Value::Null, Value::from),
            );
            put(
                &mut condition,
                "message",
                message.map_or(Value::Null, Value::from),
            );
            condition
        };
        json!([
            make("PodReadyToStartContainers", self.sandbox, None, None),
            make("Initialized", initialized, init_reason, init_message),
            make("Ready", ready, reason, message.clone()),
            make("ContainersReady", ready, reason, message),
            make("PodScheduled", true, None, None),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit_code: i32) -> State {
        let reason = if exit_code == 0 { "Completed" } else { "Error" };
        State::Terminated(Ended {
            exit_code,
            reason: reason.to_owned(),
            message: None,
            started: None,
            finished: None,
            container_id: None,
        })
    }

    fn running() -> State {
        State::Running {
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn pod_state(states: Vec<State>) -> PodState {
        let containers = states.into_iter().enumerate().map(|(number, state)| {
            let mut container =
                Container::new(json!({"name": format!("c{number}"), "image": "x:1"}), false);
            container.state = state;
            container
        });
        PodState {
            containers: containers.collect(),
            started: Timestamp::UNIX_EPOCH,
            sandbox: true,
            ip: None,
            settled: false,
            unseen: false,
            evicted: None,
        }
    }

    #[test]
    fn phases_by_policy() {
        let waiting = || State::waiting("ContainerCreating");
        let cases = [
            (vec![waiting()], "Never", Phase::Pending),
            (vec![running(), waiting()], "Never", Phase::Pending),
            (vec![running(), ended(0)], "Never", Phase::Running),
            (vec![ended(0), ended(0)], "Never", Phase::Succeeded),
            (vec![ended(0), ended(3)], "Never", Phase::Failed),
            (vec![ended(0)], "OnFailure", Phase::Succeeded),
            (vec![ended(1)], "OnFailure", Phase::Running),
            (vec![ended(0)], "Always", Phase::Running),
        ];
        for (states, policy, phase) in cases {
            assert_eq!(
                pod_state(states.clone()).phase(policy),
                phase,
                "{states:?} {policy}"
            );
        }
    }

    #[test]
    fn a_final_phase_is_shown_only_when_nothing_is_left_of_the_pod() {
        let mut pod = json!({"metadata": {"generation": 1}, "spec": {"restartPolicy": "Never"}, "status": {"phase": "Running"}});
        let mut state = pod_state(vec![ended(3)]);
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        state.write(&mut pod, "10.0.0.1", at(5));
        let ready = |pod: &Value| pod["status"]["conditions"][2].clone();
        assert_eq!(pod["status"]["phase"], "Running");
        assert_eq!(ready(&pod)["reason"], "PodFailed");
        assert_eq!(ready(&pod)["lastTransitionTime"], "1970-01-01T00:00:05Z");
        state.settled = true;
        state.sandbox = false;
        state.write(&mut pod, "10.0.0.1", at(9));
        assert_eq!(pod["status"]["phase"], "Failed");
        assert_eq!(
            ready(&pod)["lastTransitionTime"],
            "1970-01-01T00:00:05Z",
            "unchanged conditions keep their time"
        );
        assert_eq!(pod["status"]["conditions"][0]["status"], "False");
    }

    #[test]
    fn unready_containers_are_named() {
        let mut pod = json!({"metadata": {"generation": 1}, "spec": {}, "status": {}});
        pod_state(vec![running(), State::waiting("ContainerCreating")]).write(
            &mut pod,
            "10.0.0.1",
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(
            pod["status"]["conditions"][2]["message"],
            "containers with unready status: [c1]"
        );
        assert_eq!(pod["status"]["containerStatuses"][0]["ready"], true);
    }
}
