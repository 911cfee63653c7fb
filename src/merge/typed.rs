//! Documents seen with their types: which fields they set, how two differ, one laid over another, fields taken out.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::fields::{Fields, Path, Step};
use super::schema::{self, Form, ListKind, Schema};

/// How two documents differ.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    pub removed: Fields,
    pub modified: Fields,
    pub added: Fields,
}

/// How a value is owned.
enum Nature<'a> {
    /// Field by field.
    Map(&'a Map<String, Value>),
    /// Item by item.
    List(&'a [Value], ListKind),
    /// As a whole.
    Leaf,
}

fn nature(value: &Value, schema: Option<Schema>) -> Nature<'_> {
    match value {
        Value::Object(fields)
            if !schema.is_some_and(Schema::is_atomic)
                && schema.is_none_or(|at| at.form() != Form::Any) =>
        {
            Nature::Map(fields)
        }
        Value::Array(items) => match schema.map(Schema::list_kind) {
            None | Some(ListKind::Atomic) => Nature::Leaf,
            Some(kind) => Nature::List(items, kind),
        },
        _ => Nature::Leaf,
    }
}

/// The step to an item of a list that is owned item by item.
fn step(item: &Value, kind: ListKind) -> Step {
    match kind {
        ListKind::Keyed(keys) => {
            let key: Map<String, Value> = keys
                .iter()
                .filter_map(|key| {
                    let value = item
                        .get(key)
                        .cloned()
                        .or_else(|| schema::key_default(key).map(Value::from))?;
                    Some(((*key).to_owned(), value))
                })
                .collect();
            Step::Key(Value::Object(key).to_string())
        }
        ListKind::Set | ListKind::Atomic => Step::Item(item.to_string()),
    }
}

/// The places that a document sets.
pub fn fields_of(document: &Value, schema: Option<Schema>) -> Fields {
    let mut fields = Fields::default();
    collect(document, schema, &Path::default(), &mut fields);
    fields
}

fn collect(value: &Value, schema: Option<Schema>, at: &Path, fields: &mut Fields) {
    match nature(value, schema) {
        Nature::Map(map) => {
            let declared = schema.is_some_and(|here| here.form() == Form::Object);
            for (name, child) in map {
                let below = at.then(Step::Field(name.clone()));
                let child_schema = schema.and_then(|here| here.field(name));
                collect(child, child_schema, &below, fields);
                let empty = child.is_null() || child.as_object().is_some_and(Map::is_empty);
                if empty || !(declared && child_schema.is_some()) {
                    fields.insert(below);
                }
            }
        }
        Nature::List(items, kind) => {
            for item in items {
                let below = at.then(step(item, kind));
                collect(item, schema.and_then(Schema::item), &below, fields);
                fields.insert(below);
            }
        }
        Nature::Leaf => fields.insert(at.clone()),
    }
}

/// What changed from `old` to `new`.
pub fn difference(old: &Value, new: &Value, schema: Option<Schema>) -> Difference {
    let mut found = Difference::default();
    compare(Some(old), Some(new), schema, &Path::default(), &mut found);
    found
}

