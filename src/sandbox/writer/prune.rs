//! What is not there on the wire: nulls, and maps without entries.

use serde_json::{Map, Value};

/// Takes out what is as good as absent.
pub(super) fn absent(object: &mut Value) {
    prune_nulls(object);
    prune_empty_maps(object);
}

/// A map without entries is an absent one on the wire.
fn prune_empty_maps(object: &mut Value) {
    let prune = |fields: Option<&mut Map<String, Value>>, names: &[&str]| {
        if let Some(fields) = fields {
            fields.retain(|name, value| {
                !(names.contains(&name.as_str()) && value.as_object().is_some_and(Map::is_empty))
            });
        }
    };
    prune(
        object["metadata"].as_object_mut(),
        &["labels", "annotations"],
    );
    prune(object.as_object_mut(), &["data", "binaryData"]);
}

/// A null field is an absent field.
fn prune_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(prune_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(prune_nulls),
        _ => {}
    }
}
