//! Rules of pods and pod templates.

use std::collections::BTreeSet;

use serde_json::Value;

use super::plain::port_number;
use super::{each, meta, names, one_of, text};
use crate::sandbox::quantity::Quantity;
use crate::sandbox::status::Cause;

/// Where the content of a volume may come from.
const SOURCES: [&str; 8] = [
    "emptyDir",
    "hostPath",
    "secret",
    "nfs",
    "persistentVolumeClaim",
    "configMap",
    "downwardAPI",
    "projected",
];

const CHANGEABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn check(pod: &Value) -> Vec<Cause> {
    spec(&pod["spec"], "spec")
}

/// The template of pods inside a workload.
pub(super) fn check_template(template: &Value, path: &str) -> Vec<Cause> {
    let mut causes = meta::labels(&template["metadata"]["labels"], &format!("{path}.labels"));
    causes.extend(spec(&template["spec"], &format!("{path}.spec")));
    causes
}

/// Hardly anything of a pod's spec may change.
pub(super) fn check_change(old: &Value, new: &Value) -> Vec<Cause> {
    let kept = |pod: &Value| {
        let mut spec = pod["spec"].clone();
        for list in ["containers", "initContainers"] {
            for container in spec[list].as_array_mut().into_iter().flatten() {
                container["image"] = Value::Null;
            }
        }
        for field in ["activeDeadlineSeconds", "tolerations"] {
            spec[field] = Value::Null;
        }
        spec
    };
    let tolerated = |pod: &Value| {
        pod["spec"]["tolerations"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let more = tolerated(new);
    let only_more = tolerated(old).iter().all(|one| more.contains(one));
    let mut causes: Vec<Cause> = later_deadline(old, new).into_iter().collect();
    if causes.is_empty() && !(kept(old) == kept(new) && only_more) {
        causes.push(Cause::forbidden("spec", CHANGEABLE));
    }
    causes
}

/// A deadline may come and come nearer, not move away.
fn later_deadline(old: &Value, new: &Value) -> Option<Cause> {
    const FIELD: &str = "activeDeadlineSeconds";
    let before = old["spec"][FIELD].as_i64()?;
    let why = match new["spec"][FIELD].as_i64() {
        None => "must not update from a positive integer to nil value",
        Some(after) if after > before => "must be less than or equal to previous value",
        Some(_) => return None,
    };
    let path = format!("spec.{FIELD}");
    Some(Cause::invalid(path, &new["spec"][FIELD], why))
}

fn spec(spec: &Value, path: &str) -> Vec<Cause> {
    let mut causes = volumes(&spec["volumes"], &format!("{path}.volumes"));
    let volumes: BTreeSet<&str> = each(&spec["volumes"])
        .map(|(_, volume)| text(&volume["name"]))
        .collect();
    if each(&spec["containers"]).next().is_none() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let mut taken = BTreeSet::new();
    for list in ["initContainers", "containers"] {
        for (index, one) in each(&spec[list]) {
            let at = format!("{path}.{list}[{index}]");
            causes.extend(container(one, &at, &volumes));
            if !text(&one["name"]).is_empty() && !taken.insert(text(&one["name"])) {
                causes.push(Cause::duplicate(format!("{at}.name"), &one["name"]));
            }
        }
    }
    causes.extend(one_of(
        &spec["restartPolicy"],
        format!("{path}.restartPolicy"),
        &["Always", "OnFailure", "Never"],
    ));
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    causes.extend(one_of(
        &spec["dnsPolicy"],
        format!("{path}.dnsPolicy"),
        &policies,
    ));
    if let Some(seconds) = spec["activeDeadlineSeconds"].as_i64()
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let why = format!("must be between 1 and {}, inclusive", i32::MAX);
        causes.push(Cause::invalid(
            format!("{path}.activeDeadlineSeconds"),
            &spec["activeDeadlineSeconds"],
            why,
        ));
    }
    causes.extend(identity(
        &spec["securityContext"],
        &format!("{path}.securityContext"),
    ));
    causes.extend(meta::labels(
        &spec["nodeSelector"],
        &format!("{path}.nodeSelector"),
    ));
    for (index, toleration) in each(&spec["tolerations"]) {
        let at = format!("{path}.tolerations[{index}].operator");
        let operator = text(&toleration["operator"]);
        if text(&toleration["key"]).is_empty() && operator != "Exists" {
            let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            causes.push(Cause::invalid(at.as_str(), &operator.into(), why));
        }
        if !operator.is_empty() {
            causes.extend(one_of(&toleration["operator"], at, &["Equal", "Exists"]));
        }
    }
    causes
}

/// As whom the processes run, for a pod or a container.
fn identity(context: &Value, path: &str) -> Vec<Cause> {
    let why = format!("must be between 0 and {}, inclusive", i32::MAX);
    ["runAsUser", "runAsGroup", "fsGroup"]
        .into_iter()
        .filter(|field| {
            let number = context[*field].as_i64();
            number.is_some_and(|number| !(0..=i64::from(i32::MAX)).contains(&number))
        })
        .map(|field| Cause::invalid(format!("{path}.{field}"), &context[field], &why))
        .collect()
}

fn volumes(list: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, volume) in each(list) {
        let at = format!("{path}[{index}]");
        let needs = [
            ("configMap", "name"),
            ("secret", "secretName"),
            ("hostPath", "path"),
            ("persistentVolumeClaim", "claimName"),
        ];
        for (source, field) in needs {
            if volume[source].is_object() && text(&volume[source][field]).is_empty() {
                causes.push(Cause::required(format!("{at}.{source}.{field}"), ""));
            }
        }
        // In the order in which the server looks at them.
        let mut sources = SOURCES.iter().filter(|source| !volume[**source].is_null());
        sources.next();
        for source in sources {
            let why = "may not specify more than 1 volume type";
            causes.push(Cause::forbidden(format!("{at}.{source}"), why));
        }
        let host_path = &volume["hostPath"]["path"];
        if text(host_path).split('/').any(|part| part == "..") {
            let at = format!("{at}.hostPath.path");
            causes.push(Cause::invalid(at, host_path, "must not contain '..'"));
        }
        let name = &volume["name"];
        let at = format!("{at}.name");
        if text(name).is_empty() {
            causes.push(Cause::required(at, ""));
        } else if let Some(fault) = names::label(text(name)).first() {
            causes.push(Cause::invalid(at, name, fault));
        } else if !taken.insert(text(name)) {
            causes.push(Cause::duplicate(at, name));
        }
    }
    causes
}

