//! Rules of pods and pod templates.

use std::collections::BTreeSet;

use serde_json::Value;

use super::plain::port_number;
use super::{each, meta, names, one_of, text};
use crate::sandbox::quantity::Quantity;
use crate::sandbox::status::Cause;

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
    if kept(old) == kept(new) && only_more {
        return Vec::new();
    }
    vec![Cause::forbidden("spec", CHANGEABLE)]
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
    causes
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
    if text(&container["image"]).is_empty() {
        causes.push(Cause::required(format!("{path}.image"), ""));
    }
    for (index, port) in each(&container["ports"]) {
        causes.extend(port_number(
            &port["containerPort"],
            format!("{path}.ports[{index}].containerPort"),
        ));
    }
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

fn resources(resources: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for part in ["limits", "requests"] {
        for (name, _) in resources[part].as_object().into_iter().flatten() {
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
