//! Rules of the smaller kinds.

use serde_json::Value;

use super::{each, names, one_of, text};
use crate::sandbox::quantity::Quantity;
use crate::sandbox::quotas;
use crate::sandbox::status::Cause;

/// What a `ConfigMap` or a `Secret` may hold, in bytes.
const LARGEST: usize = 1024 * 1024;

pub(super) fn check_keys(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut bytes = 0;
    for part in ["data", "binaryData"] {
        for (key, value) in object[part].as_object().into_iter().flatten() {
            let faults = names::config_key(key);
            let path = format!("{part}[{key}]");
            causes.extend(
                faults
                    .into_iter()
                    .map(|fault| Cause::invalid(path.as_str(), &key.as_str().into(), fault)),
            );
            if part == "data" && object["binaryData"].get(key).is_some() {
                causes.push(Cause::invalid(
                    path,
                    &key.as_str().into(),
                    "duplicate of key present in binaryData",
                ));
            }
            let encoded = part == "binaryData" || object["kind"] == "Secret";
            let length = text(value).len();
            bytes += if encoded { length / 4 * 3 } else { length };
        }
    }
    if bytes > LARGEST {
        let path = if object["kind"] == "Secret" {
            "data"
        } else {
            "[]"
        };
        causes.push(Cause::too_long(path, LARGEST));
    }
    causes
}

const SEALED: &str = "field is immutable when `immutable` is set";

pub(super) fn check_immutable(old: &Value, new: &Value) -> Vec<Cause> {
    if old["immutable"] != true {
        return Vec::new();
    }
    let mut causes = Vec::new();
    if new["immutable"] != true {
        causes.push(Cause::forbidden("immutable", SEALED));
    }
    let changed = ["data", "binaryData"]
        .into_iter()
        .filter(|part| old[*part] != new[*part]);
    causes.extend(changed.map(|part| Cause::forbidden(part, SEALED)));
    causes
}

pub(super) fn check_service(service: &Value) -> Vec<Cause> {
    let spec = &service["spec"];
    let mut causes = Vec::new();
    let kind = text(&spec["type"]);
    if each(&spec["ports"]).next().is_none()
        && spec["clusterIP"] != "None"
        && kind != "ExternalName"
    {
        causes.push(Cause::required("spec.ports", ""));
    }
    let several = each(&spec["ports"]).count() > 1;
    for (index, port) in each(&spec["ports"]) {
        let path = format!("spec.ports[{index}]");
        if several && text(&port["name"]).is_empty() {
            causes.push(Cause::required(format!("{path}.name"), ""));
        }
        causes.extend(port_number(&port["port"], format!("{path}.port")));
        if port["targetPort"].is_number() {
            causes.extend(port_number(
                &port["targetPort"],
                format!("{path}.targetPort"),
            ));
        }
        causes.extend(one_of(
            &port["protocol"],
            format!("{path}.protocol"),
            &["SCTP", "TCP", "UDP"],
        ));
    }
    causes.extend(one_of(
        &spec["type"],
        "spec.type".to_owned(),
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    ));
    causes
}

/// A port that is given must be one.
pub(super) fn port_number(port: &Value, path: String) -> Option<Cause> {
    let well = port
        .as_i64()
        .is_some_and(|number| (1..=65535).contains(&number));
    (!well).then(|| Cause::invalid(path, port, "must be between 1 and 65535, inclusive"))
}

pub(super) fn check_rules(role: &Value) -> Vec<Cause> {
    let empty = |list: &Value| each(list).next().is_none();
    let mut causes = Vec::new();
    for (index, rule) in each(&role["rules"]) {
        let path = format!("rules[{index}]");
        if empty(&rule["verbs"]) {
            causes.push(Cause::required(
                format!("{path}.verbs"),
                "verbs must contain at least one value",
            ));
        }
        if !empty(&rule["nonResourceURLs"]) {
            if role["kind"] == "Role" {
                let why = "namespaced rules cannot apply to non-resource URLs";
                causes.push(Cause::invalid(
                    format!("{path}.nonResourceURLs"),
                    &rule["nonResourceURLs"],
                    why,
                ));
            }
            continue;
        }
        if empty(&rule["apiGroups"]) {
            causes.push(Cause::required(
                format!("{path}.apiGroups"),
                "resource rules must supply at least one api group",
            ));
        }
        if empty(&rule["resources"]) {
            causes.push(Cause::required(
                format!("{path}.resources"),
                "resource rules must supply at least one resource",
            ));
        }
    }
    causes
}

pub(super) fn check_binding(binding: &Value) -> Vec<Cause> {
    let role = &binding["roleRef"];
    let mut causes = Vec::new();
    let kinds: &[&str] = if binding["kind"] == "RoleBinding" {
        &["Role", "ClusterRole"]
    } else {
        &["ClusterRole"]
    };
    if !kinds.contains(&text(&role["kind"])) {
        causes.push(Cause::unsupported(
            "roleRef.kind",
            &text(&role["kind"]).into(),
            kinds,
        ));
    }
    if text(&role["name"]).is_empty() {
        causes.push(Cause::required("roleRef.name", ""));
    }
    for (index, subject) in each(&binding["subjects"]) {
        let path = format!("subjects[{index}]");
        if text(&subject["name"]).is_empty() {
            causes.push(Cause::required(format!("{path}.name"), ""));
        }
        causes.extend(one_of(
            &subject["kind"],
            format!("{path}.kind"),
            &["ServiceAccount", "User", "Group"],
        ));
        let anywhere = binding["kind"] == "ClusterRoleBinding";
        if anywhere && subject["kind"] == "ServiceAccount" && text(&subject["namespace"]).is_empty()
        {
            causes.push(Cause::required(format!("{path}.namespace"), ""));
        }
    }
    causes
}

