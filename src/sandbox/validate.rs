//! The rules that an object must keep besides its form, refused in the real server's words.

mod jobs;
mod meta;
mod names;
mod plain;
mod pods;
mod workloads;

use serde_json::Value;

use super::kinds::Kind;
use super::status::{Cause, Status};

/// Checks an object that is about to be made.
///
/// # Errors
/// 422 with every cause.
pub(super) fn new(kind: Kind, object: &Value) -> Result<(), Status> {
    let mut causes = meta::check(kind, object);
    if kind == Kind::Job && jobs::has_no_labels_of_its_own(object) {
        // They come from the template, which is checked for itself.
        causes.retain(|cause| cause.field != "metadata.labels");
    }
    causes.extend(body(kind, object));
    refuse(kind, object, &causes)
}

/// Checks an object that is about to replace its older self.
///
/// # Errors
/// 422 with every cause.
pub(super) fn change(kind: Kind, old: &Value, new: &Value) -> Result<(), Status> {
    let mut causes = meta::check(kind, new);
    causes.extend(meta::check_change(old, new));
    if kind == Kind::Pod {
        // A pod is checked whole when it is made; later it may hardly change.
        causes.extend(pods::check_change(old, new));
    } else {
        causes.extend(body(kind, new));
    }
    causes.extend(match kind {
        Kind::Job => jobs::check_change(old, new),
        Kind::Deployment | Kind::ReplicaSet => workloads::check_change(old, new),
        Kind::ConfigMap => plain::check_immutable(old, new),
        Kind::Secret => {
            let mut causes: Vec<Cause> = immutable(old, new, "", "type").into_iter().collect();
            causes.extend(plain::check_immutable(old, new));
            causes
        }
        Kind::RoleBinding | Kind::ClusterRoleBinding => plain::check_role_kept(old, new),
        _ => Vec::new(),
    });
    refuse(kind, new, &causes)
}

fn body(kind: Kind, object: &Value) -> Vec<Cause> {
    match kind {
        Kind::Pod => pods::check(object),
        Kind::Job => jobs::check(object),
        Kind::Deployment | Kind::ReplicaSet => workloads::check(kind, object),
        Kind::ConfigMap => plain::check_keys(object),
        Kind::Secret => {
            let mut causes = plain::check_keys(object);
            causes.extend(plain::check_type(object));
            causes
        }
        Kind::ResourceQuota => plain::check_quota(object),
        Kind::Lease => plain::check_lease(object),
        Kind::Ingress => plain::check_ingress(object),
        Kind::Service => plain::check_service(object),
        Kind::Role | Kind::ClusterRole => plain::check_rules(object),
        Kind::RoleBinding | Kind::ClusterRoleBinding => plain::check_binding(object),
        Kind::PersistentVolumeClaim => plain::check_claim(object),
        Kind::Event => plain::check_event(object),
        _ => Vec::new(),
    }
}

/// What is wrong with the key of a label.
pub(super) fn label_key(key: &str) -> Vec<String> {
    names::qualified(key)
}

fn refuse(kind: Kind, object: &Value, causes: &[Cause]) -> Result<(), Status> {
    let mut told: Vec<Cause> = Vec::new();
    for cause in causes {
        if !told.contains(cause) {
            told.push(cause.clone());
        }
    }
    let causes = told.as_slice();
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(
        kind,
        object["metadata"]["name"].as_str().unwrap_or_default(),
        causes,
    ))
}

/// A text, or an empty one.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The items of a list that may be absent, with their positions.
fn each(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().into_iter().flatten().enumerate()
}

/// The number of a field must not be negative, when it is there.
fn not_negative(object: &Value, at: &str, field: &str) -> Option<Cause> {
    let value = &object[field];
    let path = format!("{at}.{field}");
    value
        .as_i64()
        .is_some_and(|number| number < 0)
        .then(|| Cause::invalid(path, value, "must be greater than or equal to 0"))
}

/// The value of a field must be what it was.
fn immutable(old: &Value, new: &Value, at: &str, field: &str) -> Option<Cause> {
    let path = if at.is_empty() {
        field.to_owned()
    } else {
        format!("{at}.{field}")
    };
    (old[field] != new[field]).then(|| Cause::invalid(path, &new[field], "field is immutable"))
}

/// A text must be one of a few words.
fn one_of(value: &Value, path: String, words: &[&str]) -> Option<Cause> {
    let known = value.as_str().is_none_or(|word| words.contains(&word));
    (!known).then(|| Cause::unsupported(path, value, words))
}
