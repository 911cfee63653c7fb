//! The sandbox's memory: every object, its version, and the history that watches read.
//!
//! Objects are kept packed and unpacked for whoever asks. Synchronous, with short critical sections; no lock outlives a call. All versions come from one counter, as in etcd.

mod history;
mod quotas;
mod removal;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::clock::Clock;
use super::kinds::Kind;
use super::packed::Packed;
use super::status::Status;

use history::Step;
pub use removal::{DeleteOptions, Deleted, Preconditions, Propagation};
use state::State;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Added,
    Modified,
    Deleted,
}

/// One step in the life of an object.
#[derive(Debug, Clone)]
pub struct Change {
    pub what: Changed,
    pub kind: Kind,
    /// The object after the change; for a deletion its last state, at the deletion's version.
    pub object: Arc<Value>,
    /// The object before the change; none for an addition.
    pub before: Option<Arc<Value>>,
    pub version: u64,
    documents: Arc<Documents>,
}

/// What a change shows, shared by all who look at it.
#[derive(Debug)]
pub(super) struct Documents {
    object: Arc<Value>,
    before: Option<Arc<Value>>,
    /// The object as JSON, written once for all who send it.
    json: OnceLock<Bytes>,
}

impl Documents {
    pub(super) fn new(object: Arc<Value>, before: Option<Arc<Value>>) -> Self {
        Self {
            object,
            before,
            json: OnceLock::new(),
        }
    }
}

impl Change {
    pub(super) fn new(what: Changed, kind: Kind, version: u64, documents: Arc<Documents>) -> Self {
        Self {
            what,
            kind,
            object: documents.object.clone(),
            before: documents.before.clone(),
            version,
            documents,
        }
    }

    /// The object as JSON.
    pub(super) fn json(&self) -> &[u8] {
        let write = || Bytes::from(self.object.to_string());
        self.documents.json.get_or_init(write)
    }
}

/// The objects of the cluster. Clones are handles to one store.
#[derive(Debug, Clone)]
pub struct Store {
    clock: Clock,
    state: Arc<Mutex<State>>,
    /// The newest version, to wake watches.
    latest: Arc<watch::Sender<u64>>,
}