fn container(container: &Value, path: &str, volumes: &BTreeSet<&str>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = &container["name"];
    if text(name).is_empty() {
        causes.push(Cause::required(format!("{path}.name"), ""));
    } else {
        causes.extend(
            names::label(text(name))
                .first()
                .map(|fault| Cause::invalid(format!("{path}.name"), name, fault)),
        );
    }
    let image = text(&container["image"]);
    if image.is_empty() {
        causes.push(Cause::required(format!("{path}.image"), ""));
    } else if image.trim() != image {
        let why = "must not have leading or trailing whitespace";
        causes.push(Cause::invalid(format!("{path}.image"), &image.into(), why));
    }
    for (index, port) in each(&container["ports"]) {
        let at = format!("{path}.ports[{index}].containerPort");
        if port["containerPort"].as_i64().unwrap_or(0) == 0 {
            causes.push(Cause::required(at, ""));
        } else {
            causes.extend(port_number(&port["containerPort"], at));
        }
    }
    causes.extend(probes(container, path));
    for (index, variable) in each(&container["env"]) {
        let at = format!("{path}.env[{index}]");
        if text(&variable["name"]).is_empty() {
            causes.push(Cause::required(format!("{at}.name"), ""));
        }
        let faults = names::variable(text(&variable["name"]));
        causes.extend(
            faults
                .iter()
                .map(|fault| Cause::invalid(format!("{at}.name"), &variable["name"], fault)),
        );
        if variable["valueFrom"].is_object() && !text(&variable["value"]).is_empty() {
            let why = "may not be specified when `value` is not empty";
            causes.push(Cause::invalid(format!("{at}.valueFrom"), &"".into(), why));
        }
        let field = &variable["valueFrom"]["fieldRef"]["fieldPath"];
        if field.is_string() && !is_told(text(field)) {
            let why = format!(
                "error converting fieldPath: field label not supported: {}",
                text(field)
            );
            let at = format!("{at}.valueFrom.fieldRef.fieldPath");
            causes.push(Cause::invalid(at, field, why));
        }
    }
    let mut paths = BTreeSet::new();
    for (index, mount) in each(&container["volumeMounts"]) {
        let at = format!("{path}.volumeMounts[{index}]");
        if !volumes.contains(text(&mount["name"])) {
            causes.push(Cause::not_found(format!("{at}.name"), &mount["name"]));
        }
        match text(&mount["mountPath"]) {
            "" => causes.push(Cause::required(format!("{at}.mountPath"), "")),
            place if !paths.insert(place) => {
                causes.push(Cause::invalid(
                    format!("{at}.mountPath"),
                    &mount["mountPath"],
                    "must be unique",
                ));
            }
            _ => {}
        }
    }
    let policies = ["Always", "IfNotPresent", "Never"];
    causes.extend(one_of(
        &container["imagePullPolicy"],
        format!("{path}.imagePullPolicy"),
        &policies,
    ));
    causes.extend(resources(
        &container["resources"],
        &format!("{path}.resources"),
    ));
    causes
}

