//! Strategic merge as kustomize does it. It differs from the API server's: what a patch adds to a list comes first, ports
//! have two keys, and lists without a schema are replaced.

use serde_json::{Map, Value};

/// The merge of `patch` into `target`; absent when the patch deletes it.
pub(super) fn merge(target: &Value, patch: &Value) -> Option<Value> {
    let kind = target.get("kind").and_then(Value::as_str).unwrap_or("");
    let api = target
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or("");
    // Only Kubernetes' own kinds have a schema; lists of custom resources are replaced whole.
    let group = api.split_once('/').map_or("", |(group, _)| group);
    let has_schema = !group.contains('.') || group.ends_with(".k8s.io");
    maps(
        Some(target),
        patch,
        &Place {
            kind,
            has_schema,
            field: "",
        },
    )
}

/// Where in an object the merge is.
#[derive(Clone, Copy)]
struct Place<'a> {
    kind: &'a str,
    has_schema: bool,
    /// Name of the field that holds the value.
    field: &'a str,
}

fn values(target: Option<&Value>, patch: &Value, place: Place<'_>) -> Option<Value> {
    match patch {
        Value::Null => None,
        Value::Object(_) => maps(target.filter(|t| t.is_object()), patch, &place),
        Value::Array(items) => lists(target, items, place),
        other => Some(other.clone()),
    }
}

fn maps(target: Option<&Value>, patch: &Value, place: &Place<'_>) -> Option<Value> {
    let empty = Map::new();
    let patch = patch.as_object().unwrap_or(&empty);
    match patch.get("$patch").and_then(Value::as_str) {
        Some("delete") => return None,
        Some("replace") => {
            let mut whole = patch.clone();
            whole.remove("$patch");
            return Some(Value::Object(whole));
        }
        _ => {}
    }
    let mut merged = target
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    for (name, value) in patch.iter().filter(|(name, _)| !name.starts_with('$')) {
        let inner = Place {
            field: name,
            ..*place
        };
        match values(merged.get(name), value, inner) {
            Some(value) => merged.insert(name.clone(), value),
            None => merged.remove(name),
        };
    }
    Some(Value::Object(merged))
}

fn lists(target: Option<&Value>, patch: &[Value], place: Place<'_>) -> Option<Value> {
    let directive = |word: &str| {
        patch.iter().any(|item| {
            item.get("$patch").and_then(Value::as_str) == Some(word)
                && item.as_object().is_some_and(|m| m.len() == 1)
        })
    };
    if directive("replace") {
        let rest = patch.iter().filter(|item| item.get("$patch").is_none());
        return Some(rest.cloned().collect());
    }
    if directive("delete") {
        return None;
    }
    let old = target
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let keys = if place.has_schema {
        merge_keys(place, old, patch)
    } else {
        None
    };
    match keys {
        Some(keys) => Some(Value::Array(keyed(old, patch, keys, place))),
        None if place.has_schema && is_set(place.field) => {
            let fresh = old.iter().filter(|item| !patch.contains(item));
            Some(patch.iter().chain(fresh).cloned().collect())
        }
        None => Some(Value::Array(patch.to_vec())),
    }
}

/// Items of the patch first, merged into their counterparts, then what only the target has.
fn keyed(old: &[Value], patch: &[Value], keys: &[&str], place: Place<'_>) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    let mut met = vec![false; old.len()];
    for item in patch {
        let counterpart = (0..old.len()).find(|at| !met[*at] && is_same(&old[*at], item, keys));
        if let Some(at) = counterpart {
            met[at] = true;
        }
        // As a directive for one item kustomize reads `replace` and leaves the item as it is.
        let old_item = counterpart.map(|at| &old[at]);
        let value = match old_item {
            Some(old_item) if item.get("$patch").and_then(Value::as_str) == Some("replace") => {
                Some(old_item.clone())
            }
            _ => maps(old_item, item, &Place { field: "", ..place }),
        };
        merged.extend(value);
    }
    merged.extend(
        old.iter()
            .zip(&met)
            .filter(|(_, met)| !**met)
            .map(|(item, _)| item.clone()),
    );
    merged
}

/// The first key agrees, and the others where both say them.
fn is_same(a: &Value, b: &Value, keys: &[&str]) -> bool {
    let Some((first, others)) = keys.split_first() else {
        return false;
    };
    a.get(*first).is_some()
        && a.get(*first) == b.get(*first)
        && others.iter().all(|key| match (a.get(*key), b.get(*key)) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        })
}

/// The keys by which the items of a list are told apart; absent: the list is replaced as a whole.
fn merge_keys(place: Place<'_>, old: &[Value], patch: &[Value]) -> Option<&'static [&'static str]> {
    let all = || old.iter().chain(patch);
    let keys: &'static [&'static str] = match place.field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "secrets"
        | "podIPs" => &["name"],
        "volumeMounts" => &["mountPath"],
        "volumeDevices" => &["devicePath"],
        "hostAliases" => &["ip"],
        "topologySpreadConstraints" => &["topologyKey", "whenUnsatisfiable"],
        "ownerReferences" => &["uid"],
        "conditions" => &["type"],
        "ports" if place.kind == "Service" => &["port", "protocol"],
        "ports" if all().any(|item| item.get("containerPort").is_some()) => {
            &["containerPort", "protocol"]
        }
        "webhooks" if place.kind.ends_with("WebhookConfiguration") => &["name"],
        _ => return None,
    };
    all().all(Value::is_object).then_some(keys)
}

/// Lists of plain values that are merged as sets.
fn is_set(field: &str) -> bool {
    field == "finalizers"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_of_a_patch_come_first_and_merge_by_key() {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"containers": [
            {"name": "a", "image": "a:1", "args": ["x"]}, {"name": "b"}
        ]}}}});
        let patch = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "c"}, {"name": "b", "$patch": "delete"}, {"name": "a", "args": ["y"]}
        ]}}}});
        assert_eq!(
            merge(&target, &patch)
                .unwrap()
                .pointer("/spec/template/spec/containers")
                .unwrap(),
            &json!([{"name": "c"}, {"name": "a", "image": "a:1", "args": ["y"]}])
        );
    }

    #[test]
    fn custom_resources_have_no_keys() {
        let target = json!({"apiVersion": "x.example.com/v1", "kind": "X", "spec": {"containers": [{"name": "a"}]}});
        let patch = json!({"spec": {"containers": [{"name": "b"}]}});
        assert_eq!(
            merge(&target, &patch).unwrap()["spec"]["containers"],
            json!([{"name": "b"}])
        );
        assert_eq!(merge(&target, &json!({"$patch": "delete"})), None);
        assert_eq!(
            merge(&target, &json!({"spec": null})).unwrap().get("spec"),
            None
        );
    }
}
