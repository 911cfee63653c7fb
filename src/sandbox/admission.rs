//! What happens to a pod on its way in: its service account, the token it brings, its quality of service.

use std::sync::Arc;

use serde_json::{Value, json};

use super::images::Reference;
use super::kinds::Kind;
use super::object::{meta, put};
use super::quantity::Quantity;
use super::status::Status;
use super::store::Store;

/// Where a service account's token is mounted.
const TOKENS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How much of a generated name is its own; five random characters follow.
const GENERATED: usize = 58;

/// The classes that every cluster has.
const PRIORITIES: [(&str, i64); 2] = [
    ("system-cluster-critical", 2_000_000_000),
    ("system-node-critical", 2_000_001_000),
];

/// Puts a pod in, as the API server does: admitted, named, pending.
///
/// # Errors
/// 403 for a service account that is not there; everything that [`Store::create`] refuses.
pub(crate) fn create_pod(store: &Store, mut pod: Value) -> Result<Arc<Value>, Status> {
    admit_pod(store, &mut pod)?;
    let full = meta(&pod, "generateName");
    if full.len() > GENERATED && meta(&pod, "name").is_empty() {
        let base = full[..full.floor_char_boundary(GENERATED)].to_owned();
        // The store makes the name from what it finds; the pod keeps its full prefix.
        pod["metadata"]["name"] = format!("{base}{}", suffix()).into();
    }
    store.create(Kind::Pod, pod)
}

/// Fills in what admission gives a new pod.
///
/// # Errors
/// 403 for a service account that is not there.
pub fn admit_pod(store: &Store, pod: &mut Value) -> Result<(), Status> {
    let namespace = meta(pod, "namespace").to_owned();
    let name = [meta(pod, "name"), meta(pod, "generateName")]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default()
        .to_owned();
    let spec = &mut pod["spec"];
    let account = spec["serviceAccountName"]
        .as_str()
        .filter(|name| !name.is_empty())
        .unwrap_or("default")
        .to_owned();
    let Some(found) = store.find(Kind::ServiceAccount, &namespace, &account) else {
        let why = format!(
            "error looking up service account {namespace}/{account}: serviceaccount {account:?} not found"
        );
        return Err(Status::forbidden(Kind::Pod, &name, &why));
    };
    if let Some(class) = spec["priorityClassName"]
        .as_str()
        .filter(|class| !class.is_empty())
    {
        let Some((_, priority)) = PRIORITIES.iter().find(|(known, _)| *known == class) else {
            let why = format!("no PriorityClass with name {class} was found");
            return Err(Status::forbidden(Kind::Pod, &name, &why));
        };
        spec["priority"] = (*priority).into();
    }
    spec["serviceAccountName"] = account.as_str().into();
    spec["serviceAccount"] = account.into();
    let mounts_token = spec["automountServiceAccountToken"]
        .as_bool()
        .or_else(|| found["automountServiceAccountToken"].as_bool());
    if mounts_token != Some(false) {
        add_token(spec);
    }
    defaults(spec);
    let class = quality(spec);
    pod["status"] = json!({"phase": "Pending", "qosClass": class});
    Ok(())
}