/// A binding cannot be turned to another role.
pub(super) fn check_role_kept(old: &Value, new: &Value) -> Vec<Cause> {
    if old["roleRef"] == new["roleRef"] {
        return Vec::new();
    }
    let role = &new["roleRef"];
    // By the names that the fields have in the server.
    let shown = format!(
        r#"{{"APIGroup":{},"Kind":{},"Name":{}}}"#,
        role["apiGroup"], role["kind"], role["name"]
    );
    vec![Cause::invalid_as(
        "roleRef",
        &shown,
        "cannot change roleRef",
    )]
}

pub(super) fn check_claim(claim: &Value) -> Vec<Cause> {
    let spec = &claim["spec"];
    let mut causes = Vec::new();
    if each(&spec["accessModes"]).next().is_none() {
        causes.push(Cause::required(
            "spec.accessModes",
            "at least 1 access mode is required",
        ));
    }
    let modes = [
        "ReadOnlyMany",
        "ReadWriteMany",
        "ReadWriteOnce",
        "ReadWriteOncePod",
    ];
    for (_, mode) in each(&spec["accessModes"]) {
        causes.extend(one_of(mode, "spec.accessModes".to_owned(), &modes));
    }
    let storage = &spec["resources"]["requests"]["storage"];
    if storage.is_null() {
        causes.push(Cause::required("spec.resources[storage]", ""));
    } else if Quantity::parse(text(storage)).is_some_and(|amount| amount <= Quantity::ZERO) {
        let why = "must be greater than zero";
        causes.push(Cause::invalid("spec.resources[storage]", storage, why));
    }
    causes
}

/// What a `Secret` of a well-known type has to hold.
pub(super) fn check_type(secret: &Value) -> Vec<Cause> {
    let has = |key: &&str| !secret["data"][*key].is_null();
    let required = |keys: &[&str]| -> Vec<Cause> {
        let missing = keys.iter().filter(|key| !has(key));
        missing
            .map(|key| Cause::required(format!("data[{key}]"), ""))
            .collect()
    };
    match text(&secret["type"]) {
        "kubernetes.io/tls" => required(&["tls.crt", "tls.key"]),
        "kubernetes.io/dockerconfigjson" => required(&[".dockerconfigjson"]),
        "kubernetes.io/dockercfg" => required(&[".dockercfg"]),
        "kubernetes.io/ssh-auth" => required(&["ssh-privatekey"]),
        // One of the two will do.
        "kubernetes.io/basic-auth" if !has(&"username") && !has(&"password") => {
            required(&["username", "password"])
        }
        _ => Vec::new(),
    }
}

/// A quota limits what there is, by amounts that can be.
pub(super) fn check_quota(quota: &Value) -> Vec<Cause> {
    const SCOPES: [&str; 6] = [
        "Terminating",
        "NotTerminating",
        "BestEffort",
        "NotBestEffort",
        "PriorityClass",
        "CrossNamespacePodAffinity",
    ];
    let spec = &quota["spec"];
    let mut causes = Vec::new();
    for (name, amount) in spec["hard"].as_object().into_iter().flatten() {
        let path = format!("spec.hard[{name}]");
        let named = Value::from(name.as_str());
        let is_plain = !name.contains('/');
        if is_plain && quotas::counted_kind(name).is_none() {
            let mut faults = names::qualified(name);
            if faults.is_empty() {
                faults.push("must be a standard resource type or fully qualified".to_owned());
            }
            faults.push("must be a standard resource for quota".to_owned());
            let invalid = |why: String| Cause::invalid(path.as_str(), &named, why);
            causes.extend(faults.into_iter().map(invalid));
        }
        let Some(read) = Quantity::parse(text(amount)) else {
            continue;
        };
        let shown = Value::from(read.to_string());
        if read < Quantity::ZERO {
            let why = "must be greater than or equal to 0";
            causes.push(Cause::invalid(path.as_str(), &shown, why));
        }
        let is_count = name.starts_with("count/")
            || (is_plain
                && !name.contains("cpu")
                && !name.contains("memory")
                && !name.contains("storage"));
        if is_count && !read.is_whole() {
            causes.push(Cause::invalid(path, &shown, "must be an integer"));
        }
    }
    if each(&spec["scopes"]).any(|(_, scope)| !SCOPES.contains(&text(scope))) {
        causes.push(Cause::invalid(
            "spec.scopes",
            &spec["scopes"],
            "unsupported scope",
        ));
    }
    causes
}

pub(super) fn check_lease(lease: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (field, least, why) in [
        ("leaseDurationSeconds", 1, "must be greater than 0"),
        ("leaseTransitions", 0, "must be greater than or equal to 0"),
    ] {
        let number = &lease["spec"][field];
        if number.as_i64().is_some_and(|number| number < least) {
            causes.push(Cause::invalid(format!("spec.{field}"), number, why));
        }
    }
    causes
}

pub(super) fn check_ingress(ingress: &Value) -> Vec<Cause> {
    let spec = &ingress["spec"];
    let mut causes = Vec::new();
    if each(&spec["rules"]).next().is_none() && spec["defaultBackend"].is_null() {
        let why = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid_as("spec", "null", why));
    }
    causes
}

pub(super) fn check_event(event: &Value) -> Vec<Cause> {
    let about = &event["involvedObject"]["namespace"];
    let own = text(&event["metadata"]["namespace"]);
    // An event about a cluster-wide object lives in `default`.
    let well = text(about) == own || (text(about).is_empty() && own == "default");
    if well {
        return Vec::new();
    }
    vec![Cause::invalid(
        "involvedObject.namespace",
        about,
        "does not match event.namespace",
    )]
}
