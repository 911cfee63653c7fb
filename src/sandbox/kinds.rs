//! The table of kinds that the embedded cluster imitates, and of those it only knows by name.

use std::fmt;

/// One imitated kind: a handle into the table below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Namespace,
    ConfigMap,
    Secret,
    ServiceAccount,
    Event,
    Node,
    Pod,
    Service,
    Endpoints,
    PersistentVolumeClaim,
    ResourceQuota,
    LimitRange,
    Deployment,
    ReplicaSet,
    Job,
    Lease,
    Ingress,
    ClusterRole,
    ClusterRoleBinding,
    Role,
    RoleBinding,
}

/// What discovery says of a kind. Every group has the one version `v1`.
#[derive(Debug)]
pub struct Row {
    pub kind: Kind,
    pub name: &'static str,
    /// Empty for the core group.
    pub group: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub short: &'static [&'static str],
    pub namespaced: bool,
    pub verbs: &'static [&'static str],
    pub subresources: &'static [&'static str],
    pub categories: &'static [&'static str],
}

const WRITE: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
/// A namespace collection cannot be deleted in one request.
const WRITE_ONE: &[&str] = &[
    "create", "delete", "get", "list", "patch", "update", "watch",
];
/// Nothing here would act on such an object, so none can be made; lists of them are truly empty.
const READ: &[&str] = &["get", "list", "watch"];
const ALL: &[&str] = &["all"];

macro_rules! rows {
    ($($kind:ident $group:literal $plural:literal $singular:literal $short:expr, $namespaced:literal, $verbs:ident, $sub:expr, $cat:expr;)*) => {
        &[$(Row {
            kind: Kind::$kind, name: stringify!($kind), group: $group, plural: $plural, singular: $singular, short: &$short,
            namespaced: $namespaced, verbs: $verbs, subresources: &$sub, categories: $cat,
        }),*]
    };
}

#[rustfmt::skip]
const TABLE: &[Row] = rows! {
    Namespace "" "namespaces" "namespace" ["ns"], false, WRITE_ONE, ["status", "finalize"], &[];
    ConfigMap "" "configmaps" "configmap" ["cm"], true, WRITE, [], &[];
    Secret "" "secrets" "secret" [], true, WRITE, [], &[];
    ServiceAccount "" "serviceaccounts" "serviceaccount" ["sa"], true, WRITE, [], &[];
    Event "" "events" "event" ["ev"], true, WRITE, [], &[];
    Node "" "nodes" "node" ["no"], false, WRITE, ["status"], &[];
    Pod "" "pods" "pod" ["po"], true, WRITE, ["status", "log"], ALL;
    Service "" "services" "service" ["svc"], true, WRITE, ["status"], ALL;
    Endpoints "" "endpoints" "endpoints" ["ep"], true, WRITE, [], &[];
    PersistentVolumeClaim "" "persistentvolumeclaims" "persistentvolumeclaim" ["pvc"], true, WRITE, ["status"], &[];
    ResourceQuota "" "resourcequotas" "resourcequota" ["quota"], true, WRITE, ["status"], &[];
    LimitRange "" "limitranges" "limitrange" ["limits"], true, READ, [], &[];
    Deployment "apps" "deployments" "deployment" ["deploy"], true, WRITE, ["status", "scale"], ALL;
    ReplicaSet "apps" "replicasets" "replicaset" ["rs"], true, WRITE, ["status", "scale"], ALL;
    Job "batch" "jobs" "job" [], true, WRITE, ["status"], ALL;
    Lease "coordination.k8s.io" "leases" "lease" [], true, WRITE, [], &[];
    Ingress "networking.k8s.io" "ingresses" "ingress" ["ing"], true, WRITE, ["status"], &[];
    ClusterRole "rbac.authorization.k8s.io" "clusterroles" "clusterrole" [], false, WRITE, [], &[];
    ClusterRoleBinding "rbac.authorization.k8s.io" "clusterrolebindings" "clusterrolebinding" [], false, WRITE, [], &[];
    Role "rbac.authorization.k8s.io" "roles" "role" [], true, WRITE, [], &[];
    RoleBinding "rbac.authorization.k8s.io" "rolebindings" "rolebinding" [], true, WRITE, [], &[];
};

