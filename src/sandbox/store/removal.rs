//! Deletion as the API does it: preconditions, propagation, grace, finalizers.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::state::State;
use crate::sandbox::clock::{Clock, whole_seconds};
use crate::sandbox::kinds::Kind;
use crate::sandbox::status::Status;

/// What happens to the objects that a deleted one owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// The owner goes first, garbage collection takes the rest.
    Background,
    /// The owner waits, marked, until what it owns is gone.
    Foreground,
    /// What it owned stays.
    Orphan,
}

/// What must be true of the object, or nothing is deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preconditions {
    pub uid: Option<String>,
    pub resource_version: Option<String>,
}

/// How to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// None: the kind's own default (orphan for Jobs, background for the rest).
    pub propagation: Option<Propagation>,
    pub preconditions: Preconditions,
    /// Seconds that a pod may take to end; none: what its spec says.
    pub grace: Option<u64>,
    pub dry_run: bool,
}

/// How a deletion ended.
#[derive(Debug, Clone)]
pub enum Deleted {
    /// The object is gone.
    Removed(Arc<Value>),
    /// The object is marked and goes when its finalizers or its grace period are over.
    Marked(Arc<Value>),
}

impl Deleted {
    /// The object's last state.
    pub fn object(&self) -> &Arc<Value> {
        match self {
            Self::Removed(object) | Self::Marked(object) => object,
        }
    }
}

pub(super) fn delete(
    state: &mut State,
    clock: &Clock,
    kind: Kind,
    namespace: &str,
    name: &str,
    options: &DeleteOptions,
) -> Result<Deleted, Status> {
    let Some(old) = state.find(kind, namespace, name) else {
        return Err(Status::not_found(kind, name));
    };
    let old = Arc::new(old.unpack());
    check(kind, name, &old, &options.preconditions)?;
    let mut new = (*old).clone();
    let grace = grace(kind, &old, options);
    set_finalizers(kind, &mut new, options);
    mark(clock, &mut new, grace);
    if kind == Kind::Namespace {
        new["status"]["phase"] = "Terminating".into();
    }
    super::state::count_generation(kind, &old, &mut new);
    if options.dry_run {
        return Ok(if is_due(&new) {
            Deleted::Removed(Arc::new(new))
        } else {
            Deleted::Marked(Arc::new(new))
        });
    }
    if is_due(&new) {
        // Kinds with a grace period are marked even when it is none, and watches see that before the end.
        let last = if kind == Kind::Pod && new != *old {
            (*state.replace(kind, old.clone(), new)).clone()
        } else {
            (*old).clone()
        };
        let gone = state.take(kind, namespace, name, Some(last)).unwrap_or(old);
        return Ok(Deleted::Removed(gone));
    }
    if new == *old {
        return Ok(Deleted::Marked(old));
    }
    Ok(Deleted::Marked(state.replace(kind, old, new)))
}

/// Whether a marked object has nothing left to wait for.
pub(super) fn is_due(object: &Value) -> bool {
    let meta = &object["metadata"];
    let empty = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    meta["deletionTimestamp"].is_string()
        && empty(&meta["finalizers"])
        && empty(&object["spec"]["finalizers"])
        && meta["deletionGracePeriodSeconds"].as_u64().unwrap_or(0) == 0
}

fn check(kind: Kind, name: &str, object: &Value, wanted: &Preconditions) -> Result<(), Status> {
    let meta = &object["metadata"];
    let has = |field: &str| meta[field].as_str().unwrap_or_default().to_owned();
    let deleted = "might have been deleted and then recreated";
    let pairs = [
        (&wanted.uid, "UID", has("uid"), deleted),
        (
            &wanted.resource_version,
            "ResourceVersion",
            has("resourceVersion"),
            "might have been modified",
        ),
    ];
    for (wanted, what, has, perhaps) in pairs {
        if let Some(wanted) = wanted
            && *wanted != has
        {
            let why = format!(
                "the {what} in the precondition ({wanted}) does not match the {what} in record ({has}). The object {perhaps}"
            );
            return Err(Status::precondition(kind, name, &why));
        }
    }
    Ok(())
}

/// Only pods are given time, and only those that a node may be running.
fn grace(kind: Kind, object: &Value, options: &DeleteOptions) -> u64 {
    if kind != Kind::Pod {
        return 0;
    }
    let phase = object["status"]["phase"].as_str().unwrap_or_default();
    if object["spec"]["nodeName"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
        || matches!(phase, "Succeeded" | "Failed")
    {
        return 0;
    }
    let spec = object["spec"]["terminationGracePeriodSeconds"]
        .as_u64()
        .unwrap_or(30);
    let wanted = options.grace.unwrap_or(spec);
    // A second deletion may only shorten the time.
    match object["metadata"]["deletionGracePeriodSeconds"].as_u64() {
        Some(running) => running.min(wanted),
        None => wanted,
    }
}

fn mark(clock: &Clock, object: &mut Value, grace: u64) {
    let meta = &mut object["metadata"];
    let running = meta["deletionTimestamp"].is_string();
    if running && meta["deletionGracePeriodSeconds"].as_u64() == Some(grace) {
        return;
    }
    let wait = SignedDuration::from_secs(i64::try_from(grace).unwrap_or(i64::MAX));
    let at = clock
        .now()
        .checked_add(wait)
        .unwrap_or(jiff::Timestamp::MAX);
    meta["deletionTimestamp"] = whole_seconds(at).into();
    meta["deletionGracePeriodSeconds"] = grace.into();
}

fn set_finalizers(kind: Kind, object: &mut Value, options: &DeleteOptions) {
    const ORPHAN: &str = "orphan";
    const FOREGROUND: &str = "foregroundDeletion";
    let default = if kind == Kind::Job {
        Propagation::Orphan
    } else {
        Propagation::Background
    };
    let mut list: Vec<String> = object["metadata"]["finalizers"]
        .as_array()
        .map(|items| {
            items
                .iter()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default();
    let asked = options.propagation.unwrap_or_else(|| {
        // A finalizer that is there already is a wish too.
        if list.iter().any(|one| one == ORPHAN) {
            Propagation::Orphan
        } else if list.iter().any(|one| one == FOREGROUND) {
            Propagation::Foreground
        } else {
            default
        }
    });
    list.retain(|one| one != ORPHAN && one != FOREGROUND);
    match asked {
        Propagation::Background => {}
        Propagation::Foreground => list.push(FOREGROUND.to_owned()),
        Propagation::Orphan => list.push(ORPHAN.to_owned()),
    }
    if list.is_empty() {
        if let Some(meta) = object["metadata"].as_object_mut() {
            meta.remove("finalizers");
        }
    } else {
        object["metadata"]["finalizers"] = json!(list);
    }
}
