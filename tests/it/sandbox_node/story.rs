//! Watch streams as stories: one line per step, without the names, ids and times that differ from run to run.

use serde_json::Value;

/// The steps of one object; steps that look alike are one.
pub(super) fn of<'a>(
    changes: impl Iterator<Item = (&'a str, &'a Value)>,
    step: fn(&Value) -> String,
) -> Vec<String> {
    let mut story: Vec<String> = changes
        .map(|(what, object)| {
            if what == "DELETED" {
                what.to_owned()
            } else {
                step(object)
            }
        })
        .collect();
    story.dedup();
    story
}

/// The recorded story of a Job on a real cluster.
pub(super) fn recorded_job(name: &str) -> Vec<String> {
    let lines = recorded("jobs");
    of(
        changes(&lines).filter(|(_, object)| object["metadata"]["name"] == name),
        job_step,
    )
}

/// The recorded story of the first pod of a Job on a real cluster.
pub(super) fn recorded_pod(job: &str) -> Vec<String> {
    let lines = recorded("pods");
    let first = changes(&lines)
        .find(|(_, object)| is_of(&object["metadata"]["name"], job))
        .expect("recorded")
        .1;
    of(
        changes(&lines)
            .filter(|(_, object)| object["metadata"]["name"] == first["metadata"]["name"]),
        pod_step,
    )
}

/// The recorded events of a Job and its pods, in order.
pub(super) fn recorded_events(job: &str) -> Vec<String> {
    let lines = recorded("events");
    changes(&lines)
        .filter(|(what, _)| *what == "ADDED")
        .filter_map(|(_, one)| event(one, job))
        .collect()
}

/// The story without what happens to finalizers: whether the node or a controller is first is chance in some places.
pub(super) fn without_finalizers(story: &[String]) -> Vec<String> {
    let cut = |step: &String| step.replace(r#"["batch.kubernetes.io/job-tracking"]"#, "null");
    let mut story: Vec<String> = story.iter().map(cut).collect();
    story.dedup();
    story
}

/// An event about the Job or a pod of it.
pub(super) fn event(event: &Value, job: &str) -> Option<String> {
    let involved = &event["involvedObject"];
    if involved["name"] != job && !is_of(&involved["name"], job) {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(
        [&involved["kind"], &event["type"], &event["reason"]]
            .map(text)
            .join(" "),
    )
}

/// What a Job shows; `ready` is left out, for how often it is written depends on how fast the pods are.
pub(super) fn job_step(job: &Value) -> String {
    let status = &job["status"];
    let there = |field: &str| status[field].is_string();
    let uncounted = |field: &str| {
        status["uncountedTerminatedPods"][field]
            .as_array()
            .map_or(0, Vec::len)
    };
    format!(
        "active {} terminating {} succeeded {} failed {} uncounted {}/{} started {} completed {} suspend {} {} {}",
        status["active"],
        status["terminating"],
        status["succeeded"],
        status["failed"],
        uncounted("succeeded"),
        uncounted("failed"),
        there("startTime"),
        there("completionTime"),
        job["spec"]["suspend"] == true,
        conditions(status),
        deletion(job),
    )
}

/// What a pod shows.
pub(super) fn pod_step(pod: &Value) -> String {
    let status = &pod["status"];
    let container = |one: &Value| {
        let state = &one["state"];
        let kind = ["waiting", "running", "terminated"]
            .into_iter()
            .find(|kind| state[*kind].is_object())
            .unwrap_or("none");
        let state = &state[kind];
        format!(
            "{kind} {} {} ready {} started {} restarts {}",
            state["reason"], state["exitCode"], one["ready"], one["started"], one["restartCount"]
        )
    };
    let containers: Vec<String> = status["containerStatuses"]
        .as_array()
        .into_iter()
        .flatten()
        .map(container)
        .collect();
    format!(
        "{} {} ip {} {containers:?} {} {}",
        status["phase"],
        status["reason"],
        status["podIP"].is_string(),
        conditions(status),
        deletion(pod),
    )
}

fn conditions(status: &Value) -> String {
    let one = |condition: &Value| {
        format!(
            "{}={}({})",
            condition["type"], condition["status"], condition["reason"]
        )
        .replace('"', "")
    };
    let all: Vec<String> = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(one)
        .collect();
    all.join(",")
}

fn deletion(object: &Value) -> String {
    let meta = &object["metadata"];
    let finalizers = &meta["finalizers"];
    if !meta["deletionTimestamp"].is_string() {
        return format!("finalizers {finalizers}");
    }
    let grace = if meta["deletionGracePeriodSeconds"] == 0 {
        "now"
    } else {
        "in time"
    };
    format!("finalizers {finalizers} deleted {grace}")
}

fn is_of(pod: &Value, job: &str) -> bool {
    let suffix = pod
        .as_str()
        .and_then(|pod| pod.strip_prefix(job)?.strip_prefix('-'));
    suffix.is_some_and(|suffix| suffix.len() == 5)
}

fn recorded(kind: &str) -> Vec<Value> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/observed/");
    let read = |name: &str| {
        std::fs::read_to_string(format!("{directory}{name}{kind}.watch.ndjson")).unwrap()
    };
    let text = read("") + &read("more-");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn changes(lines: &[Value]) -> impl Iterator<Item = (&str, &Value)> {
    lines
        .iter()
        .map(|line| (line["type"].as_str().unwrap(), &line["object"]))
}
