//! What becomes of Jobs: conditions and their order, counts, events, deadlines, suspension, removal.

use serde_json::{Value, json};

use super::place::Place;
use super::scene::{Scene, conditions};

/// Works until it is asked to end, which the first process of a container has to hear for itself.
const LONG: &str = "trap 'exit 9' TERM; while true; do sleep 0.1; done";

/// What a finished Job shows, and how it came there.
fn told(scene: &Scene<'_>, job: &str) -> Vec<String> {
    let mut lines = vec![format!("--- {job}")];
    let verdicts = scene.states("Job", job, |job| {
        let last = conditions(job);
        let state = &job["status"];
        format!(
            "{} | active {} completed {}",
            last.join("; "),
            state["active"].as_u64().unwrap_or(0),
            state["completionTime"].is_string()
        )
    });
    // How often a Job is written before its verdict depends on how fast its pods are.
    let mut verdicts: Vec<String> = verdicts
        .into_iter()
        .filter(|line| !line.starts_with(" |"))
        .map(|line| format!("Job {line}"))
        .collect();
    verdicts.dedup();
    lines.extend(verdicts);
    if let Some(last) = scene
        .seen
        .iter()
        .rev()
        .find(|seen| seen.kind == "Job" && seen.object["metadata"]["name"] == job)
    {
        let status = &last.object["status"];
        lines.push(format!(
            "counts active {} ready {} succeeded {} failed {} terminating {} uncounted {}",
            status["active"],
            status["ready"],
            status["succeeded"],
            status["failed"],
            status["terminating"],
            status["uncountedTerminatedPods"]
        ));
    }
    lines.extend(scene.events(job));
    lines
}

fn pod_told(scene: &Scene<'_>, pod: &str) -> Vec<String> {
    let states = scene.states("Pod", pod, |pod| {
        let status = &pod["status"];
        let state = &status["containerStatuses"][0]["state"];
        let ended = &state["terminated"];
        format!(
            "pod {} {} {} | exit {} {}",
            status["phase"].as_str().unwrap_or_default(),
            status["reason"].as_str().unwrap_or_default(),
            status["message"].as_str().unwrap_or_default(),
            ended["exitCode"],
            ended["reason"].as_str().unwrap_or_default()
        )
    });
    // A container that ended is told before its pod is: how much before is chance.
    let mut phases: Vec<String> = states
        .into_iter()
        .filter(|line| {
            line == "gone"
                || line.starts_with("pod Pending")
                || line.starts_with("pod Running   | exit null")
                || !line.starts_with("pod Running")
        })
        .collect();
    phases.dedup();
    phases
}

pub(super) async fn ends(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    scene.job("good", "echo fine; sleep 2", |_| ()).await;
    scene.job("bad", "sleep 2; exit 3", |_| ()).await;
    scene
        .job("late", LONG, |spec| {
            spec["activeDeadlineSeconds"] = 3.into();
        })
        .await;
    scene
        .job("pod-late", LONG, |spec| {
            spec["template"]["spec"]["activeDeadlineSeconds"] = 3.into();
        })
        .await;
    scene.until_job("good", "Complete").await;
    for job in ["bad", "late", "pod-late"] {
        scene.until_job(job, "Failed").await;
    }
    scene.until_gone("Pod", "late").await;
    scene.settle().await;
    let mut lines = Vec::new();
    for job in ["good", "bad", "late", "pod-late"] {
        lines.extend(told(&scene, job));
        lines.extend(pod_told(&scene, job));
    }
    lines
}

