//! What an object uses of what a quota limits.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sandbox::kinds::Kind;
use crate::sandbox::quantity::Quantity;

/// Amounts by the names that quotas give them, such as `requests.cpu`.
pub(super) type Amounts = BTreeMap<String, Quantity>;

/// What every container of a pod must say when a quota limits it.
const DEMANDED: [&str; 6] = [
    "cpu",
    "memory",
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
];

/// The kind of which a name in a quota counts something; none for a name that is not counted here.
pub(in crate::sandbox) fn counted_kind(name: &str) -> Option<Kind> {
    if let Some(resource) = name.strip_prefix("count/") {
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        return Kind::at(group, plural);
    }
    Some(match name {
        "configmaps" => Kind::ConfigMap,
        "secrets" => Kind::Secret,
        "resourcequotas" => Kind::ResourceQuota,
        "services" | "services.loadbalancers" | "services.nodeports" => Kind::Service,
        "persistentvolumeclaims" | "requests.storage" => Kind::PersistentVolumeClaim,
        "pods" | "cpu" | "memory" | "ephemeral-storage" => Kind::Pod,
        _ if name.starts_with("requests.") || name.starts_with("limits.") => Kind::Pod,
        _ => return None,
    })
}

/// What one object uses, by every name under which it may be limited.
pub(super) fn of_object(kind: Kind, object: &Value) -> Amounts {
    let row = kind.row();
    let group = if row.group.is_empty() {
        String::new()
    } else {
        format!(".{}", row.group)
    };
    let mut amounts = Amounts::from([(format!("count/{}{group}", row.plural), Quantity::whole(1))]);
    match kind {
        Kind::ConfigMap | Kind::Secret | Kind::ResourceQuota => {
            amounts.insert(row.plural.to_owned(), Quantity::whole(1));
        }
        Kind::Service => of_service(object, &mut amounts),
        Kind::PersistentVolumeClaim => {
            amounts.insert(row.plural.to_owned(), Quantity::whole(1));
            let storage = amount(&object["spec"]["resources"]["requests"]["storage"]);
            amounts.insert("requests.storage".to_owned(), storage);
        }
        Kind::Pod => of_pod(object, &mut amounts),
        _ => {}
    }
    amounts
}

fn of_service(service: &Value, amounts: &mut Amounts) {
    let kind = service["spec"]["type"].as_str().unwrap_or_default();
    let ports = service["spec"]["ports"].as_array().map_or(0, Vec::len);
    let ports = i64::try_from(ports).unwrap_or(i64::MAX);
    amounts.insert("services".to_owned(), Quantity::whole(1));
    if kind == "LoadBalancer" {
        amounts.insert("services.loadbalancers".to_owned(), Quantity::whole(1));
    }
    if matches!(kind, "LoadBalancer" | "NodePort") {
        amounts.insert("services.nodeports".to_owned(), Quantity::whole(ports));
    }
}

/// A pod that is over uses nothing any more.
fn of_pod(pod: &Value, amounts: &mut Amounts) {
    if matches!(
        pod["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed")
    ) {
        return;
    }
    amounts.insert("pods".to_owned(), Quantity::whole(1));
    let mut total = Amounts::new();
    for container in list(pod, "containers") {
        for (name, amount) in of_container(container) {
            let sum = total.entry(name).or_default();
            *sum = sum.plus(amount);
        }
    }
    for container in list(pod, "initContainers") {
        for (name, amount) in of_container(container) {
            let most = total.entry(name).or_default();
            *most = amount.max(*most);
        }
    }
    amounts.extend(total);
}

fn of_container(container: &Value) -> Amounts {
    let resources = &container["resources"];
    let mut amounts = Amounts::new();
    for (name, value) in fields(&resources["requests"]) {
        if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            amounts.insert(name.clone(), amount(value));
        }
        amounts.insert(format!("requests.{name}"), amount(value));
    }
    for (name, value) in fields(&resources["limits"]) {
        amounts.insert(format!("limits.{name}"), amount(value));
    }
    amounts
}

