//! Defaults of pods and pod templates.

use serde_json::{Value, json};

use super::{each, fields, or};

/// What only a new pod gets, from admission and from its kind's own rules.
pub(super) fn on_create(pod: &mut Value) {
    let spec = &mut pod["spec"];
    if spec.is_object() {
        or(spec, "serviceAccountName", "default");
        let account = spec["serviceAccountName"].clone();
        spec["serviceAccount"] = account;
        or(spec, "priority", 0);
        or(spec, "preemptionPolicy", "PreemptLowerPriority");
        tolerate_a_sick_node(spec);
        if spec["terminationGracePeriodSeconds"].as_i64() < Some(0) {
            spec["terminationGracePeriodSeconds"] = 1.into();
        }
    }
    let class = qos(&pod["spec"]);
    or(&mut pod["status"], "phase", "Pending");
    or(&mut pod["status"], "qosClass", class);
}

/// What every pod has.
pub(super) fn fill(pod: &mut Value) {
    let spec_of_pod = &mut pod["spec"];
    if !spec_of_pod.is_object() {
        return;
    }
    spec(spec_of_pod);
    or(spec_of_pod, "enableServiceLinks", true);
    for list in ["containers", "initContainers"] {
        for container in each(spec_of_pod, list) {
            let limits = fields(&container["resources"]["limits"]);
            for (name, limit) in limits {
                or(&mut container["resources"]["requests"], &name, limit);
            }
        }
    }
}

/// The pod template inside a workload's spec.
pub(super) fn template(workload: &mut Value) {
    if workload["template"]["spec"].is_object() {
        spec(&mut workload["template"]["spec"]);
    }
}

fn spec(spec: &mut Value) {
    or(spec, "restartPolicy", "Always");
    or(spec, "dnsPolicy", "ClusterFirst");
    or(spec, "schedulerName", "default-scheduler");
    or(spec, "terminationGracePeriodSeconds", 30);
    or(spec, "securityContext", json!({}));
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        or(spec, "serviceAccount", account);
    }
    for list in ["containers", "initContainers"] {
        each(spec, list).for_each(container);
    }
    each(spec, "volumes").for_each(volume);
}

fn container(container: &mut Value) {
    or(container, "terminationMessagePath", "/dev/termination-log");
    or(container, "terminationMessagePolicy", "File");
    or(container, "resources", json!({}));
    let image = container["image"].as_str().unwrap_or_default();
    let policy = if is_latest(image) {
        "Always"
    } else {
        "IfNotPresent"
    };
    or(container, "imagePullPolicy", policy);
    for port in each(container, "ports") {
        or(port, "protocol", "TCP");
    }
    for variable in each(container, "env") {
        if variable["valueFrom"]["fieldRef"].is_object() {
            or(&mut variable["valueFrom"]["fieldRef"], "apiVersion", "v1");
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(found) = container.get_mut(name).filter(|found| found.is_object()) {
            probe(found);
        }
    }
}

fn probe(probe: &mut Value) {
    for (field, value) in [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ] {
        or(probe, field, value);
    }
    if let Some(get) = probe.get_mut("httpGet").filter(|get| get.is_object()) {
        or(get, "path", "/");
        or(get, "scheme", "HTTP");
    }
}

fn volume(volume: &mut Value) {
    for kind in ["configMap", "secret", "projected", "downwardAPI"] {
        if let Some(source) = volume.get_mut(kind).filter(|source| source.is_object()) {
            or(source, "defaultMode", 420);
        }
    }
    if let Some(path) = volume.get_mut("hostPath").filter(|path| path.is_object()) {
        or(path, "type", "");
    }
    if volume.as_object().is_some_and(|fields| fields.len() == 1) {
        volume["emptyDir"] = json!({});
    }
}

/// Whether an image may change under its name: tagged `latest`, or neither tag nor digest.
fn is_latest(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn tolerate_a_sick_node(spec: &mut Value) {
    if !spec["tolerations"].is_array() {
        spec["tolerations"] = json!([]);
    }
    let Some(list) = spec["tolerations"].as_array_mut() else {
        return;
    };
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        if !list.iter().any(|one| one["key"] == key) {
            list.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
}

/// The class by which a node would choose whom to end first.
fn qos(spec: &Value) -> &'static str {
    let containers: Vec<&Value> = ["containers", "initContainers"]
        .iter()
        .filter_map(|list| spec[*list].as_array())
        .flatten()
        .collect();
    let amount = |container: &Value, of: &str, what: &str| container["resources"][of][what].clone();
    let mut guaranteed = !containers.is_empty();
    let mut any = false;
    for container in containers {
        for what in ["cpu", "memory"] {
            let limit = amount(container, "limits", what);
            let request = amount(container, "requests", what);
            any |= !limit.is_null() || !request.is_null();
            guaranteed &= !limit.is_null() && (request.is_null() || request == limit);
        }
    }
    match (guaranteed, any) {
        (true, _) => "Guaranteed",
        (_, true) => "Burstable",
        _ => "BestEffort",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_policy_by_tag() {
        for (image, latest) in [
            ("a", true),
            ("a:latest", true),
            ("r:5000/a", true),
            ("r:5000/a:1", false),
            ("a@sha256:0", false),
        ] {
            assert_eq!(is_latest(image), latest, "{image}");
        }
    }

    #[test]
    fn classes_of_service() {
        let spec =
            |resources: Value| json!({"containers": [{"name": "c", "resources": resources}]});
        assert_eq!(qos(&spec(json!({}))), "BestEffort");
        assert_eq!(qos(&spec(json!({"requests": {"cpu": "1"}}))), "Burstable");
        assert_eq!(
            qos(&spec(json!({"limits": {"cpu": "1", "memory": "1Gi"}}))),
            "Guaranteed"
        );
    }
}
