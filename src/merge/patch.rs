//! JSON merge patch (RFC 7386), and the difference of two documents as one.

use serde_json::{Map, Value};

/// Applies a merge patch: objects merge, null removes, anything else replaces.
pub fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            apply(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// The merge patch that makes `to` out of `from`, as long as `to` holds no null inside an object: a merge patch cannot say that.
pub fn diff(from: &Value, to: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (from, to) else {
        return to.clone();
    };
    let mut patch = Map::new();
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in new {
        match old.get(name) {
            Some(same) if same == value => {}
            Some(before) => drop(patch.insert(name.clone(), diff(before, value))),
            None => drop(patch.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_difference_leads_there(from in document(), to in document()) {
            let mut result = from.clone();
            apply(&mut result, &diff(&from, &to));
            prop_assert_eq!(result, to);
        }

        #[test]
        fn no_difference_is_an_empty_patch(same in document()) {
            let patch = diff(&same, &same);
            let empty = json!({});
            prop_assert!(!same.is_object() || patch == empty);
        }
    }

    #[test]
    fn null_removes_and_lists_replace() {
        let mut target = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1});
        apply(
            &mut target,
            &json!({"a": {"b": null, "c": [3]}, "e": {"f": null}}),
        );
        assert_eq!(target, json!({"a": {"c": [3]}, "d": 1, "e": {}}));
    }
}