/// `(group, plural)` of what a real server of this version also serves and this one does not: answered 501, not 404.
const KNOWN: &[(&str, &str)] = &[
    ("", "bindings"),
    ("", "componentstatuses"),
    ("", "persistentvolumes"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("apps", "controllerrevisions"),
    ("apps", "daemonsets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("networking.k8s.io", "ingressclasses"),
    ("networking.k8s.io", "ipaddresses"),
    ("networking.k8s.io", "networkpolicies"),
    ("networking.k8s.io", "servicecidrs"),
];

/// Groups a real server also serves, with nothing of them imitated.
const KNOWN_GROUPS: &[&str] = &[
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "certificates.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "node.k8s.io",
    "policy",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

impl Kind {
    /// Every imitated kind, in the table's order.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind)
    }

    /// The kind served at `group` (empty for core) under `plural`. `events.k8s.io` is another view of the core events.
    pub fn at(group: &str, plural: &str) -> Option<Self> {
        let group = if group == EVENTS_GROUP && plural == "events" {
            ""
        } else {
            group
        };
        TABLE
            .iter()
            .find(|row| row.group == group && row.plural == plural)
            .map(|row| row.kind)
    }

    /// The kind of an object by its `apiVersion` and `kind`.
    pub fn named(api_version: &str, kind: &str) -> Option<Self> {
        let group = match api_version.split_once('/') {
            Some((EVENTS_GROUP, "v1")) if kind == "Event" => "",
            Some((group, "v1")) => group,
            None if api_version == "v1" => "",
            _ => return None,
        };
        TABLE
            .iter()
            .find(|row| row.group == group && row.name == kind)
            .map(|row| row.kind)
    }

    /// Its row of the table.
    pub fn row(self) -> &'static Row {
        // The enum and the table are written in one order; a test holds them to it.
        &TABLE[self as usize]
    }

    /// Its name as in an object's `kind`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Its `apiVersion`: `v1` or `group/v1`.
    pub fn api_version(self) -> String {
        match self.row().group {
            "" => "v1".to_owned(),
            group => format!("{group}/v1"),
        }
    }

    /// As error messages name the resource: `pods`, `jobs.batch`.
    pub fn resource(self) -> String {
        let row = self.row();
        match row.group {
            "" => row.plural.to_owned(),
            group => format!("{}.{group}", row.plural),
        }
    }

    /// As messages about a wrong object name the kind: `Pod`, `Job.batch`.
    pub fn qualified(self) -> String {
        match self.row().group {
            "" => self.name().to_owned(),
            group => format!("{}.{group}", self.name()),
        }
    }

    /// Whether its objects live in a namespace.
    pub fn namespaced(self) -> bool {
        self.row().namespaced
    }

    /// Whether the server counts its spec's versions in `metadata.generation`.
    pub fn has_generation(self) -> bool {
        matches!(
            self,
            Self::Pod | Self::Deployment | Self::ReplicaSet | Self::Job | Self::Ingress
        )
    }

    /// Whether a write to the main resource leaves `status` alone.
    pub fn has_status(self) -> bool {
        self.row().subresources.contains(&"status")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The group whose `events` are the core events in another shape.
pub const EVENTS_GROUP: &str = "events.k8s.io";

/// Whether a real server of this version has a group of this name.
pub fn is_group(group: &str) -> bool {
    group == EVENTS_GROUP
        || KNOWN_GROUPS.contains(&group)
        || TABLE.iter().any(|row| row.group == group)
}

/// Whether a real server has this resource although the sandbox does not imitate it.
pub fn known_elsewhere(group: &str, plural: &str) -> bool {
    KNOWN.contains(&(group, plural)) || KNOWN_GROUPS.contains(&group)
}

/// `(group, plural)` of what a real server also serves and the sandbox answers 501; a group without a plural is meant as a whole.
pub fn known() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let one = |(group, plural): &(&'static str, &'static str)| (*group, Some(*plural));
    let whole = KNOWN_GROUPS.iter().map(|group| (*group, None));
    KNOWN.iter().map(one).chain(whole)
}

/// The subresources of a kind that a real server has and the sandbox answers 501.
pub fn known_subresources(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pod => &[
            "attach",
            "binding",
            "ephemeralcontainers",
            "eviction",
            "exec",
            "portforward",
            "proxy",
            "resize",
        ],
        Kind::ServiceAccount => &["token"],
        Kind::Node | Kind::Service => &["proxy"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enum_and_the_table_agree() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, index, "{}", row.name);
            assert_eq!(format!("{:?}", row.kind), row.name);
            assert_eq!(Kind::at(row.group, row.plural), Some(row.kind));
            assert_eq!(
                Kind::named(&row.kind.api_version(), row.name),
                Some(row.kind)
            );
        }
        assert_eq!(TABLE.len(), Kind::RoleBinding as usize + 1);
    }

    #[test]
    fn events_have_two_doors() {
        assert_eq!(Kind::at("events.k8s.io", "events"), Some(Kind::Event));
        assert_eq!(Kind::named("events.k8s.io/v1", "Event"), Some(Kind::Event));
        assert_eq!(Kind::named("batch/v1beta1", "Job"), None);
        assert!(known_elsewhere("apps", "statefulsets"));
        assert!(!known_elsewhere("apps", "widgets"));
    }
}
