//! One object on its way through the stages, with the names it had before.

use serde_json::{Map, Value};

/// Kinds of Kubernetes itself that live in no namespace.
const CLUSTER_SCOPED: &[&str] = &[
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "ComponentStatus",
    "CustomResourceDefinition",
    "FlowSchema",
    "IPAddress",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "SelfSubjectAccessReview",
    "SelfSubjectRulesReview",
    "ServiceCIDR",
    "StorageClass",
    "StorageVersion",
    "SubjectAccessReview",
    "TokenReview",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// Which object it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    /// `default` where none is said; empty for cluster-scoped kinds.
    pub(super) namespace: String,
    pub(super) name: String,
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)?;
        if self.namespace.is_empty() {
            Ok(())
        } else {
            write!(f, " in namespace {}", self.namespace)
        }
    }
}

/// The kind lives in no namespace.
pub(super) fn is_cluster_scoped(kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&kind)
}

/// One object.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) value: Value,
    /// What it was called in lower layers, the first first.
    pub(super) earlier: Vec<Id>,
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
    /// Its name gets the hash of its content.
    pub(super) hashed: bool,
    /// The file it comes from, for messages.
    pub(super) file: String,
}

impl Resource {
    pub(super) fn new(value: Value, file: &str) -> Self {
        Self {
            value,
            earlier: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            hashed: false,
            file: file.to_owned(),
        }
    }

    /// What it is called now.
    pub(super) fn id(&self) -> Id {
        let text = |pointer| {
            self.value
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or("")
        };
        let api = text("/apiVersion");
        let (group, version) = api.split_once('/').unwrap_or(("", api));
        let kind = text("/kind");
        let namespace = match text("/metadata/namespace") {
            _ if is_cluster_scoped(kind) => "",
            "" => "default",
            said => said,
        };
        Id {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: text("/metadata/name").to_owned(),
        }
    }

    /// What it was called at first.
    pub(super) fn first_id(&self) -> Id {
        self.earlier.first().cloned().unwrap_or_else(|| self.id())
    }

    /// It is or was called `id`.
    pub(super) fn is_or_was(&self, id: &Id) -> bool {
        self.id() == *id || self.earlier.contains(id)
    }

    /// Notes the present name before it changes.
    pub(super) fn remember(&mut self) {
        let id = self.id();
        self.earlier.push(id);
    }

    pub(super) fn kind(&self) -> &str {
        self.value.get("kind").and_then(Value::as_str).unwrap_or("")
    }

    pub(super) fn set_name(&mut self, name: String) {
        if let Some(metadata) = self.metadata() {
            metadata.insert("name".into(), Value::String(name));
        }
    }

    /// The metadata, made when missing; absent only for a value that is no object.
    pub(super) fn metadata(&mut self) -> Option<&mut Map<String, Value>> {
        self.value
            .as_object_mut()?
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()))
            .as_object_mut()
    }

    /// Marked as an input of local tools, not for the cluster.
    pub(super) fn is_local_config(&self) -> bool {
        self.value
            .pointer("/metadata/annotations/config.kubernetes.io~1local-config")
            .is_some_and(|mark| mark != "false")
    }
}

/// Calls `f` on the map at `path`, through every item of lists on the way (`a[]` and `a` alike). Maps that are missing
/// are made when `create` says so.
pub(super) fn each_map(
    value: &mut Value,
    path: &[&str],
    create: bool,
    f: &mut dyn FnMut(&mut Map<String, Value>),
) {
    if let Value::Array(items) = value {
        for item in items {
            each_map(item, path, create, f);
        }
        return;
    }
    let Some(map) = value.as_object_mut() else {
        return;
    };
    let Some((first, rest)) = path.split_first() else {
        f(map);
        return;
    };
    let is_missing = map.get(*first).is_none_or(Value::is_null);
    if is_missing && create {
        map.insert((*first).to_owned(), Value::Object(Map::new()));
    }
    if let Some(next) = map.get_mut(*first) {
        each_map(next, rest, create, f);
    }
}

/// Calls `f` on every value at `path`, through every item of lists on the way and at the end.
pub(super) fn each_value(value: &mut Value, path: &[&str], f: &mut dyn FnMut(&mut Value)) {
    if let Value::Array(items) = value {
        for item in items {
            each_value(item, path, f);
        }
        return;
    }
    let Some((first, rest)) = path.split_first() else {
        f(value);
        return;
    };
    if let Some(next) = value.get_mut(*first) {
        each_value(next, rest, f);
    }
}

/// Where the pod template of a workload kind is; the pod spec is `spec` in it. Absent for other kinds.
pub(super) fn pod_template(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "Pod" => Some(&[]),
        "PodTemplate" => Some(&["template"]),
        "Deployment"
        | "ReplicaSet"
        | "DaemonSet"
        | "StatefulSet"
        | "Job"
        | "ReplicationController" => Some(&["spec", "template"]),
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}
