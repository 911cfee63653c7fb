//! Garbage collection by owner references: in the background, in the foreground, and letting orphans stay.

use std::collections::HashMap;

use serde_json::Value;
use sha1::{Digest as _, Sha1};

use super::controllers::Controller;
use super::kinds::Kind;
use super::object::{Key, drop_finalizer, has_finalizer, is_deleting, owners, uid};
use super::store::{Change, Changed, DeleteOptions, Preconditions, Propagation, Store};
use super::work::Work;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

type Place = (Kind, Key);

/// A uid's digest: a quarter of the text, and a uid may be any text.
type Uid = [u8; 16];

/// What the collector looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    /// An object that is owned: does any owner still hold it?
    Owned(Kind, Key),
    /// An object that is being deleted and waits for what it owns.
    Owner(Kind, Key),
}

#[derive(Debug)]
pub(crate) struct Collector {
    store: Store,
    /// What each uid owns, sorted; most own one thing or two.
    owned: HashMap<Uid, Vec<Place>>,
}

impl Collector {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            owned: HashMap::new(),
        }
    }
}

impl Controller for Collector {
    type Key = Task;

    /// Events are many, own nothing and belong to nobody.
    fn looks_at(kind: Kind) -> bool {
        kind != Kind::Event
    }

    fn observe(&mut self, change: &Change, work: &mut Work<Task>) {
        let object = &*change.object;
        let place = (change.kind, Key::of(object));
        for old in change.before.iter().flat_map(|before| owners(before)) {
            self.disown(old, &place, work);
        }
        if change.what == Changed::Deleted {
            for owner in owners(object) {
                self.disown(owner, &place, work);
            }
            for (kind, key) in self
                .owned
                .get(&digest_of(uid(object)))
                .into_iter()
                .flatten()
            {
                work.now(Task::Owned(*kind, key.clone()));
            }
            return;
        }
        let mut is_owned = false;
        for owner in owners(object).filter_map(|owner| owner["uid"].as_str()) {
            let owned = self.owned.entry(digest_of(owner)).or_default();
            if let Err(at) = owned.binary_search(&place) {
                owned.insert(at, place.clone());
            }
            is_owned = true;
        }
        let (kind, key) = place;
        if is_owned && (change.what == Changed::Added || !is_deleting(object)) {
            work.now(Task::Owned(kind, key.clone()));
        }
        if is_deleting(object)
            && [FOREGROUND, ORPHAN]
                .iter()
                .any(|one| has_finalizer(object, one))
        {
            work.now(Task::Owner(kind, key));
        }
    }

    fn sync(&mut self, task: Task, work: &mut Work<Task>) {
        match task {
            Task::Owned(kind, key) => self.collect(kind, &key),
            Task::Owner(kind, key) => self.let_go(kind, &key, work),
        }
    }
}

impl Collector {
    fn disown(&mut self, owner: &Value, place: &Place, work: &mut Work<Task>) {
        let id = digest_of(owner["uid"].as_str().unwrap_or_default());
        let Some(owned) = self.owned.get_mut(&id) else {
            return;
        };
        if let Ok(at) = owned.binary_search(place) {
            owned.remove(at);
        }
        if owned.is_empty() {
            self.owned.remove(&id);
        }
        // What is no longer owned may have been the last thing that its owner waited for.
        if let Some((kind, key)) = referred(owner, &place.1) {
            work.now(Task::Owner(kind, key));
        }
    }

