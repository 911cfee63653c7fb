//! The lives of Jobs and pods, held against the recordings of a real cluster.

use kube::api::DeleteParams;
use llmctl_dev::sandbox::kinds::Kind;
use serde_json::json;

use super::bench::{Bench, has_condition, state};
use super::story::{recorded_events, recorded_job, recorded_pod, without_finalizers};

/// A process that ends only by force, as process 1 of a container does when it does not care about SIGTERM.
const STUBBORN: &str = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

#[track_caller]
fn assert_story(ours: &[String], recorded: &[String]) {
    if ours == recorded {
        return;
    }
    let at = ours
        .iter()
        .zip(recorded)
        .take_while(|(one, other)| one == other)
        .count();
    panic!(
        "differs from step {at} on\nours:\n{}\nrecorded:\n{}",
        ours.join("\n"),
        recorded.join("\n")
    );
}

/// The events are those recorded. Whether the scheduler or the controller speaks first of a new pod is chance.
#[track_caller]
fn assert_events(mut ours: Vec<String>, job: &str) {
    let mut recorded = recorded_events(job);
    for all in [&mut ours, &mut recorded] {
        let first = all.len().min(2);
        all[..first].sort();
    }
    assert_story(&ours, &recorded);
}

#[tokio::test]
async fn one_that_succeeds() {
    let mut bench = Bench::new();
    bench
        .run("succeeds", "echo one; sleep 0.6; echo two", |spec| {
            spec["ttlSecondsAfterFinished"] = 5.into();
        })
        .await;
    let done = bench.until_job("succeeds", "Complete").await;
    assert_eq!(
        done["status"]["completionTime"],
        done["status"]["conditions"][1]["lastTransitionTime"]
    );
    tokio::time::pause();
    bench.until_gone(Kind::Job, "succeeds").await;
    assert_story(&bench.job_story("succeeds"), &recorded_job("succeeds"));
    assert_story(&bench.pod_story("succeeds"), &recorded_pod("succeeds"));
    assert_events(bench.events("succeeds"), "succeeds");
}

#[tokio::test]
async fn one_that_fails() {
    let mut bench = Bench::new();
    bench
        .run("fails", "sleep 0.3; exit 3", |spec| {
            spec["ttlSecondsAfterFinished"] = 5.into();
        })
        .await;
    let failed = bench.until_job("fails", "Failed").await;
    assert_eq!(failed["status"].get("completionTime"), None);
    assert_eq!(
        failed["status"]["conditions"][1]["message"],
        "Job has reached the specified backoff limit"
    );
    tokio::time::pause();
    bench.until_gone(Kind::Job, "fails").await;
    assert_story(&bench.job_story("fails"), &recorded_job("fails"));
    assert_events(bench.events("fails"), "fails");
    // The recorded pod was too quick to be seen running.
    let pod: Vec<String> = bench
        .pod_story("fails")
        .into_iter()
        .filter(|step| !step.contains("[\"running"))
        .collect();
    let recorded = recorded_pod("fails");
    assert_eq!(pod.len(), recorded.len());
    assert_story(&pod[pod.len() - 4..], &recorded[recorded.len() - 4..]);
}

#[tokio::test]
async fn one_that_is_too_slow() {
    let mut bench = Bench::new();
    bench
        .run("too-slow", STUBBORN, |spec| {
            spec["activeDeadlineSeconds"] = 2.into();
            spec["ttlSecondsAfterFinished"] = 5.into();
        })
        .await;
    let failed = bench.until_job("too-slow", "Failed").await;
    assert_eq!(
        failed["status"]["conditions"][1]["reason"],
        "DeadlineExceeded"
    );
    tokio::time::pause();
    bench.until_gone(Kind::Job, "too-slow").await;
    assert_story(&bench.job_story("too-slow"), &recorded_job("too-slow"));
    assert_events(bench.events("too-slow"), "too-slow");
    let ended = bench.pod_story("too-slow");
    assert_story(
        &ended[ended.len() - 3..],
        &recorded_pod("too-slow")[recorded_pod("too-slow").len() - 3..],
    );
}

#[tokio::test]
async fn one_that_is_deleted() {
    let mut bench = Bench::new();
    bench.run("deleted", STUBBORN, |_| {}).await;
    let pod = bench.until_first_line("deleted").await;
    bench
        .jobs()
        .delete("deleted", &DeleteParams::background())
        .await
        .unwrap();
    bench.until_gone(Kind::Pod, &pod).await;
    assert_eq!(bench.job_story("deleted").last().unwrap(), "DELETED");
    assert_story(&bench.pod_story("deleted"), &recorded_pod("deleted"));
    assert_events(bench.events("deleted"), "deleted");
}

