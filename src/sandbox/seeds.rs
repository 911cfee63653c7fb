//! What a new cluster has before anybody made anything: namespaces with their parts. The node registers itself.

use serde_json::json;

use super::kinds::Kind;
use super::status::Status;
use super::store::Store;

/// Namespaces of a new cluster.
const NAMESPACES: &[&str] = &["default", "kube-system", "kube-public", "kube-node-lease"];

/// Fills an empty store.
///
/// # Errors
/// When something is there already.
pub(super) fn plant(store: &Store) -> Result<(), Status> {
    for name in NAMESPACES {
        store.create(Kind::Namespace, json!({"metadata": {"name": name}}))?;
        furnish(store, name);
    }
    Ok(())
}

/// Gives a namespace what the controllers of a real cluster give it: an account for its pods, and the authority's certificate.
pub(super) fn furnish(store: &Store, namespace: &str) {
    let account = json!({"metadata": {"name": "default", "namespace": namespace}});
    let certificate = json!({
        "metadata": {"name": "kube-root-ca.crt", "namespace": namespace, "annotations": {
            "kubernetes.io/description": "The sandbox has no certificate authority: its API speaks plain HTTP on the loopback interface."}},
        "data": {"ca.crt": ""},
    });
    for (kind, object) in [
        (Kind::ServiceAccount, account),
        (Kind::ConfigMap, certificate),
    ] {
        // There already, or the namespace is going: both are fine.
        let _ = store.create(kind, object);
    }
}
