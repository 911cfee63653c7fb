//! Rules of `metadata`.

use serde_json::Value;

use super::{each, names, text};
use crate::sandbox::kinds::Kind;
use crate::sandbox::status::Cause;

/// Annotations of an object may take this many bytes together.
const ANNOTATIONS: usize = 256 * 1024;

pub(super) fn check(kind: Kind, object: &Value) -> Vec<Cause> {
    let meta = &object["metadata"];
    let mut causes: Vec<Cause> = generated(kind, text(&meta["generateName"]))
        .into_iter()
        .chain(name(kind, text(&meta["name"])))
        .collect();
    causes.extend(labels(&meta["labels"], "metadata.labels"));
    causes.extend(annotations(&meta["annotations"]));
    causes.extend(owners(&meta["ownerReferences"]));
    causes.extend(finalizers(&meta["finalizers"]));
    causes
}

pub(super) fn check_change(old: &Value, new: &Value) -> Vec<Cause> {
    let (old, new) = (&old["metadata"], &new["metadata"]);
    let kept = |finalizer: &Value| each(&old["finalizers"]).any(|(_, one)| one == finalizer);
    let more: Vec<String> = each(&new["finalizers"])
        .filter(|(_, finalizer)| !kept(finalizer))
        .map(|(_, finalizer)| finalizer.to_string())
        .collect();
    let late = (old["deletionTimestamp"].is_string() && !more.is_empty()).then(|| {
        Cause::forbidden(
            "metadata.finalizers",
            format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                more.join(", ")
            ),
        )
    });
    let given = |field: &str| !new[field].is_null() && new[field] != "";
    ["uid", "creationTimestamp"]
        .into_iter()
        .filter(|field| given(field))
        .filter_map(|field| super::immutable(old, new, "metadata", field))
        .chain(late)
        .collect()
}

fn name(kind: Kind, name: &str) -> Option<Cause> {
    if name.is_empty() {
        return Some(Cause::required(
            "metadata.name",
            "name or generateName is required",
        ));
    }
    let fault = faults(kind, name).into_iter().next()?;
    Some(Cause::invalid("metadata.name", &name.into(), fault))
}

/// A beginning of names has to be a name but for its last dash.
fn generated(kind: Kind, start: &str) -> Option<Cause> {
    if start.is_empty() {
        return None;
    }
    let whole = start
        .strip_suffix('-')
        .map_or_else(|| start.to_owned(), |name| format!("{name}a"));
    let fault = faults(kind, &whole).into_iter().next()?;
    Some(Cause::invalid(
        "metadata.generateName",
        &start.into(),
        fault,
    ))
}

fn faults(kind: Kind, name: &str) -> Vec<String> {
    match kind {
        Kind::Namespace if name.contains('.') => vec!["must not contain dots".to_owned()],
        Kind::Namespace => names::label(name),
        Kind::Service => names::label_1035(name),
        Kind::Role | Kind::ClusterRole | Kind::RoleBinding | Kind::ClusterRoleBinding => {
            names::path_segment(name)
        }
        _ => names::subdomain(name),
    }
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
    let controllers: Vec<String> = each(owners)
        .filter(|(_, owner)| owner["controller"] == true)
        .map(|(_, owner)| format!("{}/{}", text(&owner["kind"]), text(&owner["name"])))
        .collect();
    if let [first, second, ..] = controllers.as_slice() {
        let why = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}"
        );
        causes.push(Cause::invalid_as(PATH, &written(owners), why));
    }
    causes
}

/// References in the order of their fields that the real server writes.
fn written(owners: &Value) -> String {
    const FIELDS: [&str; 6] = [
        "apiVersion",
        "kind",
        "name",
        "uid",
        "controller",
        "blockOwnerDeletion",
    ];
    let one = |owner: &Value| {
        let fields: Vec<String> = FIELDS
            .iter()
            .filter(|field| !owner[**field].is_null())
            .map(|field| format!("{field:?}:{}", owner[*field]))
            .collect();
        format!("{{{}}}", fields.join(","))
    };
    let all: Vec<String> = each(owners).map(|(_, owner)| one(owner)).collect();
    format!("[{}]", all.join(","))
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
