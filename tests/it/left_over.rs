//! What is done with runs that are over: left-over objects, two runs side by side, the export, the command on an event.

use crate::support::ground::Ground;
use llmctl_dev::sandbox::kinds::Kind;
use serde_json::{Value, json};

/// W19: a dispatch removed every Job that was older than its time to live, whoever had made it.
#[tokio::test(flavor = "multi_thread")]
async fn w19_a_dispatch_removes_nothing_of_anybody() {
    let ground = Ground::since(jiff::SignedDuration::from_hours(1)).await;
    let hello = ground.say("run hello --wait -o json").await.unwrap();
    let older = hello.ended(0).json()["job"].as_str().unwrap().to_owned();
    let ended = ground.sandbox.clock().now() - jiff::SignedDuration::from_hours(20);
    // Of Studio, and for long over.
    let store = ground.sandbox.store();
    store
        .modify(Kind::Job, "llmctl", &older, |job| {
            let labels = job["metadata"]["labels"].as_object_mut().unwrap();
            labels.remove("app.kubernetes.io/managed-by");
            let spec = job["spec"].as_object_mut().unwrap();
            spec.remove("ttlSecondsAfterFinished");
            job["status"]["completionTime"] = ended.to_string().into();
        })
        .unwrap();
    let next = ground.say("run hello --wait -o json").await.unwrap();
    next.ended(0);
    let names: Vec<Value> = ground
        .objects(Kind::Job)
        .iter()
        .map(|job| job["metadata"]["name"].clone())
        .collect();
    assert!(names.contains(&json!(older)), "{names:?}");
    let payloads = ground.objects(Kind::ConfigMap);
    let payloads = payloads
        .iter()
        .filter(|one| one["metadata"]["labels"]["llmctl.payload"] == "true");
    assert_eq!(payloads.count(), names.len());
    ground.sandbox.stop().await;
}

/// W20: the payload of a killed dispatcher, with the prompts inside, stays for ever.
#[tokio::test(flavor = "multi_thread")]
async fn w20_what_runs_left_behind_is_found_and_removed() {
    // What is made in it was made an hour ago.
    let ground = Ground::since(jiff::SignedDuration::from_hours(1)).await;
    let empty = ground.say("runs prune").await.unwrap();
    assert!(
        empty.ended(0).out.contains("nothing is left over"),
        "{empty:?}"
    );

    let hello = ground.say("run hello --wait -o json").await.unwrap();
    let job = hello.ended(0).json()["job"].as_str().unwrap().to_owned();
    let labels = json!({"llmctl.executor": "true", "llmctl.payload": "true"});
    let leaked = json!({"metadata": {"name": "llmctl-exec-9-9-task-none-0-payload", "namespace": "llmctl", "labels": labels},
        "data": {"payload.json": "{}"}});
    ground
        .sandbox
        .store()
        .create(Kind::ConfigMap, leaked)
        .unwrap();
    ground
        .sandbox
        .store()
        .modify(Kind::Job, "llmctl", &job, |job| {
            job["spec"]
                .as_object_mut()
                .unwrap()
                .remove("ttlSecondsAfterFinished");
        })
        .unwrap();

    let listed = ground.say("runs prune --dry-run -o json").await.unwrap();
    let listed = listed.ended(0).json();
    let found: Vec<(&Value, &Value)> = listed["orphans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["kind"], &one["why"]))
        .collect();
    let expected = [
        (&json!("Job"), &json!("no_ttl")),
        (&json!("ConfigMap"), &json!("payload_without_job")),
    ];
    assert_eq!(found, expected, "{listed:#}");
    assert_eq!(listed["removed"], Value::Null);

    // Nobody is there who could be asked.
    let asked = ground.say("runs prune").await.unwrap();
    assert!(asked.ended(2).err.contains("--yes"), "{asked:?}");
    assert_eq!(ground.objects(Kind::Job).len(), 1);

    let pruned = ground.say("runs prune --yes -o json").await.unwrap();
    assert_eq!(
        pruned.ended(0).json()["removed"].as_array().unwrap().len(),
        2
    );
    let shown = ground
        .say(&format!("runs show {job} -o json"))
        .await
        .unwrap();
    let shown = shown.ended(0).json();
    assert_eq!(shown["ttl"]["removed_by"], "you", "{shown:#}");
    ground
        .until("nothing is left", || {
            let payloads = ground
                .objects(Kind::ConfigMap)
                .into_iter()
                .filter(|one| one["metadata"]["labels"]["llmctl.payload"] == "true");
            (ground.objects(Kind::Job).is_empty() && payloads.count() == 0).then_some(())
        })
        .await;
    ground.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_are_compared_exported_and_told_of() {
    let ground = Ground::new().await;
    ground
        .home
        .write("tell.sh", "printf '%s %s %s\\n' \"$LLMCTL_EVENT\" \"$LLMCTL_EVENT_RUN\" \"$LLMCTL_EVENT_VERDICT\" >> told\n");
    let home = std::sync::Arc::clone(&ground.home);
    let told = tokio::task::spawn_blocking(move || {
        for (sample, code) in [("hello", 0), ("hello", 0), ("fail", 1)] {
            home.run(&["--on-event", ". ./tell.sh", "run", sample, "--wait"])
                .ended(code);
        }
        std::fs::read_to_string(home.path().join("told")).unwrap()
    });
    assert_eq!(
        told.await.unwrap(),
        "ended 1 success\nended 2 success\nended 3 failed\n"
    );

    let same = ground.say("runs diff 1 2 -o json").await.unwrap();
    let same = same.ended(0).json();
    assert_eq!(same["same"], true, "{same:#}");
    assert_eq!(same["log"].as_array().unwrap().len(), 3);
    let other = ground.say("runs diff 2 3").await.unwrap();
    let out = &other.ended(1).out;
    assert!(out.contains("- from an executor pod"), "{out}");
    assert!(
        out.lines()
            .any(|line| line.contains("verdict") && line.contains("≠")),
        "{out}"
    );

    let exported = ground.say("runs export --logs").await.unwrap();
    let documents: Vec<Value> = exported
        .ended(0)
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let runs: Vec<&Value> = documents.iter().map(|one| &one["run"]).collect();
    assert_eq!(runs, [&json!("1"), &json!("2"), &json!("3")]);
    assert_eq!(documents[0]["lines"].as_array().unwrap().len(), 6);
    assert_eq!(documents[0]["lines"][2]["text"], "hello");
    ground.sandbox.stop().await;
}
