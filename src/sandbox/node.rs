//! The one node: it runs the pods that are assigned to it, as real child processes.
//!
//! | of a real node | here |
//! |---|---|
//! | containers with a root, users and limits of their own | processes of this user in a group of their own, in a temporary directory ([`paths`]) |
//! | any image | the executor images run `llmctl-dev executor`; every other image stays in `ImagePullBackOff` |
//! | process 1 does not hear a SIGTERM that it does not handle (exit 137 after the grace period) | the same, where there is a `/proc` that tells who handles it; elsewhere the process ends by it (exit 143) |
//! | probes, lifecycle hooks, ephemeral containers, exec, port-forward | not imitated; a running container is ready |
//! | variables of services in the environment | not set |
//! | heartbeats | none; the node is ready from its first moment on, until the fault `node-silent` |

mod container;
mod environment;
mod paths;
pub(crate) mod process;
mod status;
mod volumes;
mod worker;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use super::controllers::Feed;
use super::events::{NODE, Reporter};
use super::faults::Faults;
use super::images::{Images, Reference, SIZE};
use super::kinds::Kind;
use super::logs::Logs;
use super::object::{Key, uid};
use super::store::{Change, Changed, Store};
use worker::{News, Worker};

/// The node's address.
const IP: &str = "10.244.0.1";

/// What every pod on the node shares.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) events: Reporter,
    pub(crate) faults: Faults,
    pub(crate) logs: Logs,
    pub(crate) images: Images,
    /// The program and the first arguments that a known image runs.
    pub(crate) executor: Vec<OsString>,
    /// Where the pods' directories are.
    pub(crate) dir: PathBuf,
    /// Moves whenever a ConfigMap or a Secret came or changed.
    pub(crate) configuration: watch::Sender<u64>,
    /// The uids of pods that run out of memory: a fault on demand.
    pub(crate) memory: broadcast::Sender<String>,
    addresses: AtomicU32,
}

impl Context {
    pub(crate) fn new(
        store: Store,
        events: Reporter,
        faults: Faults,
        logs: Logs,
        executor: Vec<OsString>,
        dir: PathBuf,
    ) -> Self {
        Self {
            store,
            events,
            faults,
            logs,
            images: Images::default(),
            executor,
            dir,
            configuration: watch::Sender::new(0),
            memory: broadcast::Sender::new(64),
            addresses: AtomicU32::new(0),
        }
    }

    /// Lists a pulled image in the node's status, as a kubelet does.
    pub(crate) fn show_image(&self, reference: &Reference) {
        let image = json!({"names": reference.names(), "sizeBytes": SIZE});
        let _ = self.store.modify(Kind::Node, "", NODE, |node| {
            let status = &mut node["status"]["images"];
            if !status.is_array() {
                *status = json!([]);
            }
            if let Some(list) = status.as_array_mut()
                && !list.contains(&image)
            {
                list.push(image.clone());
            }
        });
    }

    /// The next pod's address, out of 10.244.0.0/16.
    fn address(&self) -> String {
        let number = self.addresses.fetch_add(1, Ordering::Relaxed) % (255 * 252);
        format!("10.244.{}.{}", number / 252, number % 252 + 2)
    }
}

/// Runs the node until `stop` turns true; then ends every process and comes back when none is left.
pub(crate) async fn run(context: Arc<Context>, mut stop: watch::Receiver<bool>) {
    let mut node = Node {
        context,
        workers: JoinSet::new(),
        lines: HashMap::new(),
    };
    node.register();
    let mut feed = Feed::new(&node.context.store, |kind| {
        matches!(kind, Kind::Pod | Kind::ConfigMap | Kind::Secret)
    });
    let faults = node.context.faults.clone();
    let mut switched = faults.switched();
    loop {
        let silent = faults.is_silent();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            Some(done) = node.workers.join_next() => node.ended(done.ok()),
            _ = switched.changed() => {}
            // A node that is cut off hears later what happened.
            () = faults.node_reports(), if silent => {}
            change = feed.next(), if !silent => match change {
                Some(change) => node.observe(&change),
                None => break,
            },
        }
    }
    for line in node.lines.values() {
        line.send_replace(News::Shutdown);
    }
    while node.workers.join_next().await.is_some() {}
}

