//! Kubernetes objects as an overlay holds them: raw JSON and what identifies it.

use serde::Serialize;
use serde_json::Value;
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

/// What stands where a secret value would.
pub const MASK: &str = "***";

/// A copy that may be shown: the values of a Secret, and the copy of them that `kubectl apply` leaves in an
/// annotation, are [`MASK`]; keys stay.
pub fn masked(object: &Value) -> Value {
    let mut shown = object.clone();
    if object.get("kind").and_then(Value::as_str) == Some("Secret") {
        for part in ["data", "stringData"] {
            if let Some(values) = shown.get_mut(part).and_then(Value::as_object_mut) {
                for value in values.values_mut() {
                    *value = Value::String(MASK.into());
                }
            }
        }
        if let Some(last) = shown
            .pointer_mut("/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration")
        {
            *last = Value::String(MASK.into());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_keeps_its_keys_and_loses_its_values() {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "s", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"password\":\"aHVudGVyMg==\"}}",
                "kept": "yes",
            }},
            "data": {"password": "aHVudGVyMg=="},
            "stringData": {"token": "hunter2"},
        });
        let text = masked(&secret).to_string();
        assert!(
            !text.contains("hunter2") && !text.contains("aHVudGVyMg"),
            "{text}"
        );
        assert!(text.contains("password") && text.contains("token") && text.contains("kept"));
        assert!(!format!("{:?}", Objects::new(vec![secret])).contains("hunter2"));
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
