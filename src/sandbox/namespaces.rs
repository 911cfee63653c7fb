//! What a namespace gets when it begins, and how its content goes when it ends.

use serde_json::json;

use super::controllers::Controller;
use super::kinds::Kind;
use super::object::{Key, is_deleting, meta};
use super::store::{Change, Changed, DeleteOptions, Propagation, Store};
use super::work::Work;

/// In every namespace for pods to trust the API server by; the sandbox has no certificate authority, so it holds no certificate.
const ROOT_CA: &str = "kube-root-ca.crt";

/// Furnishes new namespaces and empties the ones that are being deleted. The key is a namespace's name.
#[derive(Debug)]
pub(crate) struct Namespaces(pub(crate) Store);

impl Controller for Namespaces {
    type Key = String;

    fn observe(&mut self, change: &Change, work: &mut Work<String>) {
        let object = &change.object;
        match change.kind {
            Kind::Namespace if change.what != Changed::Deleted => {
                work.now(meta(object, "name").to_owned());
            }
            kind if kind.namespaced() && change.what == Changed::Deleted => {
                let namespace = meta(object, "namespace");
                let ending = || {
                    self.0
                        .find(Kind::Namespace, "", namespace)
                        .is_some_and(|one| is_deleting(&one))
                };
                if matches!(meta(object, "name"), "default" | ROOT_CA) || ending() {
                    work.now(namespace.to_owned());
                }
            }
            _ => {}
        }
    }

    fn sync(&mut self, name: String, _: &mut Work<String>) {
        let Some(namespace) = self.0.find(Kind::Namespace, "", &name) else {
            return;
        };
        if is_deleting(&namespace) {
            self.empty(&name);
        } else {
            self.furnish(&name);
        }
    }
}

impl Namespaces {
    fn furnish(&self, namespace: &str) {
        if self
            .0
            .find(Kind::ServiceAccount, namespace, "default")
            .is_none()
        {
            // Made by somebody else in between is as good.
            let _ = self.0.create(
                Kind::ServiceAccount,
                json!({"metadata": {"namespace": namespace, "name": "default"}}),
            );
        }
        if self.0.find(Kind::ConfigMap, namespace, ROOT_CA).is_none() {
            let _ = self.0.create(
                Kind::ConfigMap,
                json!({"metadata": {"namespace": namespace, "name": ROOT_CA}, "data": {"ca.crt": ""}}),
            );
        }
    }

    /// Deletes what is left, and lets the namespace go when nothing is.
    fn empty(&self, namespace: &str) {
        let options = DeleteOptions {
            propagation: Some(Propagation::Background),
            ..DeleteOptions::default()
        };
        let mut left = false;
        // Owners before what they own, so that nothing is made anew while the namespace empties; events last.
        let kinds = Kind::all()
            .filter(|kind| kind.namespaced() && *kind != Kind::Event)
            .collect::<Vec<_>>();
        for kind in kinds.into_iter().rev() {
            for object in self.0.list(kind, Some(namespace)).1 {
                let key = Key::of(&object);
                if !is_deleting(&object) {
                    // Gone in between is what was wanted.
                    let _ = self.0.delete(kind, namespace, &key.name, &options);
                }
                left |= self.0.find(kind, namespace, &key.name).is_some();
            }
        }
        if left {
            return;
        }
        for event in self.0.list(Kind::Event, Some(namespace)).1 {
            self.0.remove(Kind::Event, namespace, meta(&event, "name"));
        }
        let _ = self.0.modify(Kind::Namespace, "", namespace, |object| {
            object["spec"]["finalizers"] = json!([]);
        });
    }
}
