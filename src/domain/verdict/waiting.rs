//! A run without a verdict: what it waits for, and what to do when it waits in vain (contract 6.4).

use super::{Judgement, Verdict};
use crate::domain::observed::EventSeen;
use crate::domain::runs::{Contact, Dispatch, Phase, Ran, Reason, Run};

pub(super) fn judge(run: &Run) -> Judgement {
    let (reason, why) = state(run);
    Judgement {
        verdict: Verdict::Pending,
        uncertain: false,
        dispatch: match run.phase {
            Phase::Dispatching => Dispatch::DispatchPending,
            Phase::NotDispatched => Dispatch::DispatchFailed,
            _ if run.marker_at.is_some() || run.executor.is_some() => Dispatch::DispatchConfirmed,
            _ => Dispatch::DispatchSubmitted,
        },
        reason,
        why,
        disagreement: None,
    }
}

fn state(run: &Run) -> (Reason, String) {
    let none = Reason::default;
    let pod = run.pod.as_ref();
    match run.phase {
        Phase::Dispatching => (none(), "The API server has not answered yet.".into()),
        Phase::Running if pod.is_some_and(|pod| pod.exit.is_some()) => collecting(run),
        Phase::Started if pod.is_some_and(|pod| pod.exit.is_some()) => collecting(run),
        Phase::Running | Phase::Started if pod.is_some_and(|pod| pod.contact == Contact::Lost) => {
            let node = pod.map(|pod| pod.node.as_str()).unwrap_or_default();
            let why = format!(
                "Nothing is heard of node {node} any more: what runs there may go on, its end will be known when the node is back."
            );
            (Reason::new("NodeNotReady", ""), why)
        }
        Phase::Running => (
            none(),
            "The container runs; its start marker has not come yet.".into(),
        ),
        Phase::Started => (none(), "The executor has started.".into()),
        Phase::Retained | Phase::Deleting | Phase::Removed => collecting(run),
        Phase::Queued | Phase::Pending | Phase::NotDispatched => waiting(run),
    }
}

fn collecting(run: &Run) -> (Reason, String) {
    let reason = run.pod.as_ref().map(|pod| pod.reason.clone());
    let what = if run.finished_at.is_none() && run.removal.is_none() {
        "The container has ended; the Job's final condition and the rest of the log are awaited."
    } else {
        "The Job has ended; the rest of its log is awaited."
    };
    (reason.unwrap_or_default(), what.into())
}

fn waiting(run: &Run) -> (Reason, String) {
    let Some(pod) = &run.pod else {
        return without_pod(run);
    };
    // While a container is created, the reason for a delay is in the events only.
    let reason = match pod.reason.word.as_str() {
        "" | "ContainerCreating" | "PodInitializing" => trouble(run, &["Pod"]).map_or_else(
            || pod.reason.clone(),
            |e| Reason::new(&e.reason, &e.message),
        ),
        _ => pod.reason.clone(),
    };
    let why = explain(&reason, run);
    (reason, why)
}

fn without_pod(run: &Run) -> (Reason, String) {
    if run.reason.word == "Suspended" {
        let why =
            "The Job is suspended: somebody else must resume it; this tool does not suspend Jobs.";
        return (run.reason.clone(), why.into());
    }
    match trouble(run, &["Job"]) {
        Some(event) => {
            let reason = Reason::new(&event.reason, &event.message);
            let why = explain(&reason, run);
            (reason, why)
        }
        None => (
            Reason::default(),
            "The Job is accepted; its pod is not made yet.".into(),
        ),
    }
}

/// The newest warning about objects of these kinds that says why nothing moves.
fn trouble<'a>(run: &'a Run, kinds: &[&str]) -> Option<&'a EventSeen> {
    run.events
        .iter()
        .filter(|event| event.level == "Warning" && kinds.contains(&event.kind.as_str()))
        .filter(|event| is_trouble(&event.reason))
        .max_by_key(|event| event.last)
}

fn is_trouble(reason: &str) -> bool {
    matches!(
        reason,
        "FailedMount"
            | "FailedAttachVolume"
            | "FailedCreatePodSandBox"
            | "FailedCreate"
            | "FailedScheduling"
            | "NetworkNotReady"
    )
}

