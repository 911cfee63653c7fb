//! The ReplicaSet controller: as many pods as asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::admission;
use super::controllers::Controller;
use super::events::{Reporter, Tone};
use super::kinds::Kind;
use super::object::{Key, controller, is_deleting, meta, owners, put, uid};
use super::store::{Change, Changed, DeleteOptions, Store};
use super::work::Work;

/// The wait before a refused pod is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Keeps the pods of ReplicaSets.
#[derive(Debug)]
pub(crate) struct Replicas {
    store: Store,
    events: Reporter,
    /// The names of each ReplicaSet's pods, by its uid.
    pods: HashMap<String, BTreeSet<String>>,
}

impl Replicas {
    pub(crate) fn new(store: Store, events: Reporter) -> Self {
        Self {
            store,
            events,
            pods: HashMap::new(),
        }
    }
}

impl Controller for Replicas {
    type Key = Key;

    fn observe(&mut self, change: &Change, work: &mut Work<Key>) {
        let object = &change.object;
        match change.kind {
            Kind::ReplicaSet if change.what != Changed::Deleted => work.now(Key::of(object)),
            Kind::Pod => {
                let Some(owner) = controller(object) else {
                    return;
                };
                let name = owners(object)
                    .find(|one| one["uid"] == owner && one["kind"] == "ReplicaSet")
                    .and_then(|one| one["name"].as_str());
                let Some(name) = name else { return };
                let pods = self.pods.entry(owner.to_owned()).or_default();
                if change.what == Changed::Deleted {
                    pods.remove(meta(object, "name"));
                    if pods.is_empty() {
                        self.pods.remove(owner);
                    }
                } else {
                    pods.insert(meta(object, "name").to_owned());
                }
                work.now(Key {
                    namespace: meta(object, "namespace").into(),
                    name: name.into(),
                });
            }
            _ => {}
        }
    }

    fn sync(&mut self, key: Key, work: &mut Work<Key>) {
        let Some(set) = self.store.find(Kind::ReplicaSet, &key.namespace, &key.name) else {
            return;
        };
        let over = |pod: &Value| {
            matches!(
                pod["status"]["phase"].as_str(),
                Some("Succeeded" | "Failed")
            )
        };
        let mut pods: Vec<Arc<Value>> = self
            .pods
            .get(uid(&set))
            .into_iter()
            .flatten()
            .filter_map(|name| self.store.find(Kind::Pod, &key.namespace, name))
            .collect();
        pods.retain(|pod| !is_deleting(pod) && !over(pod));
        let wanted = set["spec"]["replicas"]
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(1);
        if !is_deleting(&set) {
            if pods.len() > wanted {
                // Those that are not ready go first.
                pods.sort_by_key(|pod| !is_ready(pod));
                for pod in pods.split_off(wanted) {
                    self.delete(&set, &pod);
                }
            }
            while pods.len() < wanted {
                match admission::create_pod(&self.store, new_pod(&set)) {
                    Ok(pod) => {
                        self.events.tell(
                            &set,
                            Tone::Normal,
                            "SuccessfulCreate",
                            &format!("Created pod: {}", meta(&pod, "name")),
                        );
                        pods.push(pod);
                    }
                    Err(refused) => {
                        self.events.tell(
                            &set,
                            Tone::Warning,
                            "FailedCreate",
                            &format!("Error creating: {refused}"),
                        );
                        work.after(key.clone(), AGAIN);
                        break;
                    }
                }
            }
        }
        self.write(&set, &pods);
    }
}

impl Replicas {
    fn delete(&self, set: &Value, pod: &Value) {
        let key = Key::of(pod);
        if self
            .store
            .delete(
                Kind::Pod,
                &key.namespace,
                &key.name,
                &DeleteOptions::default(),
            )
            .is_ok()
        {
            self.events.tell(
                set,
                Tone::Normal,
                "SuccessfulDelete",
                &format!("Deleted pod: {}", key.name),
            );
        }
    }

    fn write(&self, set: &Value, pods: &[Arc<Value>]) {
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        let number = |n: usize| if n == 0 { Value::Null } else { n.into() };
        // One that is gone needs no status.
        let _ = self.store.modify(
            Kind::ReplicaSet,
            meta(set, "namespace"),
            meta(set, "name"),
            |stored| {
                let generation = stored["metadata"]["generation"].clone();
                let status = &mut stored["status"];
                put(status, "replicas", pods.len().into());
                put(status, "fullyLabeledReplicas", number(pods.len()));
                put(status, "readyReplicas", number(ready));
                put(status, "availableReplicas", number(ready));
                put(status, "observedGeneration", generation);
            },
        );
    }
}

fn new_pod(set: &Value) -> Value {
    let template = &set["spec"]["template"];
    let mut pod = json!({
        "metadata": {
            "generateName": format!("{}-", meta(set, "name")),
            "namespace": meta(set, "namespace"),
            "labels": template["metadata"]["labels"],
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": meta(set, "name"), "uid": uid(set),
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": template["spec"],
    });
    put(
        &mut pod["metadata"],
        "annotations",
        template["metadata"]["annotations"].clone(),
    );
    pod
}

fn is_ready(pod: &Value) -> bool {
    pod["status"]["conditions"].as_array().is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True")
    })
}
