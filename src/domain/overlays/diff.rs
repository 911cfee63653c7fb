//! The difference of two versions of one object, field by field, without what the server keeps for itself.

use super::OVERLAY_LABEL;
use super::plan::FieldChange;
use super::quantity::is_same_amount;
use crate::domain::masking;
use crate::domain::payload::MASK;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What the server writes on its own account; it says nothing about an overlay.
const SERVER_METADATA: &[&str] = &[
    "managedFields",
    "resourceVersion",
    "uid",
    "generation",
    "creationTimestamp",
    "selfLink",
];

/// Annotations that tools leave behind, not a person's doing.
const TOOL_ANNOTATIONS: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
];

/// The fields in which `after` differs from `before`, in the order of their paths. Numbers and quantities are
/// compared by value; the values of a Secret come out masked; the label of this program is not a difference.
pub fn diff(before: &Value, after: &Value) -> Vec<FieldChange> {
    let (before, after) = (essence(before), essence(after));
    let is_secret = after
        .get("kind")
        .or_else(|| before.get("kind"))
        .and_then(Value::as_str)
        == Some("Secret");
    let mut found = Vec::new();
    compare("", Some(&before), Some(&after), &mut found);
    mask(&mut found, is_secret);
    found
}

/// An object without what its server and its tools wrote into it.
fn essence(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            for name in SERVER_METADATA {
                metadata.remove(*name);
            }
            drop_keys(metadata, "annotations", TOOL_ANNOTATIONS);
            drop_keys(metadata, "labels", &[OVERLAY_LABEL]);
        }
    }
    object
}

fn drop_keys(metadata: &mut Map<String, Value>, part: &str, keys: &[&str]) {
    if let Some(map) = metadata.get_mut(part).and_then(Value::as_object_mut) {
        for key in keys {
            map.remove(*key);
        }
        if map.is_empty() {
            metadata.remove(part);
        }
    }
}

