//! Events in the shape of `events.k8s.io/v1`: the same events under other field names.

use serde_json::{Map, Value, json};

/// `(core, new)` names of the fields that are only called differently.
const NAMES: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// A core event as the newer group shows it.
pub(super) fn from_core(event: &Value) -> Value {
    let mut new = renamed(event, |name| {
        NAMES
            .iter()
            .find(|(core, _)| *core == name)
            .map(|(_, new)| *new)
    });
    new["apiVersion"] = "events.k8s.io/v1".into();
    new
}

/// An event of the newer group as it is stored.
pub(super) fn to_core(event: &Value) -> Value {
    let mut core = renamed(event, |name| {
        NAMES
            .iter()
            .find(|(_, new)| *new == name)
            .map(|(core, _)| *core)
    });
    core["apiVersion"] = "v1".into();
    core
}

fn renamed(event: &Value, name: impl Fn(&str) -> Option<&'static str>) -> Value {
    let Some(fields) = event.as_object() else {
        return json!({});
    };
    let fields: Map<String, Value> = fields
        .iter()
        .map(|(field, value)| (name(field).unwrap_or(field).to_owned(), value.clone()))
        .collect();
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let core = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"name": "p"},
            "message": "m", "count": 2, "reason": "Started", "reportingComponent": "kubelet",
        });
        let new = from_core(&core);
        assert_eq!(new["note"], "m");
        assert_eq!(new["regarding"]["name"], "p");
        assert_eq!(to_core(&new), core);
    }
}
