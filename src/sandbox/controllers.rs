//! What every controller is: it observes the store's changes, keeps what it needs of them, and brings one object at a time in order.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use super::kinds::Kind;
use super::store::{Change, Changed, Changes, Documents, Store};
use super::work::Work;

/// A loop of the control plane. Both methods are quick and never wait.
pub(crate) trait Controller: Send {
    /// What the controller brings in order, one at a time.
    type Key: Clone + Debug + Eq + Hash + Send;

    /// Whether changes of a kind concern it.
    fn looks_at(kind: Kind) -> bool {
        kind != Kind::Event
    }

    /// Notes a change and the keys that it concerns.
    fn observe(&mut self, change: &Change, work: &mut Work<Self::Key>);

    /// Brings one thing in order, or as far as it goes for now.
    fn sync(&mut self, key: Self::Key, work: &mut Work<Self::Key>);
}

/// How many keys are worked on before others on the same thread get their turn.
const TURN: usize = 32;

/// Runs a controller on what the store holds now and on every change from then on, for as long as it is polled.
pub(crate) async fn run<C: Controller>(mut controller: C, store: Store) {
    let mut feed = Feed::new(&store, C::looks_at);
    let mut work = Work::new();
    let mut turn = 0;
    loop {
        // Every key is worked on with all that happened before in view: the store is synchronous, so nothing is missing after this.
        while let Some(change) = feed.ready() {
            controller.observe(&change, &mut work);
        }
        if let Some(key) = work.take() {
            controller.sync(key, &mut work);
            turn += 1;
            if turn % TURN == 0 {
                tokio::task::yield_now().await;
            }
            continue;
        }
        let due = work.due();
        tokio::select! {
            change = feed.next() => match change {
                Some(change) => controller.observe(&change, &mut work),
                None => return,
            },
            () = sleep_until(due) => {}
        }
    }
}

/// Waits for a time, or for ever.
pub(crate) async fn sleep_until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// The store as a stream of changes: first what is there, as additions, then what happens.
#[derive(Debug)]
pub(crate) struct Feed {
    changes: Changes,
    present: std::vec::IntoIter<Change>,
    /// The version of each kind's first list; older changes are in it already.
    listed: HashMap<Kind, u64>,
    looks_at: fn(Kind) -> bool,
}

impl Feed {
    pub(crate) fn new(store: &Store, looks_at: fn(Kind) -> bool) -> Self {
        let changes = store.changes();
        let mut listed = HashMap::new();
        let mut present = Vec::new();
        for kind in Kind::all().filter(|kind| looks_at(*kind)) {
            let (version, objects) = store.list(kind, None);
            listed.insert(kind, version);
            present.extend(objects.into_iter().map(|object| {
                Change::new(
                    Changed::Added,
                    kind,
                    version,
                    Arc::new(Documents::new(object, None)),
                )
            }));
        }
        Self {
            changes,
            present: present.into_iter(),
            listed,
            looks_at,
        }
    }

    /// A change that is there already.
    pub(crate) fn ready(&mut self) -> Option<Change> {
        if let Some(change) = self.present.next() {
            return Some(change);
        }
        let (listed, looks_at) = (&self.listed, self.looks_at);
        self.changes
            .try_next_if(|kind, version| is_new(listed, kind, version) && looks_at(kind))
    }

    /// The next change; `None` when the store is gone.
    pub(crate) async fn next(&mut self) -> Option<Change> {
        if let Some(change) = self.present.next() {
            return Some(change);
        }
        let (listed, looks_at) = (&self.listed, self.looks_at);
        self.changes
            .next_if(|kind, version| is_new(listed, kind, version) && looks_at(kind))
            .await
    }
}

fn is_new(listed: &HashMap<Kind, u64>, kind: Kind, version: u64) -> bool {
    listed.get(&kind).is_none_or(|listed| version > *listed)
}
