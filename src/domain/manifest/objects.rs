//! The two objects as JSON, with what this tool does better than the Python dispatcher explained where it is done.

use super::{OURS, PASS_ANNOTATION, SAMPLE_ANNOTATION, SETTINGS_ANNOTATION, Wanted};
use crate::domain::settings::key::Key;
use serde_json::{Map, Value, json};

const PAYLOAD_DIR: &str = "/tmp/llmctl/payload";
const RUNTIME_DIR: &str = "/tmp/llmctl/runtime";

pub(super) fn job(wanted: &Wanted, name: &str, configmap: &str, deadline: u32) -> Value {
    let mut annotations = argocd_annotations(wanted, "batch/Job", name);
    annotations.insert(SAMPLE_ANNOTATION.into(), json!(wanted.sample.name));
    if wanted.request.execution_index > 1 {
        let pass = wanted.request.execution_index.to_string();
        annotations.insert(PASS_ANNOTATION.into(), json!(pass));
    }
    // Text, because an annotation is one; settings may be others by the time somebody asks.
    annotations.insert(SETTINGS_ANNOTATION.into(), used(wanted).to_string().into());
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": wanted.settings.namespace,
            "labels": labels(wanted),
            "annotations": annotations,
        },
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": wanted.ttl,
            // W21: without it a Job that is never scheduled lasts for ever once its dispatcher is gone, and its TTL never starts.
            "activeDeadlineSeconds": deadline,
            "template": {
                "metadata": {"labels": labels(wanted)},
                "spec": pod(wanted, configmap),
            },
        },
    })
}

/// The settings of this run by their keys, with what was chosen for it alone.
fn used(wanted: &Wanted) -> Value {
    let settings = wanted.settings;
    let blank = |text: &Option<String>| json!(text.as_deref().unwrap_or_default());
    let used = [
        (
            Key::WorkspaceIdentityKey,
            json!(settings.workspace_identity),
        ),
        (
            Key::AgentRuntimeCutoverEnabled,
            json!(settings.agent_runtime_cutover),
        ),
        (
            Key::DispatchTimeoutSeconds,
            json!(settings.dispatch_timeout_seconds),
        ),
        (Key::ExecutionTimeoutSeconds, json!(wanted.timeout)),
        (
            Key::CancelGraceTimeoutSeconds,
            json!(settings.cancel_grace_seconds),
        ),
        (Key::K8sJobTtlSeconds, json!(wanted.ttl)),
        (
            Key::K8sImagePullSecretsJson,
            json!(settings.image_pull_secrets),
        ),
        (Key::K8sNamespace, json!(settings.namespace)),
        (Key::K8sServiceAccount, blank(&settings.service_account)),
        (Key::K8sGpuLimit, json!(wanted.gpu)),
        (
            Key::K8sLiveCodeEnabled,
            json!(settings.live_code_path.is_some()),
        ),
        (Key::K8sLiveCodeHostPath, blank(&settings.live_code_path)),
        (Key::K8sArgocdAppName, blank(&settings.argocd_app)),
    ];
    let named = used
        .into_iter()
        .map(|(key, value)| (key.name().to_owned(), value));
    Value::Object(named.collect())
}

pub(super) fn configmap(wanted: &Wanted, name: &str, payload: &str) -> Value {
    let mut labels = labels(wanted);
    labels.insert("llmctl.payload".into(), json!("true"));
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": wanted.settings.namespace,
            "labels": labels,
            "annotations": argocd_annotations(wanted, "v1/ConfigMap", name),
        },
        "data": {"payload.json": payload},
    })
}

fn labels(wanted: &Wanted) -> Map<String, Value> {
    let mut labels = Map::from_iter([
        ("llmctl.executor".into(), json!("true")),
        ("llmctl.provider".into(), json!("kubernetes")),
        (
            "llmctl.flowchart.node_id".into(),
            json!(wanted.request.node_id.to_string()),
        ),
        (
            "llmctl.flowchart.execution_id".into(),
            json!(wanted.request.execution_id.to_string()),
        ),
        (
            "llmctl.workspace_identity".into(),
            json!(wanted.settings.workspace_identity),
        ),
        (OURS.0.into(), json!(OURS.1)),
    ]);
    if let Some(app) = &wanted.settings.argocd_app {
        labels.insert("app.kubernetes.io/instance".into(), json!(app));
    }
    labels
}