    /// Deletes an object that no owner holds any more.
    fn collect(&self, kind: Kind, key: &Key) {
        let Some(object) = self.store.find(kind, &key.namespace, &key.name) else {
            return;
        };
        if is_deleting(&object) {
            return;
        }
        let (mut held, mut waited, mut lost) = (false, false, Vec::new());
        for owner in owners(&object) {
            let id = owner["uid"].as_str().unwrap_or_default();
            match referred(owner, key)
                .and_then(|(kind, key)| self.store.find(kind, &key.namespace, &key.name))
            {
                Some(found) if uid(&found) == id => {
                    if is_deleting(&found) && has_finalizer(&found, FOREGROUND) {
                        waited = true;
                        lost.push(id.to_owned());
                    } else {
                        held = true;
                    }
                }
                _ => lost.push(id.to_owned()),
            }
        }
        if owners(&object).next().is_none() || (held && lost.is_empty()) {
            return;
        }
        if held {
            self.drop_owners(kind, key, &lost);
            return;
        }
        let has_dependents = self
            .owned
            .get(&digest_of(uid(&object)))
            .is_some_and(|owned| !owned.is_empty());
        let propagation = if has_finalizer(&object, ORPHAN) {
            Propagation::Orphan
        } else if waited && has_dependents {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        let options = DeleteOptions {
            propagation: Some(propagation),
            preconditions: Preconditions {
                uid: Some(uid(&object).to_owned()),
                resource_version: None,
            },
            ..DeleteOptions::default()
        };
        // Whoever deleted it first did the same.
        let _ = self.store.delete(kind, &key.namespace, &key.name, &options);
    }

    /// Brings a deletion with finalizers forward.
    fn let_go(&self, kind: Kind, key: &Key, work: &mut Work<Task>) {
        let Some(owner) = self.store.find(kind, &key.namespace, &key.name) else {
            return;
        };
        if !is_deleting(&owner) {
            return;
        }
        let owned: Vec<Place> = self
            .owned
            .get(&digest_of(uid(&owner)))
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        if has_finalizer(&owner, ORPHAN) {
            for (kind, key) in &owned {
                self.drop_owners(*kind, key, &[uid(&owner).to_owned()]);
            }
            self.finish(kind, key, ORPHAN);
        } else if has_finalizer(&owner, FOREGROUND) {
            let blocks = |place: &Place| {
                self.store
                    .find(place.0, &place.1.namespace, &place.1.name)
                    .is_some_and(|object| is_blocking(&object, uid(&owner)))
            };
            if !owned.iter().any(blocks) {
                self.finish(kind, key, FOREGROUND);
            }
            for (kind, key) in owned {
                work.now(Task::Owned(kind, key));
            }
        }
    }

    fn finish(&self, kind: Kind, key: &Key, finalizer: &str) {
        // Gone already is just as well.
        let _ = self
            .store
            .modify(kind, &key.namespace, &key.name, |object| {
                drop_finalizer(object, finalizer);
            });
    }

    fn drop_owners(&self, kind: Kind, key: &Key, gone: &[String]) {
        let _ = self
            .store
            .modify(kind, &key.namespace, &key.name, |object| {
                let Some(meta) = object["metadata"].as_object_mut() else {
                    return;
                };
                let Some(all) = meta
                    .get_mut("ownerReferences")
                    .and_then(Value::as_array_mut)
                else {
                    return;
                };
                all.retain(|owner| !gone.iter().any(|id| owner["uid"] == id.as_str()));
                if all.is_empty() {
                    meta.remove("ownerReferences");
                }
            });
    }
}

/// Where the owner is that a reference means, for an object at this key: in the same namespace, or in none.
fn referred(owner: &Value, of: &Key) -> Option<Place> {
    let text = |field: &str| owner[field].as_str().unwrap_or_default();
    let kind = Kind::named(text("apiVersion"), text("kind"))?;
    let namespace = if kind.namespaced() {
        of.namespace.clone()
    } else {
        "".into()
    };
    let name = text("name").into();
    Some((kind, Key { namespace, name }))
}

fn digest_of(uid: &str) -> Uid {
    let mut digest = Sha1::new();
    digest.update(uid);
    let digest: [u8; 20] = digest.finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

/// Whether this object keeps that owner from going in the foreground.
fn is_blocking(object: &Value, owner: &str) -> bool {
    owners(object).any(|one| one["uid"] == owner && one["blockOwnerDeletion"] == true)
}
