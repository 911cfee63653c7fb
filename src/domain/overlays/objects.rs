//! Kubernetes objects as an overlay holds them: raw JSON and what identifies it.

use super::OVERLAY_LABEL;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What identifies an object in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    pub api_version: String,
    pub kind: String,
    /// Absent for cluster-scoped kinds, and where the overlay does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub name: String,
}

impl ObjectRef {
    /// The reference of a raw object; absent when it has no kind or no name.
    pub fn of(object: &Value) -> Option<Self> {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        Some(Self {
            api_version: text("/apiVersion")?.into(),
            kind: text("/kind")?.into(),
            namespace: text("/metadata/namespace").map(Into::into),
            name: text("/metadata/name")?.into(),
        })
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// The same object whatever version of its API is spoken.
    pub fn is_same(&self, other: &Self) -> bool {
        self.group() == other.group()
            && self.kind == other.kind
            && self.namespace == other.namespace
            && self.name == other.name
    }
}

/// `Kind/name`, as lists and messages show it.
impl std::fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// The objects of one overlay, shared and never printed: Secrets may be among them.
#[derive(Clone, Default, PartialEq)]
pub struct Objects(Arc<Vec<Value>>);

impl Objects {
    /// Takes objects in the order in which they are to be applied.
    pub fn new(objects: Vec<Value>) -> Self {
        Self(Arc::new(objects))
    }

    /// All of them, in order.
    pub fn all(&self) -> &[Value] {
        &self.0
    }
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Objects({})", self.0.len())
    }
}

/// A copy that carries the overlay's name, as it is sent to the cluster.
pub fn labelled(object: &Value, overlay: &str) -> Value {
    let mut object = object.clone();
    let labels = object
        .as_object_mut()
        .map(|fields| fields.entry("metadata").or_insert_with(|| json!({})))
        .and_then(Value::as_object_mut)
        .map(|metadata| metadata.entry("labels").or_insert_with(|| json!({})));
    if let Some(labels) = labels {
        // `labels:` with nothing behind it is null.
        if !labels.is_object() {
            *labels = json!({});
        }
        labels[OVERLAY_LABEL] = json!(overlay);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_labelled_and_not_printed() {
        let secret =
            json!({"kind": "Secret", "metadata": {"labels": null}, "stringData": {"a": "hunter2"}});
        let sent = labelled(&secret, "minikube");
        assert_eq!(
            sent["metadata"]["labels"],
            json!({"llmctl.dev/overlay": "minikube"})
        );
        assert_eq!(format!("{:?}", Objects::new(vec![sent])), "Objects(1)");
    }

    #[test]
    fn the_version_of_the_api_does_not_make_another_object() {
        let a = ObjectRef::of(&json!({"apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}})).unwrap();
        let b = ObjectRef {
            api_version: "apps/v1".into(),
            ..a.clone()
        };
        let c = ObjectRef {
            api_version: "v1".into(),
            ..a.clone()
        };
        assert!(a.is_same(&b) && !a.is_same(&c));
        assert_eq!(a.to_string(), "Deployment/d");
    }
}