/// Only when an application is configured (W26): without Argo CD they mean nothing.
fn argocd_annotations(wanted: &Wanted, kind: &str, name: &str) -> Map<String, Value> {
    let Some(app) = &wanted.settings.argocd_app else {
        return Map::new();
    };
    let namespace = &wanted.settings.namespace;
    Map::from_iter([
        (
            "argocd.argoproj.io/tracking-id".into(),
            json!(format!("{app}:{kind}:{namespace}/{name}")),
        ),
        (
            "argocd.argoproj.io/compare-options".into(),
            json!("IgnoreExtraneous"),
        ),
    ])
}

fn pod(wanted: &Wanted, configmap: &str) -> Value {
    let settings = wanted.settings;
    let mut volumes = vec![
        json!({"name": "executor-payload", "configMap": {
            "name": configmap,
            "items": [{"key": "payload.json", "path": "payload.json"}],
        }}),
        json!({"name": "executor-runtime", "emptyDir": {}}),
    ];
    if let Some(path) = live_code(wanted) {
        volumes
            .push(json!({"name": "project-code", "hostPath": {"path": path, "type": "Directory"}}));
    }
    let mut pod = json!({
        "restartPolicy": "Never",
        "activeDeadlineSeconds": wanted.timeout,
        // W23: Kubernetes' own service variables would reach the container, `LLMCTL_POSTGRES_PORT=tcp://…` among them.
        "enableServiceLinks": false,
        // W25: nothing in an executor talks to the API server, so that it holds no key to it unless a sample asks.
        "automountServiceAccountToken": wanted.sample.service_account_token,
        // W16: deleting a Job gives its pods their own grace period, not one of the delete request; so it is set here.
        "terminationGracePeriodSeconds": settings.cancel_grace_seconds,
        "containers": [container(wanted)],
        "volumes": volumes,
    });
    if let Some(account) = &settings.service_account {
        pod["serviceAccountName"] = json!(account);
    }
    if !settings.image_pull_secrets.is_empty() {
        pod["imagePullSecrets"] = settings
            .image_pull_secrets
            .iter()
            .map(|name| json!({"name": name}))
            .collect();
    }
    pod
}

fn container(wanted: &Wanted) -> Value {
    let mut mounts = vec![
        json!({"name": "executor-payload", "mountPath": PAYLOAD_DIR, "readOnly": true}),
        json!({"name": "executor-runtime", "mountPath": RUNTIME_DIR}),
    ];
    if live_code(wanted).is_some() {
        // W25: the checkout of a developer is read by a run and never written.
        mounts.push(json!({"name": "project-code", "mountPath": "/app", "readOnly": true}));
    }
    let mut limits = json!({"cpu": "1", "memory": "1Gi"});
    if wanted.gpu > 0 {
        limits["nvidia.com/gpu"] = json!(wanted.gpu.to_string());
    }
    let mut container = json!({
        "name": "executor",
        "image": wanted.image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{
            "name": "LLMCTL_EXECUTOR_PAYLOAD_FILE",
            "value": format!("{PAYLOAD_DIR}/payload.json"),
        }],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": limits},
        // W25: as tight as an image that runs as root can bear; `runAsNonRoot` would refuse the executor images.
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": mounts,
    });
    if wanted.node_payload {
        // W22: a reference and not a copy, so that no secret stands in a Job. A command payload gets nothing (contract 4.5).
        container["envFrom"] = json!([
            {"configMapRef": {"name": "llmctl-studio-config", "optional": true}},
            {"secretRef": {"name": "llmctl-studio-secrets", "optional": true}},
        ]);
    }
    if let Some(command) = &wanted.sample.container_command {
        container["command"] = json!(command);
    }
    container
}

/// The checkout is mounted for node payloads only: a command needs none of it.
fn live_code<'a>(wanted: &'a Wanted) -> Option<&'a String> {
    wanted
        .settings
        .live_code_path
        .as_ref()
        .filter(|_| wanted.node_payload)
}
