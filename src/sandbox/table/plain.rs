//! Rows of the kinds with little to compute.

use jiff::Timestamp;
use serde_json::Value;

use super::{age, count, each, joined, text, text_or};

pub(super) fn event(event: &Value, now: Timestamp, name: Value) -> Vec<Value> {
    let since = |at: &Value| age(at, now);
    let present = |at: &Value| at.as_str().is_some();
    let first = if present(&event["firstTimestamp"]) {
        since(&event["firstTimestamp"])
    } else {
        since(&event["eventTime"])
    };
    let series = &event["series"];
    let (last, times) = if series.is_object() {
        (since(&series["lastObservedTime"]), count(&series["count"]))
    } else if present(&event["lastTimestamp"]) {
        (
            since(&event["lastTimestamp"]),
            count(&event["count"]).max(1),
        )
    } else {
        (first.clone(), count(&event["count"]).max(1))
    };
    let about = &event["involvedObject"];
    let kind = text(&about["kind"]).to_lowercase();
    let object = match text(&about["name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let component = text_or(
        &event["source"]["component"],
        text(&event["reportingComponent"]),
    );
    let source = match text_or(&event["source"]["host"], text(&event["reportingInstance"])) {
        "" => component.to_owned(),
        instance => format!("{component}, {instance}"),
    };
    vec![
        last.into(),
        event["type"].clone(),
        event["reason"].clone(),
        object.into(),
        text(&about["fieldPath"]).into(),
        source.into(),
        text(&event["message"]).trim().into(),
        first.into(),
        times.into(),
        name,
    ]
}

pub(super) fn node(node: &Value, name: Value, age: Value) -> Vec<Value> {
    let ready = each(&node["status"]["conditions"]).find(|condition| condition["type"] == "Ready");
    let mut status = match ready.map(|condition| text(&condition["status"])) {
        None => "Unknown",
        Some("True") => "Ready",
        Some(_) => "NotReady",
    }
    .to_owned();
    if node["spec"]["unschedulable"] == true {
        status += ",SchedulingDisabled";
    }
    let labels = node["metadata"]["labels"].as_object();
    let roles = joined(
        labels
            .into_iter()
            .flat_map(|labels| labels.keys())
            .filter_map(|label| label.strip_prefix("node-role.kubernetes.io/")),
        ",",
    );
    let roles = if roles.is_empty() {
        "<none>".to_owned()
    } else {
        roles
    };
    let address = |kind: &str| {
        let found = each(&node["status"]["addresses"]).find(|address| address["type"] == kind);
        found
            .map_or("<none>", |address| text(&address["address"]))
            .to_owned()
    };
    let info = &node["status"]["nodeInfo"];
    vec![
        name,
        status.into(),
        roles.into(),
        age,
        text(&info["kubeletVersion"]).into(),
        address("InternalIP").into(),
        address("ExternalIP").into(),
        text_or(&info["osImage"], "<unknown>").into(),
        text_or(&info["kernelVersion"], "<unknown>").into(),
        text_or(&info["containerRuntimeVersion"], "<unknown>").into(),
    ]
}

pub(super) fn service(service: &Value, name: Value, age: Value) -> Vec<Value> {
    let spec = &service["spec"];
    let external = joined(each(&spec["externalIPs"]).map(text), ",");
    let external = match text(&spec["type"]) {
        "ExternalName" => text(&spec["externalName"]).to_owned(),
        _ if !external.is_empty() => external,
        "LoadBalancer" => "<pending>".to_owned(),
        _ => "<none>".to_owned(),
    };
    let ports: Vec<String> = each(&spec["ports"])
        .map(|port| {
            let (number, protocol) = (count(&port["port"]), text(&port["protocol"]));
            match count(&port["nodePort"]) {
                0 => format!("{number}/{protocol}"),
                node => format!("{number}:{node}/{protocol}"),
            }
        })
        .collect();
    let ports = if ports.is_empty() {
        "<none>".to_owned()
    } else {
        ports.join(",")
    };
    let selector = spec["selector"].as_object();
    let selector: Vec<String> = selector
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", text(value)))
        .collect();
    let selector = if selector.is_empty() {
        "<none>".to_owned()
    } else {
        selector.join(",")
    };
    vec![
        name,
        spec["type"].clone(),
        text_or(&spec["clusterIP"], "<none>").into(),
        external.into(),
        ports.into(),
        age,
        selector.into(),
    ]
}

pub(super) fn endpoints(endpoints: &Value) -> String {
    let mut all = Vec::new();
    for subset in each(&endpoints["subsets"]) {
        for address in each(&subset["addresses"]) {
            let ip = text(&address["ip"]);
            match subset["ports"].as_array().filter(|ports| !ports.is_empty()) {
                None => all.push(ip.to_owned()),
                Some(ports) => all.extend(
                    ports
                        .iter()
                        .map(|port| format!("{ip}:{}", count(&port["port"]))),
                ),
            }
        }
    }
    match all.len() {
        0 => "<none>".to_owned(),
        1..=3 => all.join(","),
        many => format!("{} + {} more...", all[..3].join(","), many - 3),
    }
}

pub(super) fn ingress(ingress: &Value, name: Value, age: Value) -> Vec<Value> {
    let spec = &ingress["spec"];
    let hosts: Vec<&str> = each(&spec["rules"])
        .map(|rule| text(&rule["host"]))
        .filter(|host| !host.is_empty())
        .collect();
    let hosts = match hosts.len() {
        0 => "*".to_owned(),
        1..=3 => hosts.join(","),
        many => format!("{} + {} more...", hosts[..3].join(","), many - 3),
    };
    let address = joined(
        each(&ingress["status"]["loadBalancer"]["ingress"])
            .map(|one| text_or(&one["ip"], text(&one["hostname"]))),
        ",",
    );
    let ports = if each(&spec["tls"]).next().is_some() {
        "80, 443"
    } else {
        "80"
    };
    vec![
        name,
        text_or(&spec["ingressClassName"], "<none>").into(),
        hosts.into(),
        address.into(),
        ports.into(),
        age,
    ]
}

pub(super) fn claim(claim: &Value, name: Value, age: Value) -> Vec<Value> {
    let (spec, status) = (&claim["spec"], &claim["status"]);
    let phase = if claim["metadata"]["deletionTimestamp"].is_string() {
        "Terminating"
    } else {
        text(&status["phase"])
    };
    let bound = !text(&spec["volumeName"]).is_empty();
    let modes = each(&status["accessModes"]).map(|mode| match text(mode) {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        other => other,
    });
    let modes = joined(modes, ",");
    vec![
        name,
        phase.into(),
        text(&spec["volumeName"]).into(),
        if bound {
            text(&status["capacity"]["storage"])
        } else {
            ""
        }
        .into(),
        if bound { modes } else { String::new() }.into(),
        text(&spec["storageClassName"]).into(),
        text_or(&spec["volumeAttributesClassName"], "<unset>").into(),
        age,
        text_or(&spec["volumeMode"], "<unset>").into(),
    ]
}

pub(super) fn quota(quota: &Value, name: Value, age: Value) -> Vec<Value> {
    let status = &quota["status"];
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in status["hard"].as_object().into_iter().flatten() {
        let entry = format!(
            "{resource}: {}/{}",
            text_or(&status["used"][resource], "0"),
            text(hard)
        );
        if resource.starts_with("limits.") {
            limits.push(entry);
        } else {
            requests.push(entry);
        }
    }
    vec![
        name,
        requests.join(", ").into(),
        limits.join(", ").into(),
        age,
    ]
}

pub(super) fn binding(binding: &Value, name: Value, age: Value) -> Vec<Value> {
    let role = format!(
        "{}/{}",
        text(&binding["roleRef"]["kind"]),
        text(&binding["roleRef"]["name"])
    );
    let of = |kind: &str| {
        let subjects = each(&binding["subjects"]).filter(|subject| subject["kind"] == kind);
        let names: Vec<String> = subjects
            .map(|subject| match text(&subject["namespace"]) {
                "" => text(&subject["name"]).to_owned(),
                namespace => format!("{namespace}/{}", text(&subject["name"])),
            })
            .collect();
        names.join(", ")
    };
    vec![
        name,
        role.into(),
        age,
        of("User").into(),
        of("Group").into(),
        of("ServiceAccount").into(),
    ]
}