fn compare(
    old: Option<&Value>,
    new: Option<&Value>,
    schema: Option<Schema>,
    at: &Path,
    found: &mut Difference,
) {
    let hollow = |value: Option<&Value>| {
        value.is_none_or(|value| match value {
            Value::Object(map) => map.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Null => true,
            _ => false,
        })
    };
    let Some(one) = new.or(old) else { return };
    let shape = nature(one, schema);
    // Empty against absent differs too, so both hollow makes a leaf of it.
    if matches!(shape, Nature::Leaf) || (hollow(old) && hollow(new)) {
        match (old, new) {
            (None, _) => found.added.insert(at.clone()),
            (_, None) => found.removed.insert(at.clone()),
            (Some(old), Some(new)) if old != new => found.modified.insert(at.clone()),
            _ => {}
        }
        return;
    }
    match shape {
        Nature::Map(_) => {
            let mut names: BTreeSet<&String> = BTreeSet::new();
            for map in [old, new]
                .into_iter()
                .flatten()
                .filter_map(Value::as_object)
            {
                names.extend(map.keys());
            }
            for name in names {
                let below = at.then(Step::Field(name.clone()));
                let (old, new) = (
                    old.and_then(|old| old.get(name)),
                    new.and_then(|new| new.get(name)),
                );
                compare(
                    old,
                    new,
                    schema.and_then(|here| here.field(name)),
                    &below,
                    found,
                );
            }
        }
        Nature::List(_, kind) => {
            let (old, new) = (items(old), items(new));
            let mut steps: BTreeSet<Step> = old.iter().map(|item| step(item, kind)).collect();
            steps.extend(new.iter().map(|item| step(item, kind)));
            for step_to in steps {
                let old = old.iter().find(|item| step(item, kind) == step_to);
                let new = new.iter().find(|item| step(item, kind) == step_to);
                compare(
                    old,
                    new,
                    schema.and_then(Schema::item),
                    &at.then(step_to),
                    found,
                );
            }
        }
        Nature::Leaf => {}
    }
    if !at.steps().is_empty() {
        match (old, new) {
            (None, _) => found.added.insert(at.clone()),
            (_, None) => found.removed.insert(at.clone()),
            _ => {}
        }
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Lays `over` on `base`: fields and items merge, what is owned as a whole is replaced.
pub fn overlay(base: &mut Value, over: &Value, schema: Option<Schema>) {
    match (nature(over, schema), &mut *base) {
        (Nature::Map(map), Value::Object(into)) => {
            for (name, value) in map {
                let child = schema.and_then(|here| here.field(name));
                overlay(
                    into.entry(name.clone()).or_insert(Value::Null),
                    value,
                    child,
                );
            }
        }
        (Nature::List(new, kind), Value::Array(old)) => {
            *old = overlay_items(old, new, kind, schema.and_then(Schema::item));
        }
        _ => *base = over.clone(),
    }
}

/// Items that only `old` has keep their place between the others, which come in `new`'s order.
fn overlay_items(
    old: &[Value],
    new: &[Value],
    kind: ListKind,
    schema: Option<Schema>,
) -> Vec<Value> {
    let keys: BTreeSet<Step> = new.iter().map(|item| step(item, kind)).collect();
    let mut result = Vec::with_capacity(old.len().max(new.len()));
    let mut emitted: BTreeSet<Step> = BTreeSet::new();
    let mut at = 0;
    let pass_old = |at: &mut usize, emitted: &BTreeSet<Step>, result: &mut Vec<Value>| {
        while let Some(item) = old.get(*at) {
            let key = step(item, kind);
            if !keys.contains(&key) {
                result.push(item.clone());
            } else if !emitted.contains(&key) {
                return;
            }
            *at += 1;
        }
    };
    for item in new {
        pass_old(&mut at, &emitted, &mut result);
        let key = step(item, kind);
        let mut merged = old
            .iter()
            .find(|one| step(one, kind) == key)
            .cloned()
            .unwrap_or(Value::Null);
        overlay(&mut merged, item, schema);
        if emitted.insert(key) {
            result.push(merged);
        }
    }
    pass_old(&mut at, &emitted, &mut result);
    result
}

/// Takes places out; a map or list that becomes empty by it goes too.
pub fn without(document: &Value, gone: &Fields, schema: Option<Schema>) -> Value {
    take_out(document, gone, schema, &Path::default()).unwrap_or_else(|| Value::Object(Map::new()))
}

fn take_out(value: &Value, gone: &Fields, schema: Option<Schema>, at: &Path) -> Option<Value> {
    let keep = |child: &Value, schema: Option<Schema>, below: &Path| {
        if gone.contains(below) {
            None
        } else if gone.reaches(below) {
            take_out(child, gone, schema, below)
        } else {
            Some(child.clone())
        }
    };
    match nature(value, schema) {
        Nature::Map(map) => {
            let left: Map<String, Value> = map
                .iter()
                .filter_map(|(name, child)| {
                    let below = at.then(Step::Field(name.clone()));
                    let child = keep(child, schema.and_then(|here| here.field(name)), &below)?;
                    Some((name.clone(), child))
                })
                .collect();
            (!left.is_empty()).then_some(Value::Object(left))
        }
        Nature::List(items, kind) => {
            let left: Vec<Value> = items
                .iter()
                .filter_map(|item| {
                    keep(
                        item,
                        schema.and_then(Schema::item),
                        &at.then(step(item, kind)),
                    )
                })
                .collect();
            (!left.is_empty()).then_some(Value::Array(left))
        }
        Nature::Leaf => Some(value.clone()),
    }
}

/// Adds the named fields on the way to each place: they are members in spirit, though sets leave them out.
pub fn with_named_fields(fields: &Fields, schema: Option<Schema>) -> Fields {
    let mut all = fields.clone();
    for path in fields.iter() {
        let mut here = schema;
        let mut at = Path::default();
        for step in path.steps() {
            at = at.then(step.clone());
            let declared = here.is_some_and(|here| here.form() == Form::Object);
            here = match step {
                Step::Field(name) => here.and_then(|here| here.field(name)),
                _ => here.and_then(Schema::item),
            };
            if declared && here.is_some() {
                all.insert(at.clone());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Option<Schema> {
        schema::of("v1", "Pod")
    }

    #[test]
    fn fields_as_the_real_server_collects_them() {
        let applied = json!({
            "metadata": {"labels": {"a": "b"}, "finalizers": ["x"]},
            "spec": {
                "containers": [{"name": "c", "command": ["sh"], "ports": [{"containerPort": 80}], "resources": {}}],
                "nodeSelector": {},
            },
        });
        assert_eq!(
            fields_of(&applied, pod()).to_v1(),
            json!({
                "f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {"v:\"x\"": {}}},
                "f:spec": {
                    "f:containers": {"k:{\"name\":\"c\"}": {
                        ".": {}, "f:name": {}, "f:command": {}, "f:resources": {},
                        "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}},
                    }},
                    "f:nodeSelector": {},
                },
            })
        );
    }

    #[test]
    fn items_merge_by_key_and_in_order() {
        let mut base = json!({"spec": {"containers": [{"name": "a", "image": "a"}, {"name": "b"}, {"name": "c"}]}});
        let over = json!({"spec": {"containers": [{"name": "c", "image": "c"}, {"name": "d"}, {"name": "a", "image": "A"}]}});
        overlay(&mut base, &over, pod());
        let names: Vec<&str> = base["spec"]["containers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["c", "d", "a", "b"]);
        assert_eq!(base["spec"]["containers"][2]["image"], "A");
    }

    #[test]
    fn differences_name_the_smallest_places() {
        let old = json!({"spec": {"containers": [{"name": "a", "image": "1", "args": ["x"]}], "nodeName": "n"}});
        let new = json!({"spec": {"containers": [{"name": "a", "image": "2", "args": ["x"]}, {"name": "b"}]}});
        let found = difference(&old, &new, pod());
        let show = |fields: &Fields| fields.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            show(&found.modified),
            [r#".spec.containers[name="a"].image"#]
        );
        assert_eq!(
            show(&found.added),
            [
                r#".spec.containers[name="b"]"#,
                r#".spec.containers[name="b"].name"#
            ]
        );
        assert_eq!(show(&found.removed), [".spec.nodeName"]);
    }

    #[test]
    fn what_is_taken_out_leaves_no_shell() {
        let document = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"nodeName": "n", "nodeSelector": {"x": "y"}}});
        let gone: Fields = [
            Path::of(&["metadata", "labels", "a"]),
            Path::of(&["spec", "nodeName"]),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            without(&document, &gone, pod()),
            json!({"spec": {"nodeSelector": {"x": "y"}}})
        );
    }
}
