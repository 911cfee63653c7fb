//! `run --wait` ends in every case, with its exit code and its document: the real program on a served sandbox whose faults
//! are switched in the middle of a run.

use crate::support::ground::Ground;
use llmctl_dev::sandbox::kinds::Kind;
use llmctl_dev::sandbox::store::{DeleteOptions, Propagation};
use serde_json::{Value, json};
use std::time::Duration;

#[track_caller]
fn is(document: &Value, parts: &Value) {
    for (key, expected) in parts.as_object().unwrap() {
        assert_eq!(&document[key], expected, "{key}: {document:#}");
    }
}

/// 1 to 4: what the executor itself says.
#[tokio::test(flavor = "multi_thread")]
async fn as_the_executor_says() {
    let rows = [
        (
            "hello",
            0,
            json!({"verdict": "success", "uncertain": false, "kubernetes": "complete"}),
        ),
        (
            "fail",
            1,
            json!({"verdict": "failed", "uncertain": false, "kubernetes": "failed"}),
        ),
        ("short --timeout 5", 0, json!({"verdict": "success"})),
        ("slow --timeout 5", 6, json!({"verdict": "timeout"})),
        (
            "crash",
            8,
            json!({"verdict": "uncertain", "uncertain": true, "executor": null}),
        ),
    ];
    let all = rows.map(|(what, code, parts)| {
        tokio::spawn(async move {
            let ground = Ground::new().await;
            let ran = ground.say(&format!("run {what} --wait -o json"));
            is(&ground.ends(ran, code).await, &parts);
        })
    });
    for one in all {
        one.await.unwrap();
    }
}

/// 5: somebody cancels it from another program.
#[tokio::test(flavor = "multi_thread")]
async fn w15_cancelled_it_ends_in_the_cluster_and_not_only_here() {
    let ground = Ground::new().await;
    let ran = ground.say("run slow --wait -o json");
    ground.started().await;
    let cancel = ground.say("runs cancel last --grace 5").await.unwrap();
    assert!(
        cancel.ended(0).err.contains("ended with exit code"),
        "{cancel:?}"
    );
    let job = &ground.objects(Kind::Job)[0];
    let conditions = job["status"]["conditions"].as_array().unwrap();
    assert!(conditions.iter().any(|c| c["type"] == "Failed"), "{job:#}");
    let pods = ground.objects(Kind::Pod);
    assert!(pods.iter().all(|pod| pod["status"]["phase"] != "Running"));
    let document = ground.ends(ran, 1).await;
    is(
        &document,
        &json!({"verdict": "cancelled", "uncertain": false}),
    );
    assert_eq!(document["executor"]["status"], "cancelled");
}

/// 6: it ended and its TTL removed it while the API server was away.
#[tokio::test(flavor = "multi_thread")]
async fn its_ttl_fired_before_it_was_read() {
    let ground = Ground::new().await;
    let ran = ground.say("run short --wait -o json");
    ground.started().await;
    let job = ground.job();
    ground.sandbox.faults().api_down(Duration::from_hours(1));
    let store = ground.sandbox.store();
    store
        .modify(Kind::Job, "llmctl", &job, |job| {
            job["spec"]["ttlSecondsAfterFinished"] = 0.into();
        })
        .unwrap();
    ground
        .until("the TTL", || {
            ground.objects(Kind::Job).is_empty().then_some(())
        })
        .await;
    ground.sandbox.faults().api_up();
    let document = ground.ends(ran, 7).await;
    is(
        &document,
        &json!({"verdict": "gone", "kubernetes": "gone", "phase": "removed"}),
    );
}

/// 7: somebody deletes the Job, and its pods with it.
#[tokio::test(flavor = "multi_thread")]
async fn deleted_by_somebody() {
    let ground = Ground::new().await;
    let ran = ground.say("run slow --wait -o json");
    ground.started().await;
    let options = DeleteOptions {
        propagation: Some(Propagation::Background),
        ..DeleteOptions::default()
    };
    let job = ground.job();
    let store = ground.sandbox.store();
    store.delete(Kind::Job, "llmctl", &job, &options).unwrap();
    let document = ground.ends(ran, 1).await;
    is(
        &document,
        &json!({"phase": "removed", "verdict": "cancelled"}),
    );
    assert_eq!(document["ttl"]["removed_by"], "someone_else");
}

/// 8: the node evicts the pod.
#[tokio::test(flavor = "multi_thread")]
async fn evicted() {
    let ground = Ground::new().await;
    let ran = ground.say("run slow --wait -o json");
    let pod = ground.started().await;
    // What a kubelet under pressure writes; it ends the container by force before.
    let store = ground.sandbox.store();
    store
        .modify(Kind::Pod, "llmctl", &pod, |pod| {
            let status = &mut pod["status"];
            status["phase"] = "Failed".into();
            status["reason"] = "Evicted".into();
            status["message"] = "The node was low on resource: memory.".into();
        })
        .unwrap();
    let document = ground.ends(ran, 8).await;
    is(
        &document,
        &json!({"verdict": "uncertain", "uncertain": true}),
    );
    assert_eq!(document["reason"]["word"], "Evicted", "{document:#}");
}