/// The reason as a sentence with the next step.
pub(super) fn explain(reason: &Reason, run: &Run) -> String {
    let message = brief(&reason.message);
    let image = &run.image;
    match reason.word.as_str() {
        "Unschedulable" | "FailedScheduling" => unschedulable(&reason.message),
        "ErrImagePull" | "ImagePullBackOff" => format!(
            "Image {image} cannot be pulled ({}): build or load it into the cluster, or name another one.",
            pull_error(&reason.message)
        ),
        "ErrImageNeverPull" => format!(
            "Image {image} is not in the cluster and must not be pulled: build or load it there."
        ),
        "InvalidImageName" => {
            format!("Image {image} is no valid name: correct it in the settings.")
        }
        "CreateContainerConfigError" | "CreateContainerError" => format!(
            "The container cannot be made ({message}): create what it refers to, then start the run again."
        ),
        "FailedMount" | "FailedAttachVolume" => mount(&reason.message),
        "FailedCreate" => {
            if reason.message.contains("exceeded quota") {
                format!(
                    "The namespace's quota leaves no room for the pod ({message}): remove finished runs or raise the quota."
                )
            } else if let Some(account) = missing_account(&reason.message) {
                format!(
                    "There is no service account `{account}` in the namespace: make it, or name another one."
                )
            } else {
                format!("The Job cannot make its pod ({message}).")
            }
        }
        "FailedCreatePodSandBox" | "NetworkNotReady" => {
            format!("The node cannot set the pod up ({message}): look at the node and its network.")
        }
        "" if run.pod.as_ref().is_some_and(|pod| pod.node.is_empty()) => {
            "The pod waits for a node.".into()
        }
        "" if run
            .pod
            .as_ref()
            .is_some_and(|pod| pod.contact == Contact::Awaited) =>
        {
            let node = run
                .pod
                .as_ref()
                .map(|pod| pod.node.as_str())
                .unwrap_or_default();
            format!("Node {node} has not taken the pod up yet.")
        }
        "" | "ContainerCreating" | "PodInitializing" if pulls(run) => {
            format!("The node pulls image {image}.")
        }
        "" | "ContainerCreating" | "PodInitializing" => "The container is being made.".into(),
        word if message.is_empty() => format!("The pod waits: {word}."),
        word => format!("The pod waits: {word} ({message})."),
    }
}

/// An image is on its way to the node.
pub(in crate::domain) fn pulls(run: &Run) -> bool {
    run.marks.pulling.is_some() && run.marks.pulled.is_none()
}

/// The name in `serviceaccount "absent" not found`.
pub(in crate::domain) fn missing_account(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("serviceaccount \"")?;
    let (name, rest) = rest.split_once('"')?;
    rest.trim_start().starts_with("not found").then_some(name)
}

/// Which resource is short, from the scheduler's message: `0/1 nodes are available: 1 Insufficient nvidia.com/gpu.`
fn unschedulable(message: &str) -> String {
    let short: Vec<&str> = message
        .split("Insufficient ")
        .skip(1)
        .filter_map(|rest| rest.split([',', ' ']).next())
        .map(|resource| resource.trim_end_matches('.'))
        .collect();
    if short.is_empty() {
        return format!("No node takes the pod ({}).", brief(message));
    }
    let what = short.join(" and ");
    let step = if short.contains(&"nvidia.com/gpu") {
        "set the GPU limit to 0 or use a node with a GPU"
    } else {
        "stop something else or give the node more"
    };
    format!("No node has enough {what}: {step}.")
}

/// What failed below, without the chain of wrappers in front of it.
fn pull_error(message: &str) -> String {
    let known = [
        ("not found", "not found in its registry"),
        ("no such host", "its registry is not known"),
        ("connection refused", "its registry refuses the connection"),
        ("unauthorized", "its registry wants credentials"),
        ("denied", "its registry denies access"),
        ("i/o timeout", "its registry does not answer"),
        ("toomanyrequests", "its registry limits the rate"),
    ];
    let lower = message.to_lowercase();
    known
        .iter()
        .find(|(text, _)| lower.contains(text))
        .map_or_else(|| brief(message), |(_, meaning)| (*meaning).to_owned())
}

fn mount(message: &str) -> String {
    let shown = brief(message);
    let step = if message.contains("project-code") || message.contains("hostPath") {
        "start the mount of the checkout, or switch live code off"
    } else if message.contains("configmap") {
        "the payload ConfigMap is missing; remove the run and start it again"
    } else {
        "look at the volume it names"
    };
    format!("A volume cannot be mounted ({shown}): {step}.")
}

/// The first line of a message, at most 160 characters.
pub(super) fn brief(message: &str) -> String {
    let line = message
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .trim_end_matches('.');
    let mut chars = line.chars();
    let cut: String = chars.by_ref().take(160).collect();
    if chars.next().is_some() {
        format!("{cut}…")
    } else {
        cut
    }
}

/// The run never did anything, and somebody saw that.
pub(super) fn never_ran(run: &Run) -> bool {
    let idle = run
        .pod
        .as_ref()
        .map_or_else(|| run.is_podless(), |pod| pod.ran == Ran::No);
    run.marker_at.is_none() && idle
}
