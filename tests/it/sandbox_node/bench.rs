//! A sandbox with everything that happens in it.

use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams, PostParams};
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::kinds::Kind;
use llmctl_dev::sandbox::store::{Change, Changed, Changes};
use llmctl_dev::sandbox::{Config, Sandbox};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::story;

/// Longer than anything here takes; on a paused clock it costs nothing.
const PATIENCE: Duration = Duration::from_hours(4);

/// The image that runs the executor, or the command that a container names.
pub(super) const IMAGE: &str = "llmctl-executor-frontier:dev";

pub(super) struct Bench {
    pub(super) sandbox: Sandbox,
    pub(super) client: kube::Client,
    changes: Changes,
    seen: Vec<Change>,
}

impl Bench {
    pub(super) fn new() -> Self {
        let sandbox = Sandbox::start(Config {
            executor: vec![env!("CARGO_BIN_EXE_llmctl-dev").into(), "executor".into()],
            base: "2026-11-24T08:00:00Z".parse().unwrap(),
            faults: Faults::default(),
        })
        .unwrap();
        let changes = sandbox.store().changes();
        let client = kube::Client::new(sandbox.service(), "default");
        Self {
            sandbox,
            client,
            changes,
            seen: Vec::new(),
        }
    }

    pub(super) fn jobs(&self) -> Api<Job> {
        Api::default_namespaced(self.client.clone())
    }

    /// Makes a Job of one container that runs a shell script; `change` may alter its spec first.
    pub(super) async fn run(
        &self,
        name: &str,
        script: &str,
        change: impl FnOnce(&mut Value),
    ) -> Value {
        let mut spec = json!({
            "backoffLimit": 0,
            "template": {"spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 1,
                "containers": [{"name": "executor", "image": IMAGE, "imagePullPolicy": "Never", "command": ["sh", "-c", script]}],
            }},
        });
        change(&mut spec);
        let job =
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec})).unwrap();
        let made = self
            .jobs()
            .create(&PostParams::default(), &job)
            .await
            .unwrap();
        serde_json::to_value(made).unwrap()
    }

    /// The first change that fits, among those that happened before and those that come.
    pub(super) async fn until(&mut self, fits: impl Fn(&Change) -> bool) -> Change {
        if let Some(found) = self.seen.iter().find(|change| fits(change)) {
            return found.clone();
        }
        let search = async {
            loop {
                let change = self.changes.next().await.expect("the store is there");
                self.seen.push(change.clone());
                if fits(&change) {
                    return change;
                }
            }
        };
        let found = timeout(PATIENCE, search).await;
        found.unwrap_or_else(|_| panic!("it never came; what happened:\n{}", self.chronicle()))
    }

    pub(super) async fn until_job(&mut self, name: &str, condition: &str) -> Arc<Value> {
        self.until(|change| {
            change.kind == Kind::Job
                && named(change, name)
                && has_condition(&change.object, condition)
        })
        .await
        .object
    }

    pub(super) async fn until_gone(&mut self, kind: Kind, name: &str) -> Arc<Value> {
        self.until(|change| {
            change.kind == kind && change.what == Changed::Deleted && named(change, name)
        })
        .await
        .object
    }

    /// The pod of a Job in the first state that fits.
    pub(super) async fn until_pod(
        &mut self,
        job: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Arc<Value> {
        self.until(|change| {
            change.kind == Kind::Pod
                && change.what != Changed::Deleted
                && belongs(change, job)
                && fits(&change.object)
        })
        .await
        .object
    }

    /// An event about an object whose name begins so.
    pub(super) async fn until_event(&mut self, about: &str, reason: &str) -> Arc<Value> {
        self.until(|change| {
            change.kind == Kind::Event
                && change.object["reason"] == reason
                && change.object["involvedObject"]["name"]
                    .as_str()
                    .is_some_and(|name| name.starts_with(about))
        })
        .await
        .object
    }

    /// The name of a Job's pod, once its process has written its first line.
    pub(super) async fn until_first_line(&mut self, job: &str) -> String {
        let pod = self.until_pod(job, |pod| state(pod) == "running").await;
        let pod = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let pods: Api<Pod> = Api::default_namespaced(self.client.clone());
        let follow = LogParams {
            follow: true,
            ..LogParams::default()
        };
        let mut lines = pods.log_stream(&pod, &follow).await.unwrap().lines();
        lines.try_next().await.unwrap().expect("a line");
        pod
    }

    /// Waits for one more change.
    pub(super) async fn next(&mut self) {
        let change = timeout(PATIENCE, self.changes.next())
            .await
            .expect("in time");
        self.seen.extend(change);
    }

    /// Takes in what has happened by now.
    pub(super) fn catch_up(&mut self) {
        while let Some(change) = self.changes.try_next() {
            self.seen.push(change);
        }
    }

    pub(super) fn seen(&self) -> &[Change] {
        &self.seen
    }

    /// What happened to a Job, step by step.
    pub(super) fn job_story(&mut self, name: &str) -> Vec<String> {
        self.catch_up();
        story::of(
            self.seen
                .iter()
                .filter(|one| one.kind == Kind::Job && named(one, name))
                .map(line),
            story::job_step,
        )
    }

    /// What happened to a Job's only pod, step by step.
    pub(super) fn pod_story(&mut self, job: &str) -> Vec<String> {
        self.catch_up();
        story::of(
            self.seen
                .iter()
                .filter(|one| one.kind == Kind::Pod && belongs(one, job))
                .map(line),
            story::pod_step,
        )
    }

    /// The events about a Job and its pod, in order.
    pub(super) fn events(&mut self, job: &str) -> Vec<String> {
        self.catch_up();
        let events = self
            .seen
            .iter()
            .filter(|one| one.kind == Kind::Event && one.what == Changed::Added);
        events
            .filter_map(|one| story::event(&one.object, job))
            .collect()
    }

    fn chronicle(&self) -> String {
        let one = |change: &Change| {
            let object = &change.object;
            let told = [&object["reason"], &object["message"], &object["status"]]
                .map(Value::to_string)
                .join(" ");
            format!(
                "{:?} {} {} {told}",
                change.what, change.kind, object["metadata"]["name"]
            )
        };
        self.seen.iter().map(one).collect::<Vec<_>>().join("\n")
    }
}

fn line(change: &Change) -> (&str, &Value) {
    let what = match change.what {
        Changed::Added => "ADDED",
        Changed::Modified => "MODIFIED",
        Changed::Deleted => "DELETED",
    };
    (what, &change.object)
}

fn named(change: &Change, name: &str) -> bool {
    change.object["metadata"]["name"] == name
}

fn belongs(change: &Change, job: &str) -> bool {
    change.object["metadata"]["labels"]["job-name"] == job
}

pub(super) fn has_condition(object: &Value, name: &str) -> bool {
    let all = object["status"]["conditions"].as_array();
    all.is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == name && one["status"] == "True")
    })
}

/// The state of a pod's only container: `running`, or the reason why it waits or ended.
pub(super) fn state(pod: &Value) -> &str {
    let state = &pod["status"]["containerStatuses"][0]["state"];
    if state["running"].is_object() {
        return "running";
    }
    ["waiting", "terminated"]
        .iter()
        .find_map(|one| state[one]["reason"].as_str())
        .unwrap_or("")
}
