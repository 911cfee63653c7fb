//! A namespace under watch: everything that happens to its Jobs, pods and events, in the order in which it comes.

use std::time::Duration;

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::exchanges::plain;
use super::place::{PATIENCE, Place};

/// The image that both sides have; on the sandbox it runs the command that the container names.
pub(super) const IMAGE: &str = "llmctl-executor-frontier:latest";

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) kind: &'static str,
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(super) what: String,
    pub(super) object: Value,
}

pub(super) struct Scene<'a> {
    pub(super) place: &'a Place,
    pub(super) namespace: String,
    node: String,
    pub(super) seen: Vec<Seen>,
    coming: mpsc::UnboundedReceiver<Seen>,
    _watches: JoinSet<()>,
}

const WATCHED: [(&str, &str); 5] = [
    ("Job", "/apis/batch/v1"),
    ("Pod", "/api/v1"),
    ("Event", "/api/v1"),
    ("ConfigMap", "/api/v1"),
    ("ReplicaSet", "/apis/apps/v1"),
];

impl<'a> Scene<'a> {
    pub(super) async fn open(place: &'a Place) -> Self {
        let namespace = place.another().await;
        let nodes = send(place, "GET", "/api/v1/nodes", Value::Null).await.1;
        let node = nodes["items"][0]["metadata"]["name"].as_str().unwrap();
        let (sender, coming) = mpsc::unbounded_channel();
        let mut watches = JoinSet::new();
        for (kind, root) in WATCHED {
            let path = format!("{root}/namespaces/{namespace}/{}s", kind.to_lowercase());
            let from = send(place, "GET", &path, Value::Null).await.1;
            let from = from["metadata"]["resourceVersion"]
                .as_str()
                .unwrap()
                .to_owned();
            let request = http::Request::get(format!(
                "{path}?watch=1&resourceVersion={from}&timeoutSeconds=600"
            ))
            .body(Vec::new())
            .unwrap();
            let lines = place.client.request_stream(request).await.unwrap();
            let sender = sender.clone();
            watches.spawn(async move {
                let mut lines = lines.lines();
                while let Ok(Some(line)) = lines.try_next().await {
                    let mut line: Value = serde_json::from_str(&line).unwrap();
                    let seen = Seen {
                        kind,
                        what: line["type"].as_str().unwrap().to_owned(),
                        object: line["object"].take(),
                    };
                    if sender.send(seen).is_err() {
                        return;
                    }
                }
            });
        }
        Self {
            place,
            namespace,
            node: format!(" to {node}"),
            seen: Vec::new(),
            coming,
            _watches: watches,
        }
    }

    /// The path of a resource in the namespace: `jobs/x`.
    pub(super) fn path(&self, resource: &str) -> String {
        let plural = resource.split(['/', '?']).next().unwrap();
        let root = match plural {
            "jobs" => "/apis/batch/v1",
            "deployments" | "replicasets" => "/apis/apps/v1",
            _ => "/api/v1",
        };
        format!("{root}/namespaces/{}/{resource}", self.namespace)
    }

    /// Sends a request about a resource in the namespace and gives code and answer.
    pub(super) async fn ask(&self, method: &str, resource: &str, body: Value) -> (u16, Value) {
        send(self.place, method, &self.path(resource), body).await
    }

    /// [`Self::ask`] for what has to succeed.
    pub(super) async fn done(&self, method: &str, resource: &str, body: Value) -> Value {
        let (code, answer) = self.ask(method, resource, body).await;
        assert!(code < 300, "{method} {resource}: {answer}");
        answer
    }

    /// Makes a Job of one container that runs a shell script; `change` may alter its spec first.
    pub(super) async fn job(
        &self,
        name: &str,
        script: &str,
        change: impl FnOnce(&mut Value),
    ) -> Value {
        let mut spec = json!({"backoffLimit": 0, "template": {"spec": pod_spec(script)}});
        change(&mut spec);
        let job = json!({"metadata": {"name": name, "labels": {"case": name}}, "spec": spec});
        self.done("POST", "jobs", job).await
    }

    /// Makes a pod of one container that runs a shell script.
    pub(super) async fn pod(
        &self,
        name: &str,
        script: &str,
        change: impl FnOnce(&mut Value),
    ) -> Value {
        let mut spec = pod_spec(script);
        change(&mut spec);
        let pod = json!({"metadata": {"name": name}, "spec": spec});
        self.done("POST", "pods", pod).await
    }

    /// The first thing that fits, among those that happened and those to come.
    pub(super) async fn until(&mut self, what: &str, fits: impl Fn(&Seen) -> bool) -> Value {
        if let Some(found) = self.seen.iter().find(|seen| fits(seen)) {
            return found.object.clone();
        }
        let search = async {
            loop {
                let seen = self.coming.recv().await.expect("the watches go on");
                self.seen.push(seen.clone());
                if fits(&seen) {
                    return seen.object;
                }
            }
        };
        let found = timeout(PATIENCE, search).await;
        found.unwrap_or_else(|_| panic!("no {what}; what happened:\n{}", self.chronicle()))
    }

    pub(super) async fn until_gone(&mut self, kind: &str, name: &str) -> Value {
        self.until(&format!("end of {kind} {name}"), |seen| {
            seen.kind == kind && seen.what == "DELETED" && is_of(seen, name)
        })
        .await
    }

    pub(super) async fn until_job(&mut self, name: &str, condition: &str) -> Value {
        self.until(&format!("{condition} of {name}"), |seen| {
            seen.kind == "Job"
                && seen.object["metadata"]["name"] == name
                && has_condition(&seen.object, condition)
        })
        .await
    }

