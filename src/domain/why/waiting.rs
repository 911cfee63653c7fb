//! What to type when a run does not start, by the reason that Kubernetes gives.

use super::Place;
use super::shell::word;
use crate::domain::runs::Reason;
use crate::domain::target::TargetKind;

/// The command for a reason to wait; none while nothing is wrong.
pub(super) fn fix(place: &Place, reason: &Reason) -> Option<String> {
    let message = reason.message.as_str();
    match reason.word.as_str() {
        "" | "ContainerCreating" | "PodInitializing" => None,
        "Suspended" => Some(place.kubectl(&format!(
            "patch job {} -p '{{\"spec\":{{\"suspend\":false}}}}'",
            word(&place.run.job)
        ))),
        "Unschedulable" | "FailedScheduling" => Some(unschedulable(place, message)),
        "ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "InvalidImageName"
        | "ImageInspectError"
        | "RegistryUnavailable" => Some(image(place, reason)),
        "CreateContainerConfigError" => Some(config(place, message)),
        "FailedMount" | "FailedAttachVolume" => Some(mount(place, message)),
        "FailedCreate" => Some(refused_pod(place, message)),
        "FailedCreatePodSandBox" | "NetworkNotReady" => place
            .minikube("start")
            .or_else(|| Some(place.describe_node())),
        _ => Some(place.describe_pod()),
    }
}

fn unschedulable(place: &Place, message: &str) -> String {
    if message.contains("Insufficient nvidia.com/gpu") {
        return place
            .again("--gpu 0")
            .unwrap_or_else(|| place.own("settings set k8s_gpu_limit 0"));
    }
    // A node that was cordoned; on Minikube it has the profile's name.
    if message.contains("were unschedulable")
        || message.contains("node.kubernetes.io/unschedulable")
    {
        return match place.target.kind {
            TargetKind::Minikube => {
                place.kubectl(&format!("uncordon {}", word(&place.target.name)))
            }
            _ => place.kubectl("get nodes"),
        };
    }
    if message.contains("persistentvolumeclaim") {
        return place.kubectl("get persistentvolumeclaims");
    }
    place.describe_node()
}

fn image(place: &Place, reason: &Reason) -> String {
    let image = &place.run.image;
    let lower = reason.message.to_lowercase();
    if reason.word == "InvalidImageName" || place.target.kind == TargetKind::Sandbox {
        return other_image(place);
    }
    if lower.contains("unauthorized") || lower.contains("denied") || lower.contains("credentials") {
        let registry = registry(image);
        return place.kubectl(&format!(
            "create secret docker-registry executor-pull --docker-server={} --docker-username=NAME --docker-password=…",
            word(registry)
        ));
    }
    place
        .minikube(&format!("image load {}", word(image)))
        .unwrap_or_else(|| format!("docker push {}", word(image)))
}

/// The registry of an image, as docker reads it.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => "docker.io",
    }
}

fn other_image(place: &Place) -> String {
    let image = "llmctl-executor-frontier:0.1.0";
    place
        .again(&format!("--image {image}"))
        .unwrap_or_else(|| place.own(&format!("settings set k8s_frontier_image {image}")))
}

/// `secret "x" not found`, `couldn't find key k in Secret ns/x`, `container has runAsNonRoot and image will run as root`.
fn config(place: &Place, message: &str) -> String {
    for (kind, create) in [
        ("secret", "create secret generic"),
        ("configmap", "create configmap"),
    ] {
        if let Some(name) = named(message, kind) {
            return place.kubectl(&format!("{create} {} --from-literal=KEY=VALUE", word(name)));
        }
    }
    if let Some((_, rest)) = message.split_once("find key ")
        && let Some((key, rest)) = rest.split_once(" in ")
        && let Some((kind, place_of)) = rest.split_once(' ')
        && let Some((_, name)) = place_of.trim().split_once('/')
    {
        let patch = format!("{{\"stringData\":{{\"{key}\":\"VALUE\"}}}}");
        return match kind {
            "Secret" => place.kubectl(&format!("patch secret {} -p {}", word(name), word(&patch))),
            _ => place.kubectl(&format!(
                "edit {} {}",
                word(&kind.to_lowercase()),
                word(name)
            )),
        };
    }
    if message.contains("runAsNonRoot") {
        return other_image(place);
    }
    place.describe_pod()
}

/// The name in `KIND "name" not found`.
fn named<'a>(message: &'a str, kind: &str) -> Option<&'a str> {
    let lower = message.to_ascii_lowercase();
    let at = lower.find(&format!("{kind} \""))? + kind.len() + 2;
    let (name, rest) = message.get(at..)?.split_once('"')?;
    rest.trim_start().starts_with("not found").then_some(name)
}

fn mount(place: &Place, message: &str) -> String {
    if message.contains("project-code") || message.contains("hostPath") {
        let path = message
            .split_once("type check failed: ")
            .and_then(|(_, rest)| rest.split_once(" is not"))
            .map_or("/workspace/llmctl", |(path, _)| path);
        let mount = format!("mount \"$PWD\":{}", word(path));
        return place
            .minikube(&mount)
            .unwrap_or_else(|| place.own("settings set k8s_live_code_enabled false"));
    }
    if named(message, "configmap").is_some_and(|name| name.ends_with("-payload")) {
        return place.runs("remove");
    }
    if message.contains("not found") {
        return config(place, message);
    }
    place.describe_pod()
}

/// Why the API server takes no pod of the Job.
fn refused_pod(place: &Place, message: &str) -> String {
    if let Some((_, rest)) = message.split_once("exceeded quota: ") {
        let quota = rest.split([',', ' ']).next().unwrap_or_default();
        return place.kubectl(&format!("edit resourcequota {}", word(quota)));
    }
    if named(message, "serviceaccount").is_some() || message.contains("service account") {
        return place.own("overlays apply executor");
    }
    if message.contains("violates PodSecurity") {
        return place.kubectl(&format!(
            "label namespace {} pod-security.kubernetes.io/enforce=baseline --overwrite",
            word(&place.run.namespace)
        ));
    }
    if message.contains("usage per ") {
        return place.kubectl("describe limitrange");
    }
    place.kubectl(&format!("describe job {}", word(&place.run.job)))
}