fn add_token(spec: &mut Value) {
    let volumes = spec["volumes"].as_array().cloned().unwrap_or_default();
    if volumes.iter().any(|volume| {
        volume["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("kube-api-access-"))
    }) {
        return;
    }
    let volume = format!("kube-api-access-{}", suffix());
    let mut used = false;
    for field in ["initContainers", "containers"] {
        for container in spec[field].as_array_mut().into_iter().flatten() {
            let mut mounts = container["volumeMounts"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            if mounts.iter().any(|mount| mount["mountPath"] == TOKENS) {
                continue;
            }
            mounts.push(json!({"name": volume, "mountPath": TOKENS, "readOnly": true}));
            container["volumeMounts"] = mounts.into();
            used = true;
        }
    }
    if used {
        let mut volumes = volumes;
        volumes.push(json!({"name": volume, "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ]}}));
        spec["volumes"] = volumes.into();
    }
}

fn defaults(spec: &mut Value) {
    let missing = |spec: &Value, field: &str| spec.get(field).is_none_or(Value::is_null);
    for (field, value) in [
        ("dnsPolicy", json!("ClusterFirst")),
        ("enableServiceLinks", json!(true)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
        ("priority", json!(0)),
        ("restartPolicy", json!("Always")),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
        ("terminationGracePeriodSeconds", json!(30)),
    ] {
        if missing(spec, field) {
            put(spec, field, value);
        }
    }
    let mut tolerations = spec["tolerations"].as_array().cloned().unwrap_or_default();
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        if !tolerations.iter().any(|one| one["key"] == key) {
            tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
    spec["tolerations"] = tolerations.into();
    for field in ["initContainers", "containers"] {
        for container in spec[field].as_array_mut().into_iter().flatten() {
            if missing(container, "imagePullPolicy") {
                let reference = container["image"].as_str().and_then(Reference::parse);
                container["imagePullPolicy"] = reference
                    .map_or("IfNotPresent", |one| one.default_policy())
                    .into();
            }
            for (field, value) in [
                ("resources", json!({})),
                ("terminationMessagePath", json!("/dev/termination-log")),
                ("terminationMessagePolicy", json!("File")),
            ] {
                if missing(container, field) {
                    put(container, field, value);
                }
            }
            request_what_is_limited(&mut container["resources"]);
        }
    }
}

/// A limit without a request is a request too.
fn request_what_is_limited(resources: &mut Value) {
    let Some(limits) = resources["limits"].as_object().cloned() else {
        return;
    };
    for (name, limit) in limits {
        if resources["requests"].get(&name).is_none() {
            resources["requests"][name] = limit;
        }
    }
}

/// The pod's quality of service class.
fn quality(spec: &Value) -> &'static str {
    let containers: Vec<&Value> = ["initContainers", "containers"]
        .into_iter()
        .flat_map(|field| spec[field].as_array().into_iter().flatten())
        .collect();
    let amount = |container: &Value, which: &str, name: &str| {
        container["resources"][which][name]
            .as_str()
            .and_then(Quantity::parse)
            .filter(|amount| *amount > Quantity::ZERO)
    };
    let named = ["cpu", "memory"];
    let none = |container: &&Value| {
        ["requests", "limits"].iter().all(|which| {
            named
                .iter()
                .all(|name| amount(container, which, name).is_none())
        })
    };
    let full = |container: &&Value| {
        named.iter().all(|name| {
            let limit = amount(container, "limits", name);
            limit.is_some() && limit == amount(container, "requests", name)
        })
    };
    if containers.iter().all(none) {
        "BestEffort"
    } else if containers.iter().all(full) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Five characters of those that Kubernetes generates names from.
pub(crate) fn suffix() -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut bytes = [0; 5];
    // Without randomness of its own the system gives no promise of unique names either; the store refuses a double one.
    let _ = getrandom::fill(&mut bytes);
    bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::clock::Clock;

    fn store() -> Store {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let store = Store::new(Clock::new("2026-11-24T08:00:00Z".parse().unwrap()));
        store
            .create(Kind::Namespace, json!({"metadata": {"name": "n"}}))
            .unwrap();
        store
            .create(
                Kind::ServiceAccount,
                json!({"metadata": {"namespace": "n", "name": "default"}}),
            )
            .unwrap();
        store
    }

    fn pod(spec: Value) -> Value {
        json!({"metadata": {"namespace": "n", "generateName": "p-"}, "spec": spec})
    }

    #[test]
    fn a_missing_account_is_refused_in_the_real_words() {
        let refused =
            create_pod(&store(), pod(json!({"serviceAccountName": "nosuch"}))).unwrap_err();
        assert_eq!(refused.code, 403);
        assert_eq!(
            refused.message,
            r#"pods "p-" is forbidden: error looking up service account n/nosuch: serviceaccount "nosuch" not found"#
        );
    }

    #[test]
    fn a_token_comes_unless_it_is_declined() {
        let containers = json!([{"name": "c", "image": "x:1"}]);
        let with = create_pod(&store(), pod(json!({"containers": containers}))).unwrap();
        assert_eq!(
            with["spec"]["containers"][0]["volumeMounts"][0]["mountPath"],
            TOKENS
        );
        assert_eq!(
            with["spec"]["volumes"][0]["name"],
            with["spec"]["containers"][0]["volumeMounts"][0]["name"]
        );
        assert_eq!(
            with["status"],
            json!({"phase": "Pending", "qosClass": "BestEffort"})
        );
        let without = json!({"containers": containers, "automountServiceAccountToken": false});
        let without = create_pod(&store(), pod(without)).unwrap();
        assert_eq!(without["spec"].get("volumes"), None);
    }

    #[test]
    fn quality_of_service() {
        let of = |resources: Value| {
            let mut pod =
                pod(json!({"containers": [{"name": "c", "image": "x:1", "resources": resources}]}));
            admit_pod(&store(), &mut pod).unwrap();
            pod["status"]["qosClass"].as_str().unwrap().to_owned()
        };
        assert_eq!(of(json!({"requests": {"cpu": "100m"}})), "Burstable");
        assert_eq!(
            of(json!({"limits": {"cpu": "1", "memory": "1Gi"}})),
            "Guaranteed"
        );
        assert_eq!(of(json!({"limits": {"nvidia.com/gpu": "1"}})), "BestEffort");
    }

    #[test]
    fn long_names_are_cut_before_their_suffix() {
        let mut long = pod(json!({}));
        long["metadata"]["generateName"] = format!("{}-", "x".repeat(63)).into();
        let made = create_pod(&store(), long).unwrap();
        assert_eq!(meta(&made, "name").len(), 63);
        assert_eq!(meta(&made, "generateName").len(), 64);
    }
}
