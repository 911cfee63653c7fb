//! Strategic merge patch: a merge patch that knows which lists merge by which key.

use serde_json::{Map, Value};

use super::printed;
use super::schema::Schema;

/// What is wrong with a patch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("map: {0} does not contain declared merge key: {1}")]
    NoMergeKey(String, &'static str),
    #[error("unknown directive {0:?} in a strategic merge patch; use replace, merge or delete")]
    UnknownDirective(String),
}

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Applies a strategic merge patch; where the type is not known it works as a merge patch does.
///
/// # Errors
/// When an item of a keyed list has no key, or a directive means nothing.
pub fn apply(target: &mut Value, patch: &Value, schema: Option<Schema>) -> Result<(), Error> {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    match fields.get(DIRECTIVE).and_then(Value::as_str) {
        None | Some("merge") => {}
        Some("replace") => {
            *target = without_directives(patch);
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some(other) => return Err(Error::UnknownDirective(other.to_owned())),
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(into) = target else {
        return Ok(());
    };
    if let Some(Value::Array(keys)) = fields.get(RETAIN) {
        into.retain(|name, _| keys.iter().any(|key| key == name.as_str()));
    }
    for (name, value) in fields {
        if let Some(list) = name.strip_prefix(DELETE_FROM) {
            delete_scalars(into, list, value);
        }
    }
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with('$')) {
        field(
            into,
            name,
            value,
            schema.and_then(|schema| schema.field(name)),
        )?;
    }
    for (name, order) in fields {
        if let Some(list) = name.strip_prefix(ORDER) {
            let place = schema.and_then(|schema| schema.field(list));
            reorder(
                into,
                list,
                order,
                place.and_then(Schema::merge_key).unwrap_or_default(),
            );
        }
    }
    Ok(())
}

fn field(
    into: &mut Map<String, Value>,
    name: &str,
    value: &Value,
    schema: Option<Schema>,
) -> Result<(), Error> {
    match value {
        Value::Null => drop(into.remove(name)),
        Value::Object(inner) if inner.get(DIRECTIVE).and_then(Value::as_str) == Some("delete") => {
            drop(into.remove(name));
        }
        Value::Object(_) => apply(into.entry(name).or_insert(Value::Null), value, schema)?,
        Value::Array(items) => match schema.and_then(Schema::merge_key) {
            Some("") => merge_scalars(into, name, items),
            Some(key) => {
                let item = schema.and_then(Schema::item);
                let list = into.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                merge_items(list, items, key, item)?;
            }
            None => drop(into.insert(name.to_owned(), without_directives(value))),
        },
        scalar => drop(into.insert(name.to_owned(), scalar.clone())),
    }
    Ok(())
}

fn merge_items(
    list: &mut Value,
    patch: &[Value],
    key: &'static str,
    schema: Option<Schema>,
) -> Result<(), Error> {
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let Value::Array(list) = list else {
        return Ok(());
    };
    if patch
        .iter()
        .any(|item| item[DIRECTIVE] == "replace" && item.get(key).is_none())
    {
        list.clear();
    }
    for item in patch {
        if item[DIRECTIVE] == "replace" && item.get(key).is_none() {
            continue;
        }
        let wanted = item
            .get(key)
            .ok_or_else(|| Error::NoMergeKey(printed::value(item), key))?;
        let at = list.iter().position(|one| one.get(key) == Some(wanted));
        match (item[DIRECTIVE].as_str(), at) {
            (Some("delete"), Some(at)) => drop(list.remove(at)),
            (Some("delete"), None) => {}
            (_, Some(at)) => apply(&mut list[at], item, schema)?,
            (_, None) => {
                let mut fresh = Value::Object(Map::new());
                apply(&mut fresh, item, schema)?;
                list.push(fresh);
            }
        }
    }
    Ok(())
}

fn merge_scalars(into: &mut Map<String, Value>, name: &str, items: &[Value]) {
    let list = into.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        for item in items {
            if !list.contains(item) {
                list.push(item.clone());
            }
        }
    }
}