#[tokio::test(start_paused = true)]
async fn one_whose_image_may_not_be_pulled() {
    let mut bench = Bench::new();
    bench
        .run("never-image", "", |spec| {
            spec["activeDeadlineSeconds"] = 10.into();
            spec["ttlSecondsAfterFinished"] = 5.into();
            spec["template"]["spec"]["containers"][0]["image"] = "nosuch:2".into();
        })
        .await;
    bench.until_gone(Kind::Job, "never-image").await;
    assert_story(
        &bench.job_story("never-image"),
        &recorded_job("never-image"),
    );
    assert_story(
        &without_finalizers(&bench.pod_story("never-image")),
        &without_finalizers(&recorded_pod("never-image")),
    );
    assert_events(bench.events("never-image"), "never-image");
}

#[tokio::test(start_paused = true)]
async fn one_whose_image_is_nowhere() {
    let mut bench = Bench::new();
    bench
        .run("no-image", "", |spec| {
            spec["activeDeadlineSeconds"] = 30.into();
            spec["ttlSecondsAfterFinished"] = 5.into();
            spec["template"]["spec"]["containers"][0]["image"] = "nosuch:1".into();
            spec["template"]["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent".into();
        })
        .await;
    bench.until_gone(Kind::Job, "no-image").await;
    assert_story(&bench.job_story("no-image"), &recorded_job("no-image"));
    assert_events(bench.events("no-image"), "no-image");
    let ended = without_finalizers(&bench.pod_story("no-image"));
    let recorded = without_finalizers(&recorded_pod("no-image"));
    // The real node was caught between a failed pull and its back-off.
    assert_story(&ended[..5], &recorded[..5]);
    assert_story(&ended[ended.len() - 4..], &recorded[recorded.len() - 4..]);
}

#[tokio::test]
async fn one_whose_pod_has_a_deadline() {
    let mut bench = Bench::new();
    bench
        .run("pod-deadline", STUBBORN, |spec| {
            spec["template"]["spec"]["activeDeadlineSeconds"] = 2.into();
        })
        .await;
    bench.until_job("pod-deadline", "Failed").await;
    let pod = bench
        .until_pod("pod-deadline", |pod| pod["status"]["phase"] == "Failed")
        .await;
    assert_eq!(
        pod["status"]["message"],
        "Pod was active on the node longer than the specified deadline"
    );
    assert_story(
        &bench.job_story("pod-deadline"),
        &recorded_job("pod-deadline"),
    );
    let (ours, recorded) = (
        bench.pod_story("pod-deadline"),
        recorded_pod("pod-deadline"),
    );
    assert_story(&ours[ours.len() - 2..], &recorded[recorded.len() - 2..]);
    assert_events(bench.events("pod-deadline"), "pod-deadline");
}

#[tokio::test]
async fn one_that_is_tried_twice() {
    let mut bench = Bench::new();
    bench
        .run("twice", "sleep 0.3; exit 2", |spec| {
            spec["backoffLimit"] = 1.into();
        })
        .await;
    bench
        .until(|change| change.kind == Kind::Job && change.object["status"]["failed"] == 1)
        .await;
    let first = bench
        .until_pod("twice", |pod| pod["status"]["phase"] == "Failed")
        .await;
    tokio::time::pause();
    let second = bench
        .until_pod("twice", |pod| {
            pod["metadata"]["uid"] != first["metadata"]["uid"]
        })
        .await;
    tokio::time::resume();
    let times = [
        &first["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"],
        &second["metadata"]["creationTimestamp"],
    ];
    let [ended, made]: [jiff::Timestamp; 2] =
        times.map(|time| time.as_str().unwrap().parse().unwrap());
    assert!(
        (9..=11).contains(&made.duration_since(ended).as_secs()),
        "a failed pod is replaced after ten seconds"
    );
    bench.until_job("twice", "Failed").await;
    assert_story(&bench.job_story("twice"), &recorded_job("twice"));
}

#[tokio::test]
async fn one_that_restarts_in_place() {
    let mut bench = Bench::new();
    bench
        .run("retry", "exit 2", |spec| {
            spec["backoffLimit"] = 2.into();
            spec["template"]["spec"]["restartPolicy"] = "OnFailure".into();
        })
        .await;
    let looping = bench
        .until_pod("retry", |pod| state(pod) == "CrashLoopBackOff")
        .await;
    let waiting = looping["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
        .as_str()
        .unwrap();
    assert!(
        waiting.starts_with("back-off 10s restarting failed container=executor pod=retry-"),
        "{waiting}"
    );
    tokio::time::pause();
    bench
        .until_pod("retry", |pod| {
            pod["status"]["containerStatuses"][0]["restartCount"] == 2
        })
        .await;
    tokio::time::resume();
    bench.until_job("retry", "Failed").await;
    assert_story(&bench.job_story("retry"), &recorded_job("retry"));
    let mut ours = bench.events("retry");
    let mut recorded = recorded_events("retry");
    // Which of the node and the controller is first to say its last word is chance.
    ours.sort();
    recorded.sort();
    assert_story(&ours, &recorded);
}

#[tokio::test]
async fn one_that_is_suspended_and_resumed() {
    let mut bench = Bench::new();
    bench
        .run("sus", "sleep 1.5", |spec| spec["suspend"] = true.into())
        .await;
    bench.until_job("sus", "Suspended").await;
    for suspend in [false, true, false] {
        let change = kube::api::Patch::Merge(json!({"spec": {"suspend": suspend}}));
        bench
            .jobs()
            .patch("sus", &kube::api::PatchParams::default(), &change)
            .await
            .unwrap();
        bench.catch_up();
        let at = bench.seen().len();
        let stopped = |job: &serde_json::Value| {
            has_condition(job, "Suspended") && job["status"]["terminating"] == 0
        };
        loop {
            let job = bench
                .sandbox
                .store()
                .find(Kind::Job, "default", "sus")
                .unwrap();
            if if suspend {
                stopped(&job)
            } else {
                job["status"]["ready"] == 1
            } {
                break;
            }
            let seen = bench.seen().len();
            assert!(seen - at < 200);
            bench.next().await;
        }
    }
    bench.until_job("sus", "Complete").await;
    assert_story(&bench.job_story("sus"), &recorded_job("sus"));
    assert_story(&bench.pod_story("sus")[..5], &recorded_pod("sus")[..5]);
}

#[tokio::test(start_paused = true)]
async fn one_that_needs_what_the_node_has_not() {
    let mut bench = Bench::new();
    bench
        .run("gpu", "true", |spec| {
            spec["template"]["spec"]["containers"][0]["resources"] =
                json!({"limits": {"nvidia.com/gpu": "1"}});
        })
        .await;
    let pod = bench
        .until_pod("gpu", |pod| pod["status"]["conditions"].is_array())
        .await;
    assert_story(&bench.pod_story("gpu"), &recorded_pod("gpu"));
    let message = pod["status"]["conditions"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("0/1 nodes are available: 1 Insufficient nvidia.com/gpu."),
        "{message}"
    );
    let event = bench.until_event("gpu-", "FailedScheduling").await;
    assert_eq!(event["message"], message);

    // A node that gets one takes the pod.
    bench
        .sandbox
        .store()
        .modify(Kind::Node, "", "sandbox", |node| {
            node["status"]["allocatable"]["nvidia.com/gpu"] = "1".into();
        })
        .unwrap();
    bench
        .until_pod("gpu", |pod| pod["spec"]["nodeName"] == "sandbox")
        .await;
}

#[tokio::test]
async fn one_whose_config_map_comes_late() {
    let mut bench = Bench::new();
    bench
        .run("no-cm", "cat /p/x", |spec| {
            let pod = &mut spec["template"]["spec"];
            pod["volumes"] = json!([{"name": "payload", "configMap": {"name": "missing-cm"}}]);
            pod["containers"][0]["volumeMounts"] = json!([{"name": "payload", "mountPath": "/p"}]);
            pod["containers"][0]["command"] = json!(["cat", "/p/x"]);
        })
        .await;
    let event = bench.until_event("no-cm-", "FailedMount").await;
    assert_eq!(
        event["message"],
        r#"MountVolume.SetUp failed for volume "payload" : configmap "missing-cm" not found"#
    );
    let pod = bench
        .until_pod("no-cm", |pod| state(pod) == "ContainerCreating")
        .await;
    let logs: kube::Api<k8s_openapi::api::core::v1::Pod> =
        kube::Api::default_namespaced(bench.client.clone());
    let name = pod["metadata"]["name"].as_str().unwrap();
    let refused = logs
        .logs(name, &kube::api::LogParams::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains(&format!(
            r#"container "executor" in pod "{name}" is waiting to start: ContainerCreating"#
        )),
        "{refused}"
    );
    let map =
        json!({"metadata": {"namespace": "default", "name": "missing-cm"}, "data": {"x": "hello"}});
    bench.sandbox.store().create(Kind::ConfigMap, map).unwrap();
    bench.until_job("no-cm", "Complete").await;
    assert_eq!(
        logs.logs(name, &kube::api::LogParams::default())
            .await
            .unwrap(),
        "hello"
    );
}
