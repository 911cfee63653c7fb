//! What waits for time, or for something that is missing: on the paused clock.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use llmctl_dev::sandbox::kinds::Kind;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::bench::{Bench, state};

#[tokio::test]
async fn a_ttl_counts_from_the_end_and_may_be_changed_while_it_counts() {
    let mut bench = Bench::new();
    bench
        .run("ttl", "true", |spec| {
            spec["ttlSecondsAfterFinished"] = 60.into();
        })
        .await;
    let done = bench.until_job("ttl", "Complete").await;
    tokio::time::pause();
    let end: jiff::Timestamp = done["status"]["completionTime"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    tokio::time::advance(Duration::from_secs(50)).await;
    let longer = Patch::Merge(json!({"spec": {"ttlSecondsAfterFinished": 600}}));
    bench
        .jobs()
        .patch("ttl", &PatchParams::default(), &longer)
        .await
        .unwrap();
    bench.until_gone(Kind::Job, "ttl").await;
    assert_eq!(
        bench.sandbox.clock().now().duration_since(end).as_secs(),
        600
    );
    let marked = bench.seen().iter().find(|one| {
        one.kind == Kind::Job && one.object["metadata"]["deletionTimestamp"].is_string()
    });
    assert_eq!(
        marked.unwrap().object["metadata"]["finalizers"],
        json!(["foregroundDeletion"])
    );
}

#[tokio::test(start_paused = true)]
async fn a_pull_is_tried_again_after_a_growing_time() {
    let mut bench = Bench::new();
    bench
        .run("far", "", |spec| {
            spec["template"]["spec"]["containers"][0]["image"] = "registry.invalid/far:1".into();
            spec["template"]["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent".into();
        })
        .await;
    let mut before = None;
    let mut waits = Vec::new();
    for count in 1..=7 {
        bench
            .until(|one| {
                one.kind == Kind::Event
                    && one.object["reason"] == "Pulling"
                    && one.object["count"] == count
            })
            .await;
        let now = Instant::now();
        waits.extend(before.map(|before: Instant| now.duration_since(before).as_secs()));
        before = Some(now);
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 300]);
    let pod = bench
        .until_pod("far", |pod| state(pod) == "ImagePullBackOff")
        .await;
    let message = pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
        .as_str()
        .unwrap();
    assert!(message.starts_with(r#"Back-off pulling image "registry.invalid/far:1": ErrImagePull: rpc error: code = NotFound"#), "{message}");
}

#[tokio::test]
async fn a_first_pull_takes_a_while_and_the_next_none() {
    let mut bench = Bench::new();
    for name in ["first", "second"] {
        bench
            .run(name, "true", |spec| {
                spec["template"]["spec"]["containers"][0]["imagePullPolicy"] =
                    "IfNotPresent".into();
            })
            .await;
        bench.until_job(name, "Complete").await;
    }
    let reasons = |events: Vec<String>| -> Vec<String> {
        events
            .into_iter()
            .filter(|one| one.contains("Pull"))
            .collect()
    };
    assert_eq!(
        reasons(bench.events("first")),
        ["Pod Normal Pulling", "Pod Normal Pulled"]
    );
    assert_eq!(reasons(bench.events("second")), ["Pod Normal Pulled"]);
    let pulled = bench.until_event("first-", "Pulled").await;
    assert!(
        pulled["message"]
            .as_str()
            .unwrap()
            .starts_with("Successfully pulled image"),
        "{pulled}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_account_holds_the_pod_up() {
    let mut bench = Bench::new();
    bench
        .run("no-sa", "true", |spec| {
            spec["template"]["spec"]["serviceAccountName"] = "nosuch".into();
        })
        .await;
    let refused = bench.until_event("no-sa", "FailedCreate").await;
    assert_eq!(
        refused["message"],
        r#"Error creating: pods "no-sa-" is forbidden: error looking up service account default/nosuch: serviceaccount "nosuch" not found"#
    );
    let start = Instant::now();
    bench
        .until(|one| {
            one.kind == Kind::Event
                && one.object["reason"] == "FailedCreate"
                && one.object["count"] == 5
        })
        .await;
    assert_eq!(start.elapsed().as_secs(), 1 + 2 + 4 + 8);
    let account = json!({"metadata": {"namespace": "default", "name": "nosuch"}});
    bench
        .sandbox
        .store()
        .create(Kind::ServiceAccount, account)
        .unwrap();
    bench.until_pod("no-sa", |_| true).await;
}

#[tokio::test(start_paused = true)]
async fn missing_volumes_and_variables_are_named() {
    let mut bench = Bench::new();
    let cases: [(&str, Value, &str, &str); 3] = [
        (
            "host",
            json!({"hostPath": {"path": "/nonexistent/x", "type": "Directory"}}),
            "FailedMount",
            r#"MountVolume.SetUp failed for volume "v" : hostPath type check failed: /nonexistent/x is not a directory"#,
        ),
        (
            "secret",
            json!({"secret": {"secretName": "missing"}}),
            "FailedMount",
            r#"MountVolume.SetUp failed for volume "v" : secret "missing" not found"#,
        ),
        (
            "env",
            Value::Null,
            "Failed",
            r#"Error: configmap "missing" not found"#,
        ),
    ];
    for (name, volume, reason, message) in cases {
        bench
            .run(name, "true", |spec| {
                let pod = &mut spec["template"]["spec"];
                if volume.is_null() {
                    pod["containers"][0]["envFrom"] =
                        json!([{"configMapRef": {"name": "missing"}}]);
                } else {
                    pod["volumes"] = json!([volume]);
                    pod["volumes"][0]["name"] = "v".into();
                }
            })
            .await;
        let event = bench.until_event(&format!("{name}-"), reason).await;
        assert_eq!(event["message"], message);
    }
    bench
        .until_pod("env", |pod| state(pod) == "CreateContainerConfigError")
        .await;
}

#[tokio::test(start_paused = true)]
async fn events_are_forgotten_after_an_hour_of_silence() {
    let mut bench = Bench::new();
    bench
        .run("gpu", "", |spec| {
            spec["template"]["spec"]["containers"][0]["resources"] =
                json!({"limits": {"nvidia.com/gpu": "1"}});
        })
        .await;
    let event = bench.until_event("gpu-", "FailedScheduling").await;
    let start = Instant::now();
    bench
        .until_gone(Kind::Event, event["metadata"]["name"].as_str().unwrap())
        .await;
    assert!((3599..=3601).contains(&start.elapsed().as_secs()));
    assert!(bench.sandbox.store().list(Kind::Event, None).1.is_empty());
}
