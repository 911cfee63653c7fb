//! The scheduler: every pod to the one node, if its requests fit there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::controllers::Controller;
use super::events::{NODE, Reporter, Tone};
use super::kinds::Kind;
use super::object::{Key, is_deleting, put, uid};
use super::quantity::Quantity;
use super::store::{Change, Changed, Store};
use super::work::Work;

/// Amounts by resource name.
type Amounts = BTreeMap<String, Quantity>;

/// Assigns pods to the node.
#[derive(Debug)]
pub(crate) struct Scheduler {
    store: Store,
    events: Reporter,
    /// What the pods on the node take, by pod uid.
    taken: HashMap<String, Amounts>,
    /// The pods that found no place.
    waiting: BTreeSet<Key>,
}

impl Scheduler {
    pub(crate) fn new(store: Store, events: Reporter) -> Self {
        Self {
            store,
            events,
            taken: HashMap::new(),
            waiting: BTreeSet::new(),
        }
    }
}

impl Controller for Scheduler {
    type Key = Key;

    fn observe(&mut self, change: &Change, work: &mut Work<Key>) {
        let object = &change.object;
        match change.kind {
            Kind::Pod => {
                let key = Key::of(object);
                let over = change.what == Changed::Deleted
                    || matches!(
                        object["status"]["phase"].as_str(),
                        Some("Succeeded" | "Failed")
                    );
                if over {
                    self.waiting.remove(&key);
                    if self.taken.remove(uid(object)).is_some() {
                        self.waiting.iter().for_each(|key| work.now(key.clone()));
                    }
                } else if is_assigned(object) {
                    self.waiting.remove(&key);
                    self.taken.insert(uid(object).to_owned(), requests(object));
                } else if !self.waiting.contains(&key) {
                    work.now(key);
                }
            }
            Kind::Node | Kind::PersistentVolumeClaim => {
                self.waiting.iter().for_each(|key| work.now(key.clone()));
            }
            _ => {}
        }
    }

    fn sync(&mut self, key: Key, _: &mut Work<Key>) {
        let Some(pod) = self.store.find(Kind::Pod, &key.namespace, &key.name) else {
            return;
        };
        if is_assigned(&pod) || is_deleting(&pod) {
            return;
        }
        match self.obstacle(&pod) {
            None => self.assign(&pod, &key),
            // Tried again only because something changed, and nothing came of it: that is no news.
            Some(_) if self.waiting.contains(&key) => {}
            Some(why) => self.refuse(&pod, key, &why),
        }
    }
}

impl Scheduler {
    /// What keeps the pod off the node, as the scheduler words it.
    fn obstacle(&self, pod: &Value) -> Option<String> {
        let Some(node) = self.store.find(Kind::Node, "", NODE) else {
            return Some("no nodes available to schedule pods".to_owned());
        };
        for volume in pod["spec"]["volumes"].as_array().into_iter().flatten() {
            let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() else {
                continue;
            };
            let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
            if self
                .store
                .find(Kind::PersistentVolumeClaim, namespace, claim)
                .is_none()
            {
                return Some(unavailable(
                    &format!("persistentvolumeclaim {claim:?} not found"),
                    false,
                ));
            }
        }
        if node["spec"]["unschedulable"] == true {
            return Some(unavailable("1 node(s) were unschedulable", true));
        }
        if let Some(taint) = node["spec"]["taints"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|taint| taint["effect"] == "NoSchedule")
        {
            let key = taint["key"].as_str().unwrap_or_default();
            return Some(unavailable(
                &format!("1 node(s) had untolerated taint {{{key}: }}"),
                true,
            ));
        }
        let selects = |(label, value): (&String, &Value)| {
            node["metadata"]["labels"].get(label) == Some(value)
        };
        if !pod["spec"]["nodeSelector"]
            .as_object()
            .is_none_or(|wanted| wanted.iter().all(selects))
        {
            return Some(unavailable(
                "1 node(s) didn't match Pod's node affinity/selector",
                true,
            ));
        }
        let short = self.shortages(&node, &requests(pod));
        (!short.is_empty()).then(|| unavailable(&short.join(", "), true))
    }

