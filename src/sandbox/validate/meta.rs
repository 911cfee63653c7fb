//! Rules of `metadata`.

use serde_json::Value;

use super::{each, names, text};
use crate::sandbox::kinds::Kind;
use crate::sandbox::status::Cause;

/// Annotations of an object may take this many bytes together.
const ANNOTATIONS: usize = 256 * 1024;

pub(super) fn check(kind: Kind, object: &Value) -> Vec<Cause> {
    let meta = &object["metadata"];
    let mut causes: Vec<Cause> = name(kind, text(&meta["name"])).into_iter().collect();
    causes.extend(labels(&meta["labels"], "metadata.labels"));
    causes.extend(annotations(&meta["annotations"]));
    causes.extend(owners(&meta["ownerReferences"]));
    causes.extend(finalizers(&meta["finalizers"]));
    causes
}

pub(super) fn check_change(old: &Value, new: &Value) -> Vec<Cause> {
    let (old, new) = (&old["metadata"], &new["metadata"]);
    let given = |field: &str| !new[field].is_null() && new[field] != "";
    ["uid", "creationTimestamp"]
        .into_iter()
        .filter(|field| given(field))
        .filter_map(|field| super::immutable(old, new, "metadata", field))
        .collect()
}

fn name(kind: Kind, name: &str) -> Option<Cause> {
    if name.is_empty() {
        return Some(Cause::required(
            "metadata.name",
            "name or generateName is required",
        ));
    }
    let faults = match kind {
        Kind::Namespace if name.contains('.') => vec!["must not contain dots".to_owned()],
        Kind::Namespace => names::label(name),
        Kind::Service => names::label_1035(name),
        Kind::Role | Kind::ClusterRole | Kind::RoleBinding | Kind::ClusterRoleBinding => {
            names::path_segment(name)
        }
        _ => names::subdomain(name),
    };
    let fault = faults.first()?;
    Some(Cause::invalid("metadata.name", &name.into(), fault))
}

/// The keys and values of labels.
pub(super) fn labels(labels: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, value) in labels.as_object().into_iter().flatten() {
        let keys = names::qualified(key)
            .into_iter()
            .map(|fault| (Value::from(key.as_str()), fault));
        let values = names::label_value(text(value))
            .into_iter()
            .map(|fault| (value.clone(), fault));
        causes.extend(
            keys.chain(values)
                .map(|(what, fault)| Cause::invalid(path, &what, fault)),
        );
    }
    causes
}

fn annotations(annotations: &Value) -> Vec<Cause> {
    const PATH: &str = "metadata.annotations";
    let mut causes = Vec::new();
    let mut bytes = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        bytes += key.len() + text(value).len();
        let faults = names::qualified(&key.to_lowercase());
        causes.extend(
            faults
                .into_iter()
                .map(|fault| Cause::invalid(PATH, &key.as_str().into(), fault)),
        );
    }
    if bytes > ANNOTATIONS {
        causes.push(Cause::too_long(PATH, ANNOTATIONS));
    }
    causes
}

fn owners(owners: &Value) -> Vec<Cause> {
    const PATH: &str = "metadata.ownerReferences";
    let mut causes = Vec::new();
    for (_, owner) in each(owners) {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if text(&owner[field]).is_empty() {
                let path = if field == "apiVersion" {
                    format!("{PATH}.apiVersion")
                } else {
                    format!("{PATH}.{field}")
                };
                causes.push(Cause::invalid(path, &"".into(), "must not be empty"));
            }
        }
    }
    let controllers = each(owners)
        .filter(|(_, owner)| owner["controller"] == true)
        .count();
    if controllers > 1 {
        causes.push(Cause::invalid(
            PATH,
            owners,
            "Only one reference can have Controller set to true",
        ));
    }
    causes
}

fn finalizers(finalizers: &Value) -> Vec<Cause> {
    const STANDARD: &[&str] = &["kubernetes", "orphan", "foregroundDeletion"];
    let mut causes = Vec::new();
    for (index, finalizer) in each(finalizers) {
        let name = text(finalizer);
        causes.extend(
            names::qualified(name)
                .into_iter()
                .map(|fault| Cause::invalid("metadata.finalizers", finalizer, fault)),
        );
        if !name.contains('/') && !STANDARD.contains(&name) {
            let path = format!("metadata.finalizers[{index}]");
            causes.push(Cause::invalid(
                path,
                finalizer,
                "name is neither a standard finalizer name nor is it fully qualified",
            ));
        }
    }
    causes
}
