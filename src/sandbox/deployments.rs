//! The Deployment controller: one ReplicaSet per template, rolled over by the strategy.
//!
//! Not imitated: pausing, rolling back, `minReadySeconds`, the progress deadline.

mod rules;

use std::sync::Arc;

use serde_json::{Value, json};

use super::controllers::Controller;
use super::events::{Reporter, Tone};
use super::kinds::Kind;
use super::object::{Key, controller, is_deleting, meta, owners, put, uid};
use super::store::{Change, Changed, DeleteOptions, Store};
use super::work::Work;
use rules::{available_of, hash, is_current, number, replicas, revision, room, set_condition};

const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Keeps the ReplicaSets of Deployments.
#[derive(Debug)]
pub(crate) struct Deployments {
    store: Store,
    events: Reporter,
}

impl Deployments {
    pub(crate) fn new(store: Store, events: Reporter) -> Self {
        Self { store, events }
    }
}

impl Controller for Deployments {
    type Key = Key;

    fn observe(&mut self, change: &Change, work: &mut Work<Key>) {
        let object = &change.object;
        match change.kind {
            Kind::Deployment if change.what != Changed::Deleted => work.now(Key::of(object)),
            Kind::ReplicaSet => {
                let owner = owners(object)
                    .find(|one| one["kind"] == "Deployment" && one["controller"] == true);
                if let Some(name) = owner.and_then(|one| one["name"].as_str()) {
                    work.now(Key {
                        namespace: meta(object, "namespace").into(),
                        name: name.into(),
                    });
                }
            }
            _ => {}
        }
    }

    fn sync(&mut self, key: Key, _: &mut Work<Key>) {
        let Some(deployment) = self.store.find(Kind::Deployment, &key.namespace, &key.name) else {
            return;
        };
        if is_deleting(&deployment) {
            return;
        }
        let mut sets = self.sets(&deployment);
        if !sets.iter().any(|set| is_current(&deployment, set)) {
            let recreate = deployment["spec"]["strategy"]["type"] == "Recreate";
            if recreate
                && sets
                    .iter()
                    .any(|set| number(&set["status"]["replicas"]) + replicas(set) > 0)
            {
                for set in &sets {
                    self.scale(&deployment, set, 0);
                }
                self.write(&deployment, &self.sets(&deployment));
                return;
            }
            if !self.begin(&deployment, &sets) {
                return;
            }
            sets = self.sets(&deployment);
        }
        self.roll(&deployment, &sets);
        let sets = self.sets(&deployment);
        self.prune(&deployment, &sets);
        self.write(&deployment, &sets);
    }
}

impl Deployments {
    fn sets(&self, deployment: &Value) -> Vec<Arc<Value>> {
        let mut sets = self
            .store
            .list(Kind::ReplicaSet, Some(meta(deployment, "namespace")))
            .1;
        sets.retain(|set| controller(set) == Some(uid(deployment)));
        sets
    }