    pub(super) async fn until_running(&mut self, pod: &str) -> Value {
        self.until(&format!("pod {pod} that runs"), |seen| {
            seen.kind == "Pod"
                && is_of(seen, pod)
                && seen.object["status"]["containerStatuses"][0]["state"]["running"].is_object()
        })
        .await
    }

    pub(super) async fn until_waiting(&mut self, pod: &str, reason: &str) -> Value {
        self.until(&format!("pod {pod} that waits: {reason}"), |seen| {
            seen.kind == "Pod" && is_of(seen, pod) && waits(&seen.object) == reason
        })
        .await
    }

    pub(super) async fn until_phase(&mut self, pod: &str, phase: &str) -> Value {
        self.until(&format!("pod {pod} {phase}"), |seen| {
            seen.kind == "Pod" && is_of(seen, pod) && seen.object["status"]["phase"] == phase
        })
        .await
    }

    pub(super) async fn until_event(&mut self, about: &str, reason: &str) -> Value {
        self.until(&format!("event {reason} about {about}"), |seen| {
            seen.kind == "Event" && is_about(&seen.object, about) && seen.object["reason"] == reason
        })
        .await
    }

    /// Takes in what comes until nothing has come for a while.
    pub(super) async fn settle(&mut self) {
        while let Ok(Some(seen)) = timeout(Duration::from_millis(1500), self.coming.recv()).await {
            self.seen.push(seen);
        }
    }

    /// What is gone, in the order in which it went: each kind has a watch of its own, so the versions tell.
    pub(super) fn gone(&self) -> Vec<&Seen> {
        let version = |seen: &&Seen| {
            let version = seen.object["metadata"]["resourceVersion"].as_str();
            version.and_then(|version| version.parse::<u64>().ok())
        };
        let mut gone: Vec<&Seen> = self
            .seen
            .iter()
            .filter(|seen| seen.what == "DELETED")
            .collect();
        gone.sort_by_key(version);
        gone
    }

    /// The events about an object, in the order in which they were first told: type, reason and message.
    pub(super) fn events(&self, about: &str) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for seen in self.seen.iter().filter(|seen| seen.kind == "Event") {
            let event = &seen.object;
            if is_about(event, about) {
                let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
                let kind = event["involvedObject"]["kind"].as_str().unwrap_or_default();
                let line = format!(
                    "{kind} {} {}: {}",
                    text("type"),
                    text("reason"),
                    text("message")
                );
                let line = self.plain(line.into()).replace(&self.node, " to $node");
                if !told.contains(&line) {
                    told.push(line);
                }
            }
        }
        // A kubelet that has much to do tells it once more; that is no fact of the pod.
        told.retain(|line| !line.contains("failed to sync configmap cache"));
        // Each component tells on its own, so only the order about one object is sure.
        told.sort_by_key(|line| !line.starts_with("Job "));
        told
    }

    /// The different states of an object that `look` sees, in order.
    pub(super) fn states(
        &self,
        kind: &str,
        name: &str,
        look: impl Fn(&Value) -> String,
    ) -> Vec<String> {
        let mut states: Vec<String> = self
            .seen
            .iter()
            .filter(|seen| seen.kind == kind && is_of(seen, name))
            .map(|seen| match seen.what.as_str() {
                "DELETED" => "gone".to_owned(),
                _ => self.plain(look(&seen.object).into()),
            })
            .collect();
        states.dedup();
        states
    }

    /// A text without what chance made of it.
    pub(super) fn plain(&self, document: Value) -> String {
        match plain(document, &self.namespace) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    fn chronicle(&self) -> String {
        let line = |seen: &Seen| {
            let object = &seen.object;
            format!(
                "{} {} {} {} {} {}",
                seen.what,
                seen.kind,
                object["metadata"]["name"],
                object["reason"],
                object["message"],
                object["status"]
            )
        };
        self.seen.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// A pod's spec with one container that runs a shell script.
pub(super) fn pod_spec(script: &str) -> Value {
    json!({
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "c", "image": IMAGE, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", script]}],
    })
}

/// Sends a request and gives code and answer.
pub(super) async fn send(place: &Place, method: &str, path: &str, body: Value) -> (u16, Value) {
    use http_body_util::BodyExt as _;
    let media = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let bytes = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let mut request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("user-agent", "conformance/1");
    if !bytes.is_empty() {
        request = request.header("content-type", media);
    }
    let request = request.body(kube::client::Body::from(bytes)).unwrap();
    let response = place.client.send(request).await.unwrap();
    let code = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let answer = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    (code, answer)
}

/// The reason for which the first container waits.
pub(super) fn waits(pod: &Value) -> &str {
    pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]
        .as_str()
        .unwrap_or_default()
}

pub(super) fn has_condition(object: &Value, name: &str) -> bool {
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|one| one["type"] == name && one["status"] == "True")
}

/// The conditions of an object as text: type, status, reason and message.
pub(super) fn conditions(object: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| {
            format!(
                "{}={} {} {}",
                text(&one["type"]),
                text(&one["status"]),
                text(&one["reason"]),
                text(&one["message"])
            )
        })
        .collect()
}

/// Whether it is the object of that name, or a pod that was made for it.
fn is_of(seen: &Seen, name: &str) -> bool {
    named(&seen.object["metadata"]["name"], name)
}

fn is_about(event: &Value, name: &str) -> bool {
    named(&event["involvedObject"]["name"], name)
}

fn named(found: &Value, name: &str) -> bool {
    let found = found.as_str().unwrap_or_default();
    found == name
        || found
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('-'))
}
