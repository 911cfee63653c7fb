//! The fields that the server fills in when a client leaves them out, as far as clients see them.

mod pods;
mod services;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::kinds::Kind;

/// Fills in an object that is about to be stored for the first time; it has its name and uid already.
pub(super) fn on_create(kind: Kind, object: &mut Value) {
    match kind {
        Kind::Namespace => {
            object["spec"]["finalizers"] = json!(["kubernetes"]);
            or(&mut object["status"], "phase", "Active");
        }
        Kind::Pod => pods::on_create(object),
        Kind::Job => {
            job_labels(object);
            or(object, "status", json!({}));
        }
        Kind::ReplicaSet => or(&mut object["status"], "replicas", 0),
        Kind::Service => {
            services::on_create(object);
            or(&mut object["status"], "loadBalancer", json!({}));
        }
        Kind::Ingress => or(&mut object["status"], "loadBalancer", json!({})),
        Kind::PersistentVolumeClaim => or(&mut object["status"], "phase", "Pending"),
        Kind::Deployment | Kind::ResourceQuota | Kind::Node => or(object, "status", json!({})),
        _ => {}
    }
    fill(kind, object);
}

/// Fills in what every stored object of the kind has.
pub(super) fn fill(kind: Kind, object: &mut Value) {
    match kind {
        Kind::Namespace => {
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
        Kind::Secret => secret(object),
        Kind::Pod => pods::fill(object),
        Kind::Job => job(object),
        Kind::Deployment => deployment(&mut object["spec"]),
        Kind::ReplicaSet => {
            let spec = &mut object["spec"];
            or(spec, "replicas", 1);
            pods::template(spec);
        }
        Kind::Service => services::fill(&mut object["spec"]),
        Kind::PersistentVolumeClaim => or(&mut object["spec"], "volumeMode", "Filesystem"),
        Kind::RoleBinding | Kind::ClusterRoleBinding => binding(object),
        _ => {}
    }
}

/// Sets a field that is absent or null.
fn or(object: &mut Value, field: &str, value: impl Into<Value>) {
    if object.is_null() || (object.is_object() && object[field].is_null()) {
        object[field] = value.into();
    }
}

/// The items of a list that may be absent.
fn each<'a>(object: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .get_mut(field)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter(|item| item.is_object())
}

/// `stringData` is written only: it goes into `data`.
fn secret(object: &mut Value) {
    or(object, "type", "Opaque");
    let plain = object
        .as_object_mut()
        .and_then(|fields| fields.remove("stringData"));
    let Some(Value::Object(plain)) = plain else {
        return;
    };
    for (key, value) in plain {
        if let Value::String(text) = value {
            object["data"][key] = STANDARD.encode(text).into();
        }
    }
}

fn job(object: &mut Value) {
    // A Job without labels has those of its pods.
    let labels = object["spec"]["template"]["metadata"]["labels"].clone();
    let has_labels = object["metadata"]["labels"]
        .as_object()
        .is_some_and(|labels| !labels.is_empty());
    if !has_labels && labels.is_object() {
        object["metadata"]["labels"] = labels;
    }
    let spec = &mut object["spec"];
    if !spec.is_object() {
        return;
    }
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        or(spec, "completions", 1);
    }
    or(spec, "parallelism", 1);
    or(spec, "backoffLimit", 6);
    or(spec, "completionMode", "NonIndexed");
    or(spec, "suspend", false);
    or(spec, "manualSelector", false);
    let replacement = if spec["podFailurePolicy"].is_null() {
        "TerminatingOrFailed"
    } else {
        "Failed"
    };
    or(spec, "podReplacementPolicy", replacement);
    pods::template(spec);
}

