//! The order of kinds in which kustomize prints and people apply: what others need comes first.

use super::resource::{Id, Resource};
use serde_json::Value;

const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

const LAST: &[&str] = &[
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Sorts as kustomize does by default.
pub(super) fn legacy(all: &mut [Resource]) {
    all.sort_by_cached_key(|resource| {
        let said = resource
            .value
            .pointer("/metadata/namespace")
            .and_then(Value::as_str);
        key(&resource.id(), said.unwrap_or_default())
    });
}

/// Rank of the kind, then its group and version, then namespace and name. `~` stands for an empty part and sorts
/// behind letters.
fn key(id: &Id, namespace: &str) -> (usize, String, String) {
    let rank = match FIRST.iter().position(|kind| *kind == id.kind) {
        Some(at) => at,
        None => {
            FIRST.len()
                + LAST
                    .iter()
                    .position(|kind| *kind == id.kind)
                    .map_or(0, |at| at + 1)
        }
    };
    let or = |text: &str, blank: &str| {
        if text.is_empty() {
            blank.to_owned()
        } else {
            text.to_owned()
        }
    };
    let gvk = format!(
        "{}_{}_{}",
        or(&id.group, "~G"),
        or(&id.version, "~V"),
        id.kind
    );
    (rank, gvk, format!("{}|{}", or(namespace, "~X"), id.name))
}
