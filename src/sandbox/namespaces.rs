//! The namespace controller: furnishes new namespaces, and empties those that are being deleted.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::seeds;
use super::store::{Change, Changed, DeleteOptions, Propagation, Store};

/// Runs until the store is gone.
pub(super) async fn run(store: Store) {
    let mut changes = store.changes();
    while let Some(change) = changes.next().await {
        follow(&store, &change);
    }
}

fn follow(store: &Store, change: &Change) {
    let meta = &change.object["metadata"];
    let name = |field: &str| meta[field].as_str().unwrap_or_default();
    match (change.kind, change.what) {
        (Kind::Namespace, Changed::Added) => seeds::furnish(store, name("name")),
        (Kind::Namespace, Changed::Modified) if is_going(&change.object) => {
            empty(store, name("name"))
        }
        // Somebody deleted what every namespace has: it comes back, as on a real cluster.
        (Kind::ServiceAccount | Kind::ConfigMap, Changed::Deleted)
            if lives(store, name("namespace")) =>
        {
            seeds::furnish(store, name("namespace"));
        }
        // The last of its content may just have gone.
        (_, Changed::Deleted)
            if !name("namespace").is_empty() && !lives(store, name("namespace")) =>
        {
            empty(store, name("namespace"));
        }
        _ => {}
    }
}

fn is_going(namespace: &Value) -> bool {
    namespace["metadata"]["deletionTimestamp"].is_string()
}

fn lives(store: &Store, namespace: &str) -> bool {
    store
        .find(Kind::Namespace, "", namespace)
        .is_some_and(|namespace| !is_going(&namespace))
}

/// Deletes what is left in a namespace; once nothing is, the namespace may go.
fn empty(store: &Store, namespace: &str) {
    if store.find(Kind::Namespace, "", namespace).is_none() {
        return;
    }
    let options = DeleteOptions {
        propagation: Some(Propagation::Background),
        ..DeleteOptions::default()
    };
    let mut left = 0;
    for kind in Kind::all().filter(|kind| kind.namespaced()) {
        let (_, objects) = store.list(kind, Some(namespace));
        for object in objects {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            if !object["metadata"]["deletionTimestamp"].is_string() {
                let _ = store.delete(kind, namespace, name, &options);
            }
            left += usize::from(store.find(kind, namespace, name).is_some());
        }
    }
    if left == 0 {
        // The object itself may still wait for finalizers of its metadata.
        let _ = store.modify(Kind::Namespace, "", namespace, |object| {
            object["spec"]["finalizers"] = json!([])
        });
    }
}