/// A Job whose pods a quota refuses says so, and makes them once it may.
pub(super) async fn beyond_a_quota(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    let quota = json!({"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}});
    scene.done("POST", "resourcequotas", quota).await;
    while scene.done("GET", "resourcequotas/none", Value::Null).await["status"]["used"]["pods"]
        != "0"
    {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    scene.job("held", "true", |_| ()).await;
    scene
        .until("a refused pod", |seen| {
            seen.kind == "Event" && seen.object["reason"] == "FailedCreate"
        })
        .await;
    let mut lines = scene.events("held");
    // Each try is told with the name that the pod would have had.
    lines.dedup();
    let job = scene.done("GET", "jobs/held", Value::Null).await;
    lines.push(format!(
        "active {} failed {} conditions {}",
        job["status"]["active"], job["status"]["failed"], job["status"]["conditions"]
    ));
    let more = json!({"spec": {"hard": {"pods": "1"}}});
    scene.done("PATCH", "resourcequotas/none", more).await;
    scene.until_job("held", "Complete").await;
    let quota = async {
        loop {
            let quota = scene.done("GET", "resourcequotas/none", Value::Null).await;
            if quota["status"]["used"]["pods"] == "0" {
                return quota["status"].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    lines.push(format!("then {}", quota.await));
    lines
}

pub(super) async fn retries(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    scene
        .job("again", "exit 4", |spec| spec["backoffLimit"] = 1.into())
        .await;
    scene
        .job("restarts", "exit 5", |spec| {
            spec["backoffLimit"] = 1.into();
            spec["template"]["spec"]["restartPolicy"] = "OnFailure".into();
        })
        .await;
    scene
        .job("two", "true", |spec| {
            spec["completions"] = 3.into();
            spec["parallelism"] = 2.into();
        })
        .await;
    scene.until_job("two", "Complete").await;
    scene.until_job("again", "Failed").await;
    scene.until_job("restarts", "Failed").await;
    scene.settle().await;
    let mut lines = told(&scene, "again");
    lines.extend(
        told(&scene, "restarts")
            .into_iter()
            .filter(|line| line.starts_with("Job ")),
    );
    lines.extend(
        told(&scene, "two")
            .into_iter()
            .filter(|line| !line.starts_with("Pod ")),
    );
    let pods = |job: &str| {
        let mut names: Vec<&str> = scene
            .seen
            .iter()
            .filter(|seen| {
                seen.kind == "Pod" && seen.object["metadata"]["labels"]["job-name"] == job
            })
            .filter_map(|seen| seen.object["metadata"]["name"].as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    };
    lines.push(format!(
        "pods {} {} {}",
        pods("again"),
        pods("restarts"),
        pods("two")
    ));
    lines
}

pub(super) async fn suspended(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    let suspend = |suspend: bool| json!({"spec": {"suspend": suspend}});
    scene
        .job("held", "sleep 600", |spec| spec["suspend"] = true.into())
        .await;
    scene.until_job("held", "Suspended").await;
    scene.settle().await;
    let held = scene.done("GET", "jobs/held", Value::Null).await;
    let mut lines = vec![format!(
        "held: started {} pods {}",
        held["status"]["startTime"].is_string(),
        scene.seen.iter().any(|seen| seen.kind == "Pod")
    )];
    scene.done("PATCH", "jobs/held", suspend(false)).await;
    scene.until_running("held").await;
    scene.settle().await;
    scene.done("PATCH", "jobs/held", suspend(true)).await;
    scene.until_gone("Pod", "held").await;
    scene.settle().await;
    let held = scene.done("GET", "jobs/held", Value::Null).await;
    lines.push(format!(
        "held again: started {} active {} failed {} terminating {}",
        held["status"]["startTime"].is_string(),
        held["status"]["active"],
        held["status"]["failed"],
        held["status"]["terminating"]
    ));
    lines.extend(
        told(&scene, "held")
            .into_iter()
            .filter(|line| !line.starts_with("Pod ")),
    );
    lines
}

pub(super) async fn expires(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    scene
        .job("brief", "true", |spec| {
            spec["ttlSecondsAfterFinished"] = 2.into();
        })
        .await;
    scene.until_gone("Job", "brief").await;
    scene.settle().await;
    let mut lines = scene.states("Job", "brief", |job| {
        let meta = &job["metadata"];
        format!(
            "job finished {} deleted {} finalizers {}",
            conditions(job)
                .iter()
                .any(|one| one.starts_with("Complete=True")),
            meta["deletionTimestamp"].is_string(),
            meta["finalizers"]
        )
    });
    let order: Vec<&str> = scene.gone().iter().map(|seen| seen.kind).collect();
    lines.push(format!("gone in this order: {order:?}"));
    lines
}