fn delete_scalars(into: &mut Map<String, Value>, name: &str, gone: &Value) {
    if let (Some(Value::Array(list)), Value::Array(gone)) = (into.get_mut(name), gone) {
        list.retain(|item| !gone.contains(item));
    }
}

/// Puts the named items in the order that the patch says; the rest keeps its place behind them.
fn reorder(into: &mut Map<String, Value>, name: &str, order: &Value, key: &str) {
    let (Some(Value::Array(list)), Value::Array(order)) = (into.get_mut(name), order) else {
        return;
    };
    let rank = |item: &Value| {
        order
            .iter()
            .position(|wanted| match (item.get(key), wanted.get(key)) {
                (Some(has), Some(wanted)) => has == wanted,
                _ => item == wanted,
            })
    };
    list.sort_by_key(|item| rank(item).unwrap_or(usize::MAX));
}

fn without_directives(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(name, value)| !name.starts_with('$') && !value.is_null())
                .map(|(name, value)| (name.clone(), without_directives(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(
            items
                .iter()
                .filter(|item| {
                    item.get(DIRECTIVE).is_none()
                        || item.as_object().is_some_and(|fields| fields.len() > 1)
                })
                .map(without_directives)
                .collect(),
        ),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::merge::schema;

    fn patched(target: Value, patch: Value) -> Value {
        let mut target = target;
        apply(&mut target, &patch, schema::of("apps/v1", "Deployment")).unwrap();
        target
    }

    fn pod_spec(spec: Value) -> Value {
        json!({"spec": {"template": {"spec": spec}}})
    }

    #[test]
    fn containers_merge_by_name() {
        let from = pod_spec(
            json!({"containers": [{"name": "a", "image": "a:1", "args": ["x"]}, {"name": "b", "image": "b:1"}]}),
        );
        let patch = pod_spec(
            json!({"containers": [{"name": "a", "image": "a:2"}, {"name": "c", "image": "c:1"}]}),
        );
        let to = pod_spec(json!({"containers": [
            {"name": "a", "image": "a:2", "args": ["x"]}, {"name": "b", "image": "b:1"}, {"name": "c", "image": "c:1"}]}));
        assert_eq!(patched(from, patch), to);
    }

    #[test]
    fn directives() {
        let from = pod_spec(
            json!({"containers": [{"name": "a"}, {"name": "b"}], "nodeSelector": {"x": "1"}}),
        );
        let patch = pod_spec(json!({
            "containers": [{"name": "a", "$patch": "delete"}], "nodeSelector": {"$patch": "replace", "y": "2"},
        }));
        let to = pod_spec(json!({"containers": [{"name": "b"}], "nodeSelector": {"y": "2"}}));
        assert_eq!(patched(from, patch), to);
        let from = json!({"metadata": {"finalizers": ["a", "b"]}, "spec": {"strategy": {"type": "Recreate", "old": 1}}});
        let patch = json!({
            "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]},
            "spec": {"strategy": {"$retainKeys": ["type"], "type": "RollingUpdate"}},
        });
        let to = json!({"metadata": {"finalizers": ["b", "c"]}, "spec": {"strategy": {"type": "RollingUpdate"}}});
        assert_eq!(patched(from, patch), to);
    }

    #[test]
    fn order_is_set() {
        let from = pod_spec(json!({"containers": [{"name": "a"}, {"name": "b"}]}));
        let patch = pod_spec(
            json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [{"name": "b", "image": "i"}]}),
        );
        let to = pod_spec(json!({"containers": [{"name": "b", "image": "i"}, {"name": "a"}]}));
        assert_eq!(patched(from, patch), to);
    }

    #[test]
    fn a_keyed_item_needs_its_key() {
        let mut target = pod_spec(json!({}));
        let patch = pod_spec(json!({"containers": [{"image": "x"}]}));
        let error = apply(&mut target, &patch, schema::of("apps/v1", "Deployment")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "map: map[image:x] does not contain declared merge key: name"
        );
    }
}