struct Node {
    context: Arc<Context>,
    workers: JoinSet<String>,
    /// How the worker of each pod is told the news, by the pod's uid.
    lines: HashMap<String, watch::Sender<News>>,
}

impl Node {
    fn observe(&mut self, change: &Change) {
        match change.kind {
            Kind::Pod => self.observe_pod(change),
            Kind::ConfigMap | Kind::Secret if change.what != Changed::Deleted => {
                self.context
                    .configuration
                    .send_modify(|version| *version += 1);
            }
            _ => {}
        }
    }

    fn observe_pod(&mut self, change: &Change) {
        let pod = &change.object;
        let line = self.lines.get(uid(pod));
        if change.what == Changed::Deleted {
            match line {
                Some(line) => {
                    line.send_replace(News::Gone);
                }
                None => self.context.logs.forget(uid(pod)),
            }
        } else if let Some(line) = line {
            line.send_replace(News::Pod(Arc::clone(pod)));
        } else if pod["spec"]["nodeName"] == NODE
            && !matches!(
                pod["status"]["phase"].as_str(),
                Some("Succeeded" | "Failed")
            )
        {
            // The change may be an old one, read late: what is over, or gone, is not begun again.
            let key = Key::of(pod);
            let current = self
                .context
                .store
                .find(Kind::Pod, &key.namespace, &key.name);
            let Some(current) =
                current.filter(|current| uid(current) == uid(pod) && !is_over(current))
            else {
                return;
            };
            let (line, news) = watch::channel(News::Pod(Arc::clone(&current)));
            self.lines.insert(uid(pod).to_owned(), line);
            self.workers
                .spawn(Worker::new(Arc::clone(&self.context), current, news).run());
        }
    }

    fn ended(&mut self, uid: Option<String>) {
        let Some(uid) = uid else { return };
        let gone = self
            .lines
            .remove(&uid)
            .is_some_and(|line| matches!(*line.borrow(), News::Gone));
        if gone {
            self.context.logs.forget(&uid);
        }
    }

    fn register(&self) {
        let clock = self.context.store.clock();
        let now = clock.stamp();
        let condition = |name: &str, status: &str, reason: &str, message: &str| json!({"type": name, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": now, "lastTransitionTime": now});
        let capacity =
            json!({"cpu": "16", "memory": "65536Mi", "ephemeral-storage": "100Gi", "pods": "110"});
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let node = json!({
            "metadata": {"name": NODE, "labels": {
                "kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "kubernetes.io/arch": architecture,
                "node-role.kubernetes.io/control-plane": "",
            }},
            "spec": {"podCIDR": "10.244.0.0/16", "podCIDRs": ["10.244.0.0/16"]},
            "status": {
                "addresses": [{"type": "InternalIP", "address": IP}, {"type": "Hostname", "address": NODE}],
                "allocatable": capacity, "capacity": capacity,
                "conditions": [
                    condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                    condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                    condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                    condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
                ],
                "nodeInfo": {
                    "architecture": architecture, "operatingSystem": "linux", "osImage": "llmctl-dev sandbox",
                    "kernelVersion": "", "containerRuntimeVersion": "sandbox://1", "kubeletVersion": "v1.34.4", "kubeProxyVersion": "",
                    "bootID": "", "machineID": "", "systemUUID": "",
                },
            },
        });
        // A node that is there already is this one, from before. Its status is not taken at its creation.
        let status = node["status"].clone();
        let _ = self.context.store.create(Kind::Node, node);
        let _ = self.context.store.modify(Kind::Node, "", NODE, |node| {
            node["status"] = status;
        });
    }
}

fn is_over(pod: &Value) -> bool {
    matches!(
        pod["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed")
    )
}