    /// Makes the ReplicaSet of the present template, empty; false when it cannot be made.
    fn begin(&self, deployment: &Value, sets: &[Arc<Value>]) -> bool {
        let hash = hash(&deployment["spec"]["template"]);
        let revision = sets.iter().map(|set| revision(set)).max().unwrap_or(0) + 1;
        let mut template = deployment["spec"]["template"].clone();
        template["metadata"]["labels"][HASH] = hash.as_str().into();
        let mut selector = deployment["spec"]["selector"].clone();
        selector["matchLabels"][HASH] = hash.as_str().into();
        let name = format!("{}-{hash}", meta(deployment, "name"));
        let (surge, _) = room(deployment);
        let first = replicas(deployment);
        let start = if sets.iter().all(|set| replicas(set) == 0) {
            first
        } else {
            0
        };
        let made = self.store.create(Kind::ReplicaSet, json!({
            "metadata": {
                "name": name, "namespace": meta(deployment, "namespace"), "labels": template["metadata"]["labels"],
                "annotations": {
                    REVISION: revision.to_string(),
                    "deployment.kubernetes.io/desired-replicas": first.to_string(),
                    "deployment.kubernetes.io/max-replicas": (first + surge).to_string(),
                },
                "ownerReferences": [{
                    "apiVersion": "apps/v1", "kind": "Deployment", "name": meta(deployment, "name"), "uid": uid(deployment),
                    "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "spec": {"replicas": start, "selector": selector, "template": template},
            "status": {"replicas": 0},
        }));
        if made.is_err() {
            return false;
        }
        if start > 0 {
            self.events.tell(
                deployment,
                Tone::Normal,
                "ScalingReplicaSet",
                &format!("Scaled up replica set {name} from 0 to {start}"),
            );
        }
        let now = self.store.clock().stamp();
        // A deployment that is gone needs no revision.
        let _ = self.store.modify(
            Kind::Deployment,
            meta(deployment, "namespace"),
            meta(deployment, "name"),
            |stored| {
                stored["metadata"]["annotations"][REVISION] = revision.to_string().into();
                let message = format!("Created new replica set {name:?}");
                set_condition(
                    &mut stored["status"],
                    "Progressing",
                    true,
                    "NewReplicaSetCreated",
                    &message,
                    &now,
                );
            },
        );
        true
    }

    /// Moves pods from old templates to the present one, as far as the strategy lets it now.
    fn roll(&self, deployment: &Value, sets: &[Arc<Value>]) {
        let wanted = replicas(deployment);
        let Some(current) = sets.iter().find(|set| is_current(deployment, set)) else {
            return;
        };
        let others: Vec<&Arc<Value>> = sets
            .iter()
            .filter(|set| !is_current(deployment, set))
            .collect();
        let total: u64 = sets.iter().map(|set| replicas(set)).sum();
        let (surge, unavailable) = room(deployment);
        if others.iter().all(|set| replicas(set) == 0) {
            self.scale(deployment, current, wanted);
            return;
        }
        if deployment["spec"]["strategy"]["type"] == "Recreate" {
            for set in others {
                self.scale(deployment, set, 0);
            }
            return;
        }
        let free = (wanted + surge).saturating_sub(total);
        let next = (replicas(current) + free).min(wanted);
        self.scale(deployment, current, next);
        let available: u64 = sets.iter().map(|set| available_of(set)).sum();
        let mut spare = available.saturating_sub(wanted.saturating_sub(unavailable));
        for set in others {
            // Pods that are not available anyway cost nothing.
            let idle = replicas(set) - available_of(set);
            let cut = (idle + spare).min(replicas(set));
            spare = spare.saturating_sub(cut.saturating_sub(idle));
            self.scale(deployment, set, replicas(set) - cut);
        }
    }

    fn scale(&self, deployment: &Value, set: &Value, to: u64) {
        let from = replicas(set);
        if from == to {
            return;
        }
        let name = meta(set, "name");
        let scaled = self
            .store
            .modify(Kind::ReplicaSet, meta(set, "namespace"), name, |set| {
                set["spec"]["replicas"] = to.into();
            });
        if scaled.is_ok() {
            let way = if to > from { "up" } else { "down" };
            let message = format!("Scaled {way} replica set {name} from {from} to {to}");
            self.events
                .tell(deployment, Tone::Normal, "ScalingReplicaSet", &message);
        }
    }

    /// Forgets old templates beyond the history limit.
    fn prune(&self, deployment: &Value, sets: &[Arc<Value>]) {
        let limit = usize::try_from(
            deployment["spec"]["revisionHistoryLimit"]
                .as_u64()
                .unwrap_or(10),
        )
        .unwrap_or(10);
        let mut old: Vec<_> = sets
            .iter()
            .filter(|set| {
                !is_current(deployment, set)
                    && replicas(set) == 0
                    && number(&set["status"]["replicas"]) == 0
            })
            .collect();
        old.sort_by_key(|set| std::cmp::Reverse(revision(set)));
        for set in old.into_iter().skip(limit) {
            // Gone already is what was wanted.
            let _ = self.store.delete(
                Kind::ReplicaSet,
                meta(set, "namespace"),
                meta(set, "name"),
                &DeleteOptions::default(),
            );
        }
    }

    fn write(&self, deployment: &Value, sets: &[Arc<Value>]) {
        let sum =
            |field: &str| -> u64 { sets.iter().map(|set| number(&set["status"][field])).sum() };
        let wanted = replicas(deployment);
        let (_, unavailable) = room(deployment);
        let available = sum("availableReplicas");
        let current = sets.iter().find(|set| is_current(deployment, set));
        let updated = current.map_or(0, |set| number(&set["status"]["replicas"]));
        let now = self.store.clock().stamp();
        let enough = available >= wanted.saturating_sub(unavailable);
        let complete = updated == wanted && sum("replicas") == wanted && available == wanted;
        // A deployment that is gone needs no status.
        let _ = self.store.modify(
            Kind::Deployment,
            meta(deployment, "namespace"),
            meta(deployment, "name"),
            |stored| {
                let generation = stored["metadata"]["generation"].clone();
                let status = &mut stored["status"];
                let some = |n: u64| if n == 0 { Value::Null } else { n.into() };
                put(status, "observedGeneration", generation);
                put(status, "replicas", some(sum("replicas")));
                put(status, "updatedReplicas", some(updated));
                put(status, "readyReplicas", some(sum("readyReplicas")));
                put(status, "availableReplicas", some(available));
                put(
                    status,
                    "unavailableReplicas",
                    some((wanted.max(sum("replicas"))).saturating_sub(available)),
                );
                if enough {
                    set_condition(
                        status,
                        "Available",
                        true,
                        "MinimumReplicasAvailable",
                        "Deployment has minimum availability.",
                        &now,
                    );
                } else {
                    set_condition(
                        status,
                        "Available",
                        false,
                        "MinimumReplicasUnavailable",
                        "Deployment does not have minimum availability.",
                        &now,
                    );
                }
                let name = current.map(|set| meta(set, "name")).unwrap_or_default();
                if complete {
                    let message = format!("ReplicaSet {name:?} has successfully progressed.");
                    set_condition(
                        status,
                        "Progressing",
                        true,
                        "NewReplicaSetAvailable",
                        &message,
                        &now,
                    );
                } else if updated > 0 {
                    let message = format!("ReplicaSet {name:?} is progressing.");
                    set_condition(
                        status,
                        "Progressing",
                        true,
                        "ReplicaSetUpdated",
                        &message,
                        &now,
                    );
                }
            },
        );
    }
}
