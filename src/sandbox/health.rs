//! The node lifecycle controller, for the fault of a node that is not heard of: it counts as lost, then its pods are given up.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::events::{NODE, Reporter, Tone};
use super::faults::Faults;
use super::kinds::Kind;
use super::object::{Key, is_deleting};
use super::store::{DeleteOptions, Store};

/// After so long without a word the node counts as lost.
const GRACE: Duration = Duration::from_secs(50);

/// The pods on a lost node are deleted after so long, as the default tolerations say.
const TOLERATED: Duration = Duration::from_mins(5);

const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// Watches over the node for as long as it is polled.
pub(crate) async fn watch(store: Store, events: Reporter, faults: Faults) {
    let health = Health { store, events };
    let mut switched = faults.switched();
    loop {
        if !faults.is_silent() {
            if switched.changed().await.is_err() {
                return;
            }
            continue;
        }
        if speaks_within(&faults, GRACE).await {
            continue;
        }
        health.lose();
        if !speaks_within(&faults, TOLERATED).await {
            health.evict();
            faults.node_reports().await;
        }
        health.find();
    }
}

async fn speaks_within(faults: &Faults, time: Duration) -> bool {
    tokio::time::timeout(time, faults.node_reports())
        .await
        .is_ok()
}

struct Health {
    store: Store,
    events: Reporter,
}

impl Health {
    fn lose(&self) {
        let now = self.store.clock().stamp();
        let taint =
            |effect: &str| json!({"key": UNREACHABLE, "effect": effect, "timeAdded": now.as_str()});
        let lost = self.store.modify(Kind::Node, "", NODE, |node| {
            node["spec"]["taints"] = json!([taint("NoSchedule"), taint("NoExecute")]);
            for condition in conditions(node) {
                let message = "Kubelet stopped posting node status.";
                set(condition, "Unknown", "NodeStatusUnknown", message, &now);
            }
        });
        let Ok(node) = lost else { return };
        self.tell(&node, "NodeNotReady");
        for pod in self.pods() {
            let key = Key::of(&pod);
            self.events
                .tell(&pod, Tone::Warning, "NodeNotReady", "Node is not ready");
            // Gone in between is as well.
            let _ = self
                .store
                .modify(Kind::Pod, &key.namespace, &key.name, |pod| {
                    for condition in conditions(pod).filter(|one| one["type"] == "Ready") {
                        condition["status"] = "False".into();
                        condition["lastTransitionTime"] = now.as_str().into();
                    }
                });
        }
    }

    /// Marks the pods: the node itself would have to end them.
    fn evict(&self) {
        for pod in self.pods().into_iter().filter(|pod| !is_deleting(pod)) {
            let key = Key::of(&pod);
            let message = format!("Marking for deletion Pod {}/{}", key.namespace, key.name);
            self.events
                .tell(&pod, Tone::Normal, "TaintManagerEviction", &message);
            let options = DeleteOptions::default();
            let _ = self
                .store
                .delete(Kind::Pod, &key.namespace, &key.name, &options);
        }
    }

    fn find(&self) {
        let now = self.store.clock().stamp();
        let found = self.store.modify(Kind::Node, "", NODE, |node| {
            if let Some(spec) = node["spec"].as_object_mut() {
                spec.remove("taints");
            }
            for condition in conditions(node) {
                let (status, reason, message) = sound(&condition["type"]);
                set(condition, status, reason, message, &now);
                condition["lastHeartbeatTime"] = now.as_str().into();
            }
        });
        if let Ok(node) = found {
            self.tell(&node, "NodeReady");
        }
    }

    fn tell(&self, node: &Value, what: &str) {
        let message = format!("Node {NODE} status is now: {what}");
        self.events.tell(node, Tone::Normal, what, &message);
    }

    /// The pods that are on the node and not over.
    fn pods(&self) -> Vec<Arc<Value>> {
        let mut pods = self.store.list(Kind::Pod, None).1;
        pods.retain(|pod| {
            let phase = pod["status"]["phase"].as_str();
            pod["spec"]["nodeName"] == NODE && !matches!(phase, Some("Succeeded" | "Failed"))
        });
        pods
    }
}

/// What a sound node says of a condition: status, reason and message.
fn sound(condition: &Value) -> (&'static str, &'static str, &'static str) {
    match condition.as_str() {
        Some("MemoryPressure") => (
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        Some("DiskPressure") => (
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure",
        ),
        Some("PIDPressure") => (
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
        ),
        _ => ("True", "KubeletReady", "kubelet is posting ready status"),
    }
}

fn set(condition: &mut Value, status: &str, reason: &str, message: &str, now: &str) {
    condition["status"] = status.into();
    condition["reason"] = reason.into();
    condition["message"] = message.into();
    condition["lastTransitionTime"] = now.into();
}

fn conditions(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object["status"]["conditions"]
        .as_array_mut()
        .into_iter()
        .flatten()
}
