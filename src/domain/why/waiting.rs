//! What to type when a run does not start, by the reason that Kubernetes gives.

use super::shell::word;
use super::{Place, SLOW};
use crate::domain::runs::{Contact, Reason};
use crate::domain::target::TargetKind;
use crate::domain::verdict::waiting::{missing_account, pulls};
use jiff::Timestamp;

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

/// The command for a step that names no reason and lasts: the node does not take the pod up, or pulls its image.
pub(super) fn slow(place: &Place, now: Timestamp) -> Option<String> {
    let (run, marks) = (place.run, &place.run.marks);
    let pod = run.pod.as_ref().filter(|pod| !pod.node.is_empty())?;
    let lasts =
        |since: Option<Timestamp>| since.is_some_and(|since| now.duration_since(since) >= SLOW);
    if pod.contact == Contact::Awaited {
        return lasts(marks.scheduled.or(marks.accepted)).then(|| place.describe_node());
    }
    (pulls(run) && lasts(marks.pulling))
        .then(|| load(place).unwrap_or_else(|| place.describe_pod()))
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
    load(place).unwrap_or_else(|| match reason.word.as_str() {
        // What is pushed would not be pulled; this one is typed on the node.
        "ErrImageNeverPull" => {
            format!(
                "docker save {} | ctr -n k8s.io images import -",
                word(image)
            )
        }
        _ => format!("docker push {}", word(image)),
    })
}

/// Brings the image of the run from this machine to the node, where the kind of cluster has a command for that.
fn load(place: &Place) -> Option<String> {
    let image = word(&place.run.image);
    let name = &place.target.name;
    if let Some(load) = place.minikube(&format!("image load {image}")) {
        return Some(load);
    }
    (place.target.kind == TargetKind::Context).then_some(())?;
    let kind = name
        .strip_prefix("kind-")
        .map(|name| format!("kind load docker-image {image} --name {}", word(name)));
    let k3d = || {
        name.strip_prefix("k3d-")
            .map(|name| format!("k3d image import {image} -c {}", word(name)))
    };
    kind.or_else(k3d)
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

/// The overlay `executor` makes one account, in its own namespace.
fn account(place: &Place, name: &str) -> String {
    if name == "llmctl-executor" && place.run.namespace == "llmctl" {
        place.own("overlays apply executor")
    } else {
        place.kubectl(&format!("create serviceaccount {}", word(name)))
    }
}

/// Why the API server takes no pod of the Job.
fn refused_pod(place: &Place, message: &str) -> String {
    if let Some((_, rest)) = message.split_once("exceeded quota: ") {
        let quota = rest.split([',', ' ']).next().unwrap_or_default();
        return place.kubectl(&format!("edit resourcequota {}", word(quota)));
    }
    if let Some(name) = missing_account(message) {
        return account(place, name);
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
