//! How an object of the store is named and owned.

use std::sync::Arc;

use serde_json::Value;

use super::clock::Clock;

/// Where an object lives: its namespace (empty for a cluster-wide one) and its name. Clones share the texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

impl Key {
    /// The key of an object.
    pub(crate) fn of(object: &Value) -> Self {
        Self {
            namespace: meta(object, "namespace").into(),
            name: meta(object, "name").into(),
        }
    }
}

/// A text of the object's metadata; empty when it is not there.
pub(crate) fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

/// The object's uid.
pub(crate) fn uid(object: &Value) -> &str {
    meta(object, "uid")
}

/// Whether the object is marked for deletion.
pub(crate) fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// The uid of the object's controller, if it has one.
pub(crate) fn controller(object: &Value) -> Option<&str> {
    owners(object)
        .find(|owner| owner["controller"] == true)
        .and_then(|owner| owner["uid"].as_str())
}

/// The object's owner references.
pub(crate) fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    object["metadata"]["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
}

/// Whether the object has this finalizer.
pub(crate) fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    object["metadata"]["finalizers"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one == finalizer))
}

/// Takes a finalizer away.
pub(crate) fn drop_finalizer(object: &mut Value, finalizer: &str) {
    let Some(meta) = object["metadata"].as_object_mut() else {
        return;
    };
    let Some(all) = meta.get_mut("finalizers").and_then(Value::as_array_mut) else {
        return;
    };
    all.retain(|one| one != finalizer);
    if all.is_empty() {
        meta.remove("finalizers");
    }
}

/// Sets a field, or takes it away for a null.
pub(crate) fn put(object: &mut Value, field: &str, value: Value) {
    if !object.is_object() {
        *object = Value::Object(serde_json::Map::new());
    }
    let Some(map) = object.as_object_mut() else {
        return;
    };
    if value.is_null() {
        map.remove(field);
    } else {
        map.insert(field.to_owned(), value);
    }
}

/// How long it is from now to a time written in an object; zero when it is past, `None` when it is not a time.
pub(crate) fn until(clock: &Clock, time: &Value, plus_seconds: i64) -> Option<std::time::Duration> {
    let at: jiff::Timestamp = time.as_str()?.parse().ok()?;
    let due = at
        .checked_add(jiff::SignedDuration::from_secs(plus_seconds))
        .unwrap_or(jiff::Timestamp::MAX);
    Some(std::time::Duration::try_from(due.duration_since(clock.now())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_finalizer_takes_the_list_along() {
        let mut object = json!({"metadata": {"finalizers": ["a", "b"]}});
        drop_finalizer(&mut object, "a");
        assert!(has_finalizer(&object, "b") && !has_finalizer(&object, "a"));
        drop_finalizer(&mut object, "b");
        assert_eq!(object, json!({"metadata": {}}));
    }
}