/// 9: the node is gone, and what runs there with it.
#[tokio::test(flavor = "multi_thread")]
async fn its_node_is_gone() {
    let ground = Ground::new().await;
    let ran = ground.say("run slow --wait -o json");
    let pod = ground.started().await;
    let store = ground.sandbox.store();
    let now = DeleteOptions {
        grace: Some(0),
        ..DeleteOptions::default()
    };
    // Nothing is heard of it first: a node that still lives would end the container, and its last words would be read.
    ground
        .sandbox
        .faults()
        .silence_node(Duration::from_hours(1));
    store.delete(Kind::Node, "", "sandbox", &now).unwrap();
    // As the collector of pods does when their node is gone.
    store.delete(Kind::Pod, "llmctl", &pod, &now).unwrap();
    let document = ground.ends(ran, 8).await;
    is(
        &document,
        &json!({"verdict": "uncertain", "uncertain": true}),
    );
}

/// 10: the API server goes away and stays away.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_gone_for_longer_than_was_allowed() {
    let ground = Ground::new().await;
    let ran = ground.say("run slow --wait --unreachable-timeout 2 -o json");
    ground.started().await;
    ground.sandbox.faults().api_down(Duration::from_hours(1));
    let document = ground.ends(ran, 8).await;
    is(
        &document,
        &json!({"verdict": "uncertain", "uncertain": true}),
    );
    let why = document["why"]["sentence"].as_str().unwrap();
    assert!(why.contains("out of reach for 2 s"), "{why}");
}

/// 11: every watch is closed, again and again, and what happened before is forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn watches_are_closed_under_it() {
    let ground = Ground::new().await;
    let ran = ground.say("run short --wait -o json");
    ground.started().await;
    for _ in 0..4 {
        ground.sandbox.faults().drop_watches();
        ground.sandbox.store().compact();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let document = ground.ends(ran, 0).await;
    is(&document, &json!({"verdict": "success"}));
    assert_eq!(document["log"]["lines"], 7, "{document:#}");
}

/// 12: the kernel kills it for its memory.
#[tokio::test(flavor = "multi_thread")]
async fn out_of_memory() {
    let ground = Ground::new().await;
    let ran = ground.say("run slow --wait -o json");
    ground.started().await;
    let uid = ground.objects(Kind::Pod)[0]["metadata"]["uid"].clone();
    ground.sandbox.run_out_of_memory(uid.as_str().unwrap());
    let document = ground.ends(ran, 8).await;
    is(
        &document,
        &json!({"verdict": "uncertain", "uncertain": true}),
    );
    assert_eq!(document["reason"]["word"], "OOMKilled", "{document:#}");
}

/// 13: it never starts, and the person's own limit ends the wait.
#[tokio::test(flavor = "multi_thread")]
async fn it_never_starts() {
    let ground = Ground::new().await;
    let ran = ground.say("run bad-image --wait --wait-timeout 3 -o json");
    let document = ground.ends(ran, 6).await;
    is(
        &document,
        &json!({"verdict": "pending", "phase": "pending", "exit": null}),
    );
}

/// 14: it never starts, and its dispatch clock ends it; what it was is there until its TTL. One that started is left alone by that clock.
#[tokio::test(flavor = "multi_thread")]
async fn w1_w17_the_dispatch_clock_ends_what_never_started_and_keeps_its_evidence() {
    let ground = Ground::new().await;
    ground.home.write(
        "config/llmctl-dev/executor.toml",
        "dispatch_timeout_seconds = 5\nlog_collection_timeout_seconds = 2\n",
    );
    let long = ground.say("run slow --timeout 8 --wait -o json");
    let ran = ground.say("run bad-image --wait -o json").await.unwrap();
    let document = ran.ended(6).json();
    is(
        &document,
        &json!({"verdict": "timeout", "uncertain": false, "phase": "retained", "exit": 6}),
    );
    let why = document["why"]["sentence"].as_str().unwrap();
    assert!(why.contains("dispatch time-out of 5 s"), "{why}");
    assert!(why.contains("cannot be pulled"), "{why}");
    assert!(ran.err.contains("was given up"), "{ran:?}");
    let jobs = ground.objects(Kind::Job);
    let there = |name: &Value| jobs.iter().any(|job| job["metadata"]["name"] == *name);
    assert!(there(&document["job"]), "{document:#}");

    let document = ground.ends(long, 6).await;
    // Its own deadline ended it, and it could still say so.
    assert_eq!(document["verdict"], "timeout", "{document:#}");
    assert!(document["executor"].is_object(), "{document:#}");
}