/// A Job finds its pods by its own uid, unless it says that it brings its selector.
fn job_labels(object: &mut Value) {
    let (uid, name) = (
        object["metadata"]["uid"].clone(),
        object["metadata"]["name"].clone(),
    );
    let spec = &mut object["spec"];
    if !spec.is_object() || spec["manualSelector"] == true {
        return;
    }
    spec["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = uid.clone();
    let labels = &mut spec["template"]["metadata"]["labels"];
    for prefix in ["", "batch.kubernetes.io/"] {
        // What the client said stays, and is refused later when it is something else.
        or(labels, &format!("{prefix}controller-uid"), uid.clone());
        or(labels, &format!("{prefix}job-name"), name.clone());
    }
}

fn deployment(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    or(spec, "replicas", 1);
    or(spec, "revisionHistoryLimit", 10);
    or(spec, "progressDeadlineSeconds", 600);
    or(&mut spec["strategy"], "type", "RollingUpdate");
    if spec["strategy"]["type"] == "RollingUpdate" {
        or(&mut spec["strategy"]["rollingUpdate"], "maxSurge", "25%");
        or(
            &mut spec["strategy"]["rollingUpdate"],
            "maxUnavailable",
            "25%",
        );
    }
    pods::template(spec);
}

fn binding(object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    if object["roleRef"].is_object() {
        or(&mut object["roleRef"], "apiGroup", GROUP);
    }
    for subject in each(object, "subjects") {
        if let Some("User" | "Group") = subject["kind"].as_str() {
            or(subject, "apiGroup", GROUP);
        }
    }
}

/// The fields of an object, or none when it is something else.
fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filling_twice_is_filling_once() {
        let job = json!({
            "metadata": {"name": "j", "uid": "u"},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x:1"}]}}},
        });
        let deployment = json!({
            "metadata": {"name": "d"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [
                {"name": "c", "image": "x", "ports": [{"containerPort": 1}], "livenessProbe": {"httpGet": {"port": 1}}}]}}},
        });
        let service =
            json!({"metadata": {"name": "s", "uid": "u"}, "spec": {"ports": [{"port": 80}]}});
        for (kind, mut object) in [
            (Kind::Job, job),
            (Kind::Deployment, deployment),
            (Kind::Service, service),
        ] {
            on_create(kind, &mut object);
            let once = object.clone();
            fill(kind, &mut object);
            assert_eq!(object, once, "{kind}");
        }
    }

    #[test]
    fn a_job_is_filled_as_the_real_server_does() {
        let mut job = json!({
            "metadata": {"name": "succeeds", "uid": "u1", "labels": {"case": "succeeds"}},
            "spec": {"backoffLimit": 0, "ttlSecondsAfterFinished": 5, "template": {"spec": {
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 2,
                "containers": [{"name": "executor", "image": "docker.io/library/busybox:local", "command": ["sh"]}]}}},
        });
        on_create(Kind::Job, &mut job);
        assert_eq!(
            job["spec"],
            json!({
                "backoffLimit": 0, "completionMode": "NonIndexed", "completions": 1, "manualSelector": false, "parallelism": 1,
                "podReplacementPolicy": "TerminatingOrFailed", "suspend": false, "ttlSecondsAfterFinished": 5,
                "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}},
                "template": {
                    "metadata": {"labels": {"batch.kubernetes.io/controller-uid": "u1", "batch.kubernetes.io/job-name": "succeeds",
                        "controller-uid": "u1", "job-name": "succeeds"}},
                    "spec": {"containers": [{"command": ["sh"], "image": "docker.io/library/busybox:local", "imagePullPolicy": "IfNotPresent",
                        "name": "executor", "resources": {}, "terminationMessagePath": "/dev/termination-log",
                        "terminationMessagePolicy": "File"}],
                        "dnsPolicy": "ClusterFirst", "restartPolicy": "Never", "schedulerName": "default-scheduler", "securityContext": {},
                        "terminationGracePeriodSeconds": 2},
                },
            })
        );
    }

    #[test]
    fn string_data_goes_into_data() {
        let mut object =
            json!({"metadata": {"name": "s"}, "stringData": {"a": "b"}, "data": {"c": "ZA=="}});
        fill(Kind::Secret, &mut object);
        assert_eq!(object["data"], json!({"a": "Yg==", "c": "ZA=="}));
        assert!(object.get("stringData").is_none());
    }
}