fn compare(
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<FieldChange>,
) {
    match (before, after) {
        (Some(a), Some(b)) if a == b => {}
        (Some(Value::Number(_)), Some(Value::Number(_))) if amounts(before, after) => {}
        _ if holds_quantity(path) && amounts(before, after) => {}
        _ if both(before, after, |v| v.as_object().map(|_| ())) => {
            let map = |v: Option<&Value>| v.and_then(Value::as_object).cloned().unwrap_or_default();
            let (a, b) = (map(before), map(after));
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                compare(&join(path, key), a.get(key), b.get(key), found);
            }
        }
        _ if both(before, after, |v| v.as_array().map(|_| ())) => {
            compare_lists(path, before, after, found);
        }
        _ => found.push(FieldChange {
            path: path.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

fn amounts(before: Option<&Value>, after: Option<&Value>) -> bool {
    matches!((before, after), (Some(a), Some(b)) if is_same_amount(a, b))
}

/// Both sides that exist are of the kind, and at least one is not empty: an empty map or list that comes or goes is a
/// change of its own.
fn both(before: Option<&Value>, after: Option<&Value>, kind: fn(&Value) -> Option<()>) -> bool {
    let is_empty = |v: &Value| match v {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    let fits = |v: Option<&Value>| v.is_none_or(|v| kind(v).is_some());
    fits(before) && fits(after) && [before, after].iter().flatten().any(|v| !is_empty(v))
}

/// Lists whose items are all told apart by one key are compared by it; others by position.
fn compare_lists(
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<FieldChange>,
) {
    let list = |v: Option<&Value>| v.and_then(Value::as_array).cloned().unwrap_or_default();
    let (a, b) = (list(before), list(after));
    let key = [
        "name",
        "mountPath",
        "key",
        "containerPort",
        "port",
        "topologyKey",
        "ip",
    ]
    .into_iter()
    .find(|key| tells_apart(&a, key) && tells_apart(&b, key));
    let Some(key) = key else {
        for at in 0..a.len().max(b.len()) {
            compare(&format!("{path}[{at}]"), a.get(at), b.get(at), found);
        }
        return;
    };
    let named = |items: &[Value], name: &str| {
        items
            .iter()
            .find(|item| name_of(item, key).as_deref() == Some(name))
            .cloned()
    };
    let mut names: Vec<String> = Vec::new();
    for name in a.iter().chain(&b).filter_map(|item| name_of(item, key)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let start = found.len();
    for name in names {
        compare(
            &format!("{path}[{name}]"),
            named(&a, &name).as_ref(),
            named(&b, &name).as_ref(),
            found,
        );
    }
    // The same items in another order: the order is the change (init containers run in it).
    if found.len() == start && a != b {
        found.push(FieldChange {
            path: path.to_owned(),
            before: Some(Value::Array(order(&a, key))),
            after: Some(Value::Array(order(&b, key))),
        });
    }
}

fn order(items: &[Value], key: &str) -> Vec<Value> {
    items
        .iter()
        .filter_map(|item| name_of(item, key))
        .map(Value::String)
        .collect()
}

fn tells_apart(items: &[Value], key: &str) -> bool {
    let names: BTreeSet<String> = items.iter().filter_map(|item| name_of(item, key)).collect();
    names.len() == items.len()
}

fn name_of(item: &Value, key: &str) -> Option<String> {
    match item.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `a.b`, and `a[k]` for keys that a dot would make unreadable.
fn join(path: &str, key: &str) -> String {
    if key.contains(['.', '/', '[', ']']) || key.is_empty() {
        format!("{path}[{key}]")
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Fields whose strings the server reads as quantities.
fn holds_quantity(path: &str) -> bool {
    [
        "limits",
        "requests",
        "hard",
        "capacity",
        "allocatable",
        "sizeLimit",
        "divisor",
    ]
    .iter()
    .any(|name| {
        path.split(['.', '['])
            .rev()
            .take(2)
            .any(|part| part.trim_end_matches(']') == *name)
    }) || path.contains(".limits[")
        || path.contains(".requests[")
        || path.contains(".hard[")
}

/// The values of a Secret, of variables named like one, and texts that carry a password.
fn mask(found: &mut [FieldChange], is_secret: bool) {
    for change in found {
        let variable = change
            .path
            .rsplit_once("env[")
            .and_then(|(_, rest)| rest.strip_suffix("].value"));
        let whole = (is_secret
            && (change.path.starts_with("data") || change.path.starts_with("stringData")))
            || variable.is_some_and(masking::is_secret_name);
        for value in [&mut change.before, &mut change.after]
            .into_iter()
            .flatten()
        {
            let has_password = value.as_str().is_some_and(masking::is_secret_value);
            if whole || has_password {
                *value = Value::String(MASK.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        let text = |v: &Option<Value>| v.as_ref().map_or("-".to_owned(), ToString::to_string);
        diff(before, after)
            .iter()
            .map(|c| format!("{} {} {}", c.path, text(&c.before), text(&c.after)))
            .collect()
    }

    #[test]
    fn one_line_per_field() {
        let cases = [
            (json!({"a": 1}), json!({"a": 1.0}), vec![]),
            (json!({"a": 1}), json!({"a": 2}), vec!["a 1 2"]),
            (json!({"a": "1"}), json!({"a": 1}), vec!["a \"1\" 1"]),
            (json!({"a": {"b": {"c": 1}}}), json!({}), vec!["a.b.c 1 -"]),
            (json!({}), json!({"a": {}}), vec!["a - {}"]),
            (
                json!({"a": []}),
                json!({"a": [1, 2]}),
                vec!["a[0] - 1", "a[1] - 2"],
            ),
            (
                json!({"spec": {"resources": {"limits": {"cpu": "1000m", "nvidia.com/gpu": 1}}}}),
                json!({"spec": {"resources": {"limits": {"cpu": "1", "nvidia.com/gpu": "1"}}}}),
                vec![],
            ),
            (
                json!({"spec": {"env": [{"name": "A", "value": "1000m"}, {"name": "B", "value": "x"}]}}),
                json!({"spec": {"env": [{"name": "B", "value": "y"}, {"name": "A", "value": "1"}]}}),
                vec![
                    "spec.env[A].value \"1000m\" \"1\"",
                    "spec.env[B].value \"x\" \"y\"",
                ],
            ),
            (
                json!({"c": [{"name": "a"}, {"name": "b"}]}),
                json!({"c": [{"name": "b"}, {"name": "a"}]}),
                vec!["c [\"a\",\"b\"] [\"b\",\"a\"]"],
            ),
            (
                json!({"metadata": {"labels": {"x.y/z": "1"}}}),
                json!({"metadata": {"labels": {"x.y/z": "2"}}}),
                vec!["metadata.labels[x.y/z] \"1\" \"2\""],
            ),
            (
                json!({"data": {"": "1"}}),
                json!({"data": {}}),
                vec!["data[] \"1\" -"],
            ),
        ];
        for (before, after, wanted) in cases {
            assert_eq!(lines(&before, &after), wanted, "{before} {after}");
        }
    }

    #[test]
    fn what_the_server_writes_is_no_difference() {
        let before = json!({"kind": "Deployment", "metadata": {"name": "d", "uid": "1", "resourceVersion": "7",
            "generation": 3, "managedFields": [{}], "labels": {"llmctl.dev/overlay": "executor"},
            "annotations": {"deployment.kubernetes.io/revision": "2"}}, "status": {"replicas": 1}});
        let after = json!({"kind": "Deployment", "metadata": {"name": "d", "labels": {"llmctl.dev/overlay": "minikube"}}});
        assert_eq!(lines(&before, &after), Vec::<String>::new());
    }

    #[test]
    fn secret_values_do_not_come_out() {
        let before = json!({"kind": "Secret", "data": {"a": "aHVudGVyMg=="}, "type": "Opaque"});
        let after =
            json!({"kind": "Secret", "data": {"a": "c2VjcmV0", "b": "c2VjcmV0"}, "type": "Opaque"});
        assert_eq!(
            lines(&before, &after),
            ["data.a \"***\" \"***\"", "data.b - \"***\""]
        );
    }

    #[test]
    fn nor_do_those_of_variables_named_like_one() {
        let env = |value: &str| {
            json!({"spec": {"containers": [{"name": "c", "env": [
                {"name": "OPENAI_API_KEY", "value": value},
                {"name": "DATABASE", "value": format!("postgresql://u:{value}@h/db")},
            ]}]}})
        };
        let text = lines(&env("hunter2"), &env("hunter3")).join("\n");
        assert!(
            !text.contains("hunter") && text.contains("OPENAI_API_KEY"),
            "{text}"
        );
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z0-9]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z./]{0,5}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_thing_does_not_differ_from_itself_and_a_difference_is_found_from_both_sides(
            a in any_value(), b in any_value()
        ) {
            prop_assert!(diff(&a, &a).is_empty());
            let there: Vec<_> = diff(&a, &b).into_iter().map(|c| (c.path, c.before, c.after)).collect();
            let back: Vec<_> = diff(&b, &a).into_iter().map(|c| (c.path, c.after, c.before)).collect();
            let sorted = |mut v: Vec<(String, Option<Value>, Option<Value>)>| { v.sort_by(|x, y| x.0.cmp(&y.0)); v };
            prop_assert_eq!(sorted(there), sorted(back));
        }
    }
}