    fn shortages(&self, node: &Value, wanted: &Amounts) -> Vec<String> {
        let allocatable = |name: &str| {
            node["status"]["allocatable"][name]
                .as_str()
                .and_then(Quantity::parse)
                .unwrap_or(Quantity::ZERO)
        };
        let mut short = Vec::new();
        if Quantity::whole(i64::try_from(self.taken.len() + 1).unwrap_or(i64::MAX))
            > allocatable("pods")
        {
            short.push("1 Too many pods".to_owned());
        }
        for (name, amount) in wanted {
            let taken = self
                .taken
                .values()
                .filter_map(|pod| pod.get(name))
                .fold(*amount, |sum, one| sum.plus(*one));
            if *amount > Quantity::ZERO && taken > allocatable(name) {
                short.push(format!("1 Insufficient {name}"));
            }
        }
        short
    }

    fn assign(&mut self, pod: &Value, key: &Key) {
        let now = self.store.clock().stamp();
        let bound = self.store.modify(Kind::Pod, &key.namespace, &key.name, |pod| {
            pod["spec"]["nodeName"] = NODE.into();
            pod["status"]["conditions"] = json!([{
                "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
            }]);
        });
        if bound.is_ok() {
            self.waiting.remove(key);
            self.taken.insert(uid(pod).to_owned(), requests(pod));
            let message = format!(
                "Successfully assigned {}/{} to {NODE}",
                key.namespace, key.name
            );
            self.events.tell(pod, Tone::Normal, "Scheduled", &message);
        }
    }

    fn refuse(&mut self, pod: &Value, key: Key, why: &str) {
        let now = self.store.clock().stamp();
        let generation = pod["metadata"]["generation"].clone();
        self.events
            .tell(pod, Tone::Warning, "FailedScheduling", why);
        // A pod that went meanwhile needs no place.
        let _ = self.store.modify(Kind::Pod, &key.namespace, &key.name, |pod| {
            let mut condition = json!({
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why,
                "lastProbeTime": null, "lastTransitionTime": now,
            });
            put(&mut condition, "observedGeneration", generation);
            pod["status"]["conditions"] = json!([condition]);
        });
        self.waiting.insert(key);
    }
}

fn is_assigned(pod: &Value) -> bool {
    pod["spec"]["nodeName"]
        .as_str()
        .is_some_and(|node| !node.is_empty())
}

fn unavailable(why: &str, filtered: bool) -> String {
    let preemption = if filtered {
        "no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    } else {
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    };
    format!("0/1 nodes are available: {why}. {preemption}")
}

/// What a pod asks for: the sum of its containers, or its greediest init container where that is more.
fn requests(pod: &Value) -> Amounts {
    let of = |container: &Value| -> Amounts {
        let resources = &container["resources"];
        let mut amounts = Amounts::new();
        for which in ["limits", "requests"] {
            for (name, amount) in resources[which].as_object().into_iter().flatten() {
                let amount = amount
                    .as_str()
                    .and_then(Quantity::parse)
                    .or_else(|| amount.as_i64().map(Quantity::whole));
                amounts.insert(name.clone(), amount.unwrap_or(Quantity::ZERO));
            }
        }
        amounts
    };
    let mut total = Amounts::new();
    for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
        for (name, amount) in of(container) {
            let sum = total.entry(name).or_default();
            *sum = sum.plus(amount);
        }
    }
    for container in pod["spec"]["initContainers"]
        .as_array()
        .into_iter()
        .flatten()
    {
        for (name, amount) in of(container) {
            let most = total.entry(name).or_default();
            *most = amount.max(*most);
        }
    }
    total
}