/// What the containers of a pod would have to say and do not, in the words of a refusal; empty when all is said.
pub(super) fn missing(kind: Kind, pod: &Value, hard: &Value) -> String {
    if kind != Kind::Pod {
        return String::new();
    }
    let demanded = DEMANDED.iter().filter(|name| !hard[**name].is_null());
    let demanded: BTreeSet<&&str> = demanded.collect();
    let mut missing = Vec::new();
    for name in demanded {
        let silent: Vec<&str> = ["containers", "initContainers"]
            .into_iter()
            .flat_map(|field| list(pod, field))
            .filter(|container| !of_container(container).contains_key(*name))
            .map(|container| container["name"].as_str().unwrap_or_default())
            .collect();
        if !silent.is_empty() {
            missing.push(format!("{name} for: {}", silent.join(",")));
        }
    }
    missing.join("; ")
}

/// Whether a quota, as its status stands, has a say about an object.
pub(super) fn matches(quota: &Value, kind: Kind, object: &Value) -> bool {
    let named = |name: &String| counted_kind(name) == Some(kind);
    fields(&quota["status"]["hard"]).any(|(name, _)| named(name)) && in_scope(quota, kind, object)
}

/// Whether an object is one of those that a quota's scopes mean.
pub(super) fn in_scope(quota: &Value, kind: Kind, object: &Value) -> bool {
    let spec = &quota["spec"];
    let plain = spec["scopes"].as_array().into_iter().flatten();
    let expressions = spec["scopeSelector"]["matchExpressions"]
        .as_array()
        .into_iter()
        .flatten();
    let mut all = plain.chain(expressions.map(|one| &one["scopeName"]));
    all.all(|scope| {
        let ends = object["spec"]["activeDeadlineSeconds"].is_number();
        let best_effort = object["status"]["qosClass"] == "BestEffort";
        kind == Kind::Pod
            && match scope.as_str() {
                Some("Terminating") => ends,
                Some("NotTerminating") => !ends,
                Some("BestEffort") => best_effort,
                Some("NotBestEffort") => !best_effort,
                _ => false,
            }
    })
}

/// The amounts of a quota's status.
pub(super) fn read(amounts: &Value) -> Amounts {
    fields(amounts)
        .map(|(name, value)| (name.clone(), amount(value)))
        .collect()
}

fn amount(value: &Value) -> Quantity {
    value
        .as_str()
        .and_then(Quantity::parse)
        .or_else(|| value.as_i64().map(Quantity::whole))
        .unwrap_or_default()
}

fn fields(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn list<'a>(pod: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    pod["spec"][field].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_uses_what_its_containers_ask_for() {
        let pod = json!({"spec": {
            "containers": [
                {"name": "a", "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}},
                {"name": "b", "resources": {"requests": {"cpu": "1", "nvidia.com/gpu": "1"}}},
            ],
            "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "2"}}}],
        }});
        let used: Vec<String> = of_object(Kind::Pod, &pod)
            .into_iter()
            .map(|(name, amount)| format!("{name}={amount}"))
            .collect();
        let expected = "count/pods=1 cpu=2 limits.memory=2Gi memory=1Gi pods=1 requests.cpu=2 requests.memory=1Gi requests.nvidia.com/gpu=1";
        assert_eq!(used.join(" "), expected);
        let hard = json!({"limits.memory": "1", "requests.cpu": "1", "pods": "1"});
        assert_eq!(missing(Kind::Pod, &pod, &hard), "limits.memory for: b,i");
    }

    #[test]
    fn scopes_choose_pods() {
        let quota = |scope: &str| json!({"spec": {"hard": {"pods": "1"}, "scopes": [scope]}, "status": {"hard": {"pods": "1"}}});
        let pod =
            json!({"spec": {"activeDeadlineSeconds": 5}, "status": {"qosClass": "BestEffort"}});
        for (scope, expected) in [
            ("Terminating", true),
            ("NotTerminating", false),
            ("BestEffort", true),
            ("NotBestEffort", false),
        ] {
            assert_eq!(matches(&quota(scope), Kind::Pod, &pod), expected, "{scope}");
        }
        assert!(!matches(&quota("Terminating"), Kind::ConfigMap, &pod));
    }
}