fn probes(container: &Value, path: &str) -> Vec<Cause> {
    const HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];
    ["livenessProbe", "readinessProbe", "startupProbe"]
        .into_iter()
        .filter(|probe| container[*probe].is_object())
        .filter(|probe| HANDLERS.iter().all(|one| container[*probe][*one].is_null()))
        .map(|probe| Cause::required(format!("{path}.{probe}"), "must specify a handler type"))
        .collect()
}

/// Whether a variable may hold this field of its pod.
fn is_told(field: &str) -> bool {
    const FIELDS: &[&str] = &[
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    let keyed = |map: &str| field.starts_with(map) && field.ends_with("']");
    FIELDS.contains(&field) || keyed("metadata.labels['") || keyed("metadata.annotations['")
}

fn resources(resources: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for part in ["limits", "requests"] {
        for (name, amount) in resources[part].as_object().into_iter().flatten() {
            if Quantity::parse(text(amount)).is_some_and(|amount| amount < Quantity::ZERO) {
                let why = "must be greater than or equal to 0";
                causes.push(Cause::invalid(
                    format!("{path}.{part}[{name}]"),
                    amount,
                    why,
                ));
            }
            if !name.contains('/') && !is_standard(name) {
                let at = format!("{path}.{part}[{name}]");
                let name = Value::from(name.as_str());
                causes.push(Cause::invalid(
                    at.as_str(),
                    &name,
                    "must be a standard resource type or fully qualified",
                ));
                causes.push(Cause::invalid(
                    at,
                    &name,
                    "must be a standard resource for containers",
                ));
            }
        }
    }
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let limit = &resources["limits"][name];
        if limit.is_null() {
            if name.contains('/') {
                causes.push(Cause::required(
                    format!("{path}.limits"),
                    "Limit must be set for non overcommitable resources",
                ));
            }
            continue;
        }
        let (wanted, most) = (Quantity::parse(text(request)), Quantity::parse(text(limit)));
        if let (Some(wanted), Some(most)) = (wanted, most) {
            let at = format!("{path}.requests");
            if name.contains('/') && wanted != most {
                let why = format!("must be equal to {name} limit of {}", text(limit));
                causes.push(Cause::invalid(at, request, why));
            } else if wanted > most {
                let why = format!(
                    "must be less than or equal to {name} limit of {}",
                    text(limit)
                );
                causes.push(Cause::invalid(at, request, why));
            }
        }
    }
    causes
}

fn is_standard(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory" | "ephemeral-storage" | "storage")
        || resource.starts_with("hugepages-")
}