impl Store {
    /// An empty store.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Arc::new(Mutex::new(State::default())),
            latest: Arc::new(watch::Sender::new(0)),
        }
    }

    /// The cluster's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The version of the newest change.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// One object; `namespace` is empty for a cluster-wide kind.
    pub fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let packed = self.lock().find(kind, namespace, name).cloned();
        packed.map(|packed| Arc::new(packed.unpack()))
    }

    /// Every object of a kind, in one namespace or in all, ordered by namespace and name, with the version of this view.
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> (u64, Vec<Arc<Value>>) {
        let (version, objects) = self.packed(kind, namespace);
        let unpacked = objects.iter().map(|(_, packed)| Arc::new(packed.unpack()));
        (version, unpacked.collect())
    }

    /// [`Self::list`] in the form in which objects are kept, each with the name by which it is sorted.
    pub(super) fn packed(
        &self,
        kind: Kind,
        namespace: Option<&str>,
    ) -> (u64, Vec<(Arc<str>, Packed)>) {
        let state = self.lock();
        (state.version, state.list(kind, namespace))
    }

    /// Puts a new object in. Fills name (from `generateName`), uid, creation time, version and generation.
    ///
    /// # Errors
    /// 409 when the name is taken, 404 when the namespace is missing, 403 when the namespace is being deleted.
    pub fn create(&self, kind: Kind, object: Value) -> Result<Arc<Value>, Status> {
        self.try_create(kind, object, false, |_| Ok(()))
    }

    /// [`Self::create`] with a last word on the filled-in object, and with `dry_run` only what it would give.
    ///
    /// # Errors
    /// As [`Self::create`], or what `check` says.
    pub fn try_create(
        &self,
        kind: Kind,
        object: Value,
        dry_run: bool,
        check: impl FnOnce(&mut Value) -> Result<(), Status>,
    ) -> Result<Arc<Value>, Status> {
        let mut state = self.lock();
        let object = state.prepare(kind, object, &self.clock, check)?;
        if dry_run {
            return Ok(Arc::new(object));
        }
        let object = state.insert(kind, object);
        state.charge(kind, &object);
        self.announce(&state);
        Ok(object)
    }

    /// Changes an object in one step. Nothing happens, and no version is spent, when the closure changes nothing. An object that
    /// was marked for deletion goes when its last finalizer does.
    ///
    /// # Errors
    /// 404 when the object is not there.
    pub fn modify(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Arc<Value>, Status> {
        self.try_modify(kind, namespace, name, false, |object| {
            change(object);
            Ok(())
        })
    }

    /// [`Self::modify`] with a change that may refuse, and with `dry_run` only what it would give.
    ///
    /// # Errors
    /// 404 when the object is not there, or what `change` says.
    pub fn try_modify(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        dry_run: bool,
        change: impl FnOnce(&mut Value) -> Result<(), Status>,
    ) -> Result<Arc<Value>, Status> {
        let mut state = self.lock();
        let Some(old) = state.find(kind, namespace, name) else {
            return Err(Status::not_found(kind, name));
        };
        let old = Arc::new(old.unpack());
        let mut new = (*old).clone();
        change(&mut new)?;
        state::keep_identity(&old, &mut new);
        if new == *old {
            return Ok(old);
        }
        state::count_generation(kind, &old, &mut new);
        if dry_run {
            return Ok(Arc::new(new));
        }
        let object = if removal::is_due(&new) {
            state.take(kind, namespace, name, Some(new)).unwrap_or(old)
        } else {
            state.replace(kind, old, new)
        };
        self.announce(&state);
        Ok(object)
    }

    /// Deletes an object as the API does: at once, or by marking it when finalizers or a pod's grace period stand before that.
    ///
    /// # Errors
    /// 404 when the object is not there, 409 when a precondition does not hold.
    pub fn delete(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deleted, Status> {
        let mut state = self.lock();
        let deleted = removal::delete(&mut state, &self.clock, kind, namespace, name, options)?;
        self.announce(&state);
        Ok(deleted)
    }

    /// Takes an object out for real, whatever its finalizers: for the node, which finishes pods, and for garbage collection.
    pub fn remove(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let mut state = self.lock();
        let object = state.take(kind, namespace, name, None)?;
        self.announce(&state);
        Some(object)
    }

    /// Counts anew what the quotas of a namespace limit.
    pub(super) fn count_quotas(&self, namespace: &str) {
        let mut state = self.lock();
        state.count_quotas(namespace);
        self.announce(&state);
    }

    /// Every change from now on, of all kinds, in order and without loss: for controllers inside the process.
    pub fn changes(&self) -> Changes {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().followers.push(sender);
        Changes { receiver }
    }

    /// A signal that carries the newest version whenever something changed: for watches.
    pub fn latest(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// The changes of a kind after `version`, and the version up to which they reach.
    ///
    /// # Errors
    /// 410 when that history is gone.
    pub fn since(&self, kind: Kind, version: u64) -> Result<(u64, Vec<Change>), Status> {
        let state = self.lock();
        Ok((state.version, state.since(kind, version)?))
    }

    /// [`Self::packed`] as it was at an earlier version, rebuilt from history.
    ///
    /// # Errors
    /// 410 when that history is gone.
    pub(super) fn packed_at(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        version: u64,
    ) -> Result<Vec<(Arc<str>, Packed)>, Status> {
        self.lock().list_at(kind, namespace, version)
    }

    /// Forgets all history: every watch that asks for older changes gets 410.
    pub fn compact(&self) {
        self.lock().compact();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, state: &State) {
        self.latest.send_if_modified(|version| {
            let newer = *version != state.version;
            *version = state.version;
            newer
        });
    }
}

/// The stream of [`Store::changes`].
#[derive(Debug)]
pub struct Changes {
    receiver: mpsc::UnboundedReceiver<Arc<Step>>,
}

impl Changes {
    /// The next change; none when the store is gone.
    pub async fn next(&mut self) -> Option<Change> {
        self.next_if(|_, _| true).await
    }

    /// A change that is already there, without waiting.
    pub fn try_next(&mut self) -> Option<Change> {
        self.try_next_if(|_, _| true)
    }

    /// The next change of a kind and version that is wanted; the others are left packed.
    pub(super) async fn next_if(&mut self, wanted: impl Fn(Kind, u64) -> bool) -> Option<Change> {
        loop {
            let step = self.receiver.recv().await?;
            if wanted(step.kind, step.version) {
                return Some(step.change());
            }
        }
    }

    /// [`Self::next_if`] without waiting.
    pub(super) fn try_next_if(&mut self, wanted: impl Fn(Kind, u64) -> bool) -> Option<Change> {
        loop {
            let step = self.receiver.try_recv().ok()?;
            if wanted(step.kind, step.version) {
                return Some(step.change());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn store() -> Store {
        let store = Store::new(Clock::new("2026-11-24T08:00:00Z".parse().unwrap()));
        store
            .create(Kind::Namespace, json!({"metadata": {"name": "a"}}))
            .unwrap();
        store
    }

    fn config_map(name: &str) -> Value {
        json!({"metadata": {"namespace": "a", "name": name}, "data": {"k": "v"}})
    }

    #[test]
    fn create_fills_what_the_server_owns() {
        let store = store();
        let made = store.create(Kind::ConfigMap, config_map("x")).unwrap();
        assert_eq!(made["apiVersion"], "v1");
        assert_eq!(made["kind"], "ConfigMap");
        assert_eq!(
            made["metadata"]["creationTimestamp"],
            "2026-11-24T08:00:00Z"
        );
        assert_eq!(made["metadata"]["uid"].as_str().unwrap().len(), 36);
        let taken = store.create(Kind::ConfigMap, config_map("x")).unwrap_err();
        assert_eq!(
            (taken.code, taken.message.as_str()),
            (409, r#"configmaps "x" already exists"#)
        );
        let nowhere = json!({"metadata": {"namespace": "b", "name": "x"}});
        let missing = store.create(Kind::ConfigMap, nowhere).unwrap_err();
        assert_eq!(missing.message, r#"namespaces "b" not found"#);
        let generated = json!({"metadata": {"namespace": "a", "generateName": "run-"}});
        let made = store.create(Kind::Pod, generated).unwrap();
        assert_eq!(made["metadata"]["name"].as_str().unwrap().len(), 9);
        assert_eq!(made["metadata"]["generation"], 1);
    }

    #[test]
    fn a_change_that_changes_nothing_spends_no_version() {
        let store = store();
        let made = store.create(Kind::ConfigMap, config_map("x")).unwrap();
        let before = store.version();
        let same = store.modify(Kind::ConfigMap, "a", "x", |object| {
            object["metadata"]["uid"] = "mine".into();
        });
        assert_eq!(same.unwrap(), made);
        assert_eq!(store.version(), before);
        store
            .modify(Kind::ConfigMap, "a", "x", |object| {
                object["data"]["k"] = "w".into();
            })
            .unwrap();
        assert_eq!(store.version(), before + 1);
    }

    #[test]
    fn finalizers_stand_before_the_end() {
        let store = store();
        let mut object = config_map("x");
        object["metadata"]["finalizers"] = json!(["mine"]);
        store.create(Kind::ConfigMap, object).unwrap();
        let deleted = store
            .delete(Kind::ConfigMap, "a", "x", &DeleteOptions::default())
            .unwrap();
        assert!(matches!(deleted, Deleted::Marked(_)));
        assert!(
            store.find(Kind::ConfigMap, "a", "x").unwrap()["metadata"]["deletionTimestamp"]
                .is_string()
        );
        let mut changes = store.changes();
        store
            .modify(Kind::ConfigMap, "a", "x", |object| {
                object["metadata"]["finalizers"] = json!([]);
            })
            .unwrap();
        assert!(store.find(Kind::ConfigMap, "a", "x").is_none());
        assert_eq!(changes.try_next().unwrap().what, Changed::Deleted);
    }

    #[test]
    fn history_serves_until_it_is_compacted() {
        let store = store();
        let start = store.version();
        store.create(Kind::ConfigMap, config_map("x")).unwrap();
        store.remove(Kind::ConfigMap, "a", "x").unwrap();
        let seen: Vec<Changed> = store
            .since(Kind::ConfigMap, start)
            .unwrap()
            .1
            .iter()
            .map(|c| c.what)
            .collect();
        assert_eq!(seen, [Changed::Added, Changed::Deleted]);
        assert!(store.since(Kind::Pod, start).unwrap().1.is_empty());
        store.compact();
        assert_eq!(store.since(Kind::ConfigMap, start).unwrap_err().code, 410);
        assert!(
            store
                .since(Kind::ConfigMap, store.version())
                .unwrap()
                .1
                .is_empty()
        );
    }

    #[test]
    fn a_running_pod_is_given_its_grace() {
        let store = store();
        let pod = |name: &str| json!({"metadata": {"namespace": "a", "name": name}, "spec": {"nodeName": "n"}});
        store.create(Kind::Pod, pod("p")).unwrap();
        let grace = DeleteOptions {
            grace: Some(5),
            ..DeleteOptions::default()
        };
        store.delete(Kind::Pod, "a", "p", &grace).unwrap();
        let marked = store.find(Kind::Pod, "a", "p").unwrap();
        assert_eq!(
            marked["metadata"]["deletionTimestamp"],
            "2026-11-24T08:00:05Z"
        );
        assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 5);
        let force = DeleteOptions {
            grace: Some(0),
            ..DeleteOptions::default()
        };
        assert!(matches!(
            store.delete(Kind::Pod, "a", "p", &force).unwrap(),
            Deleted::Removed(_)
        ));
    }

    #[test]
    fn preconditions_hold_or_nothing_happens() {
        let store = store();
        let made = store.create(Kind::ConfigMap, config_map("x")).unwrap();
        let mut options = DeleteOptions::default();
        options.preconditions.uid = Some("other".to_owned());
        let refused = store
            .delete(Kind::ConfigMap, "a", "x", &options)
            .unwrap_err();
        assert!(
            refused
                .message
                .contains("the UID in the precondition (other) does not match the UID in record (")
        );
        options.preconditions.uid = made["metadata"]["uid"].as_str().map(str::to_owned);
        store.delete(Kind::ConfigMap, "a", "x", &options).unwrap();
    }
}
