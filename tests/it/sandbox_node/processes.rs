//! Containers as real processes: the executor, logs, signals, and nothing left behind.

use std::time::Duration;

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use llmctl_dev::sandbox::kinds::Kind;
use llmctl_dev::sandbox::store::DeleteOptions;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::bench::{Bench, IMAGE, state};

fn pods(bench: &Bench) -> Api<Pod> {
    Api::default_namespaced(bench.client.clone())
}

fn name(pod: &std::sync::Arc<Value>) -> String {
    pod["metadata"]["name"].as_str().unwrap().to_owned()
}

/// Processes of this machine whose environment holds the text.
fn processes_with(text: &str) -> usize {
    let Ok(all) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let holds = |path: std::path::PathBuf| {
        std::fs::read(path.join("environ")).is_ok_and(|environment| {
            environment
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        })
    };
    all.flatten().filter(|entry| holds(entry.path())).count()
}

#[tokio::test]
async fn a_payload_runs_in_places_of_its_own() {
    let mut bench = Bench::new();
    let payload = json!({
        "contract_version": "v1", "result_contract_version": "v1", "provider": "kubernetes", "request_id": "r",
        "shell_command": "pwd; echo \"$DATA\"; mkdir -p \"$DATA\"; cat ../../payload/payload.json > /dev/null && echo mounted; env | sort > \"$DATA/env\"; cat \"$DATA/env\"",
        "cwd": "/tmp/llmctl/runtime/exec-1", "env": {"DATA": "/tmp/llmctl/runtime/exec-1/data"},
    });
    let map = json!({"metadata": {"namespace": "default", "name": "run-payload"}, "data": {"payload.json": payload.to_string()}});
    bench.sandbox.store().create(Kind::ConfigMap, map).unwrap();
    bench
        .run("run", "", |spec| {
            let pod = &mut spec["template"]["spec"];
            pod["volumes"] = json!([
                {"name": "payload", "configMap": {"name": "run-payload", "items": [{"key": "payload.json", "path": "payload.json"}]}},
                {"name": "runtime", "emptyDir": {}},
            ]);
            pod["containers"] = json!([{
                "name": "executor", "image": IMAGE,
                "env": [{"name": "LLMCTL_EXECUTOR_PAYLOAD_FILE", "value": "/tmp/llmctl/payload/payload.json"}],
                "volumeMounts": [
                    {"name": "payload", "mountPath": "/tmp/llmctl/payload", "readOnly": true},
                    {"name": "runtime", "mountPath": "/tmp/llmctl/runtime"},
                ],
            }]);
        })
        .await;
    bench.until_job("run", "Complete").await;
    let pod = name(&bench.until_pod("run", |_| true).await);
    let log = pods(&bench)
        .logs(&pod, &LogParams::default())
        .await
        .unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[0], "LLMCTL_EXECUTOR_STARTED");
    let result: Value = serde_json::from_str(
        lines
            .last()
            .unwrap()
            .strip_prefix("LLMCTL_EXECUTOR_RESULT_JSON=")
            .unwrap(),
    )
    .unwrap();
    assert_eq!(
        (&result["status"], &result["exit_code"]),
        (&json!("success"), &json!(0))
    );
    assert!(log.contains("/tmp/llmctl/runtime/exec-1/data\n"), "{log}");
    assert!(lines.contains(&"LLMCTL_EXECUTOR_FLAVOR=frontier"), "{log}");
    assert!(
        !lines.iter().any(|line| line.starts_with("CARGO")),
        "nothing of the developer's own environment: {log}"
    );
    // A real directory of this name would be shared by all runs.
    assert!(!log.contains("DATA=/tmp/llmctl/"), "{log}");
}

#[tokio::test]
async fn a_followed_log_is_whole_and_ends() {
    let mut bench = Bench::new();
    bench
        .run(
            "follow",
            "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.2; done; echo end >&2",
            |_| {},
        )
        .await;
    let pod = name(
        &bench
            .until_pod("follow", |pod| state(pod) == "running")
            .await,
    );
    let follow = LogParams {
        follow: true,
        timestamps: true,
        ..LogParams::default()
    };
    let lines = pods(&bench)
        .log_stream(&pod, &follow)
        .await
        .unwrap()
        .lines();
    let lines: Vec<String> = timeout(Duration::from_mins(1), lines.try_collect())
        .await
        .expect("it ends by itself")
        .unwrap();
    let texts: Vec<&str> = lines
        .iter()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(
        texts,
        [
            "line 1", "line 2", "line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "end"
        ]
    );
    let times: Vec<jiff::Timestamp> = lines
        .iter()
        .map(|line| line.split_once(' ').unwrap().0.parse().unwrap())
        .collect();
    assert!(times.is_sorted());
    assert!(times[7].duration_since(times[0]).as_millis() >= 1300);
    let tail = LogParams {
        tail_lines: Some(2),
        ..LogParams::default()
    };
    assert_eq!(
        pods(&bench).logs(&pod, &tail).await.unwrap(),
        "line 8\nend\n"
    );
}

#[tokio::test]
async fn a_follow_ends_when_the_pod_is_taken_away() {
    let mut bench = Bench::new();
    bench.run("taken", "echo here; sleep 1000", |_| {}).await;
    let pod = name(
        &bench
            .until_pod("taken", |pod| state(pod) == "running")
            .await,
    );
    let follow = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let mut lines = pods(&bench)
        .log_stream(&pod, &follow)
        .await
        .unwrap()
        .lines();
    assert_eq!(lines.try_next().await.unwrap().unwrap(), "here");
    bench
        .sandbox
        .store()
        .remove(Kind::Pod, "default", &pod)
        .unwrap();
    let rest: Vec<String> = timeout(Duration::from_mins(1), lines.try_collect())
        .await
        .expect("it ends")
        .unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_request_to_end_is_heard_before_the_grace_period_is_over() {
    let mut bench = Bench::new();
    let script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    bench
        .run("polite", script, |spec| {
            spec["template"]["spec"]["terminationGracePeriodSeconds"] = 60.into();
        })
        .await;
    let pod = name(
        &bench
            .until_pod("polite", |pod| state(pod) == "running")
            .await,
    );
    let follow = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let mut lines = pods(&bench)
        .log_stream(&pod, &follow)
        .await
        .unwrap()
        .lines();
    assert_eq!(lines.try_next().await.unwrap().unwrap(), "ready");
    let start = Instant::now();
    bench
        .sandbox
        .store()
        .delete(Kind::Pod, "default", &pod, &DeleteOptions::default())
        .unwrap();
    let rest: Vec<String> = lines.try_collect().await.unwrap();
    assert_eq!(rest.last().unwrap(), "bye");
    let end = bench
        .until_pod("polite", |pod| state(pod) == "Completed")
        .await;
    assert_eq!(end["status"]["phase"], "Succeeded");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn out_of_memory_is_said() {
    let mut bench = Bench::new();
    bench.run("hungry", "sleep 1000", |_| {}).await;
    let pod = bench
        .until_pod("hungry", |pod| state(pod) == "running")
        .await;
    bench
        .sandbox
        .run_out_of_memory(pod["metadata"]["uid"].as_str().unwrap());
    bench.until_job("hungry", "Failed").await;
    let ended = bench
        .until_pod("hungry", |pod| state(pod) == "OOMKilled")
        .await;
    assert_eq!(
        ended["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"],
        137
    );
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said() {
    let mut bench = Bench::new();
    bench
        .run("nocmd", "", |spec| {
            spec["template"]["spec"]["containers"][0]["command"] = json!(["nosuchprogram"]);
        })
        .await;
    bench.until_job("nocmd", "Failed").await;
    let ended = bench
        .until_pod("nocmd", |pod| state(pod) == "StartError")
        .await;
    let terminated = &ended["status"]["containerStatuses"][0]["state"]["terminated"];
    assert_eq!(terminated["exitCode"], 128);
    assert!(
        terminated["message"]
            .as_str()
            .unwrap()
            .ends_with(r#"exec: "nosuchprogram": executable file not found in $PATH: unknown"#)
    );
    let mut events = [
        bench.events("nocmd"),
        super::story::recorded_events("nocmd"),
    ];
    for all in &mut events {
        all[..2].sort();
    }
    assert_eq!(events[0], events[1]);
}

/// Pods that hide their processes from a group kill, ready to be left behind; gives a text of their environment.
async fn runaways(bench: &mut Bench, test: &str) -> String {
    let mark = format!("{test}-{}", std::process::id());
    let script = "setsid sleep 1000 & (setsid sh -c 'sleep 1000; true' &) ; echo ready; sleep 1000";
    for number in 0..3 {
        bench
            .run(&format!("run-{number}"), script, |spec| {
                spec["template"]["spec"]["containers"][0]["env"] =
                    json!([{"name": "MARK", "value": mark}]);
            })
            .await;
        bench.until_first_line(&format!("run-{number}")).await;
    }
    let text = format!("MARK={mark}");
    assert!(processes_with(&text) >= 3);
    text
}

#[tokio::test]
async fn stopping_leaves_nothing() {
    let mut bench = Bench::new();
    let text = runaways(&mut bench, "stopping-leaves-nothing").await;
    timeout(Duration::from_secs(30), bench.sandbox.stop())
        .await
        .expect("it stops");
    assert_eq!(processes_with(&text), 0);
}

#[test]
fn a_runtime_that_ends_leaves_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (text, bench) = runtime.block_on(async {
        let mut bench = Bench::new();
        (runaways(&mut bench, "a-runtime-that-ends").await, bench)
    });
    drop(runtime);
    assert_eq!(processes_with(&text), 0);
    drop(bench);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_pods_run_at_once() {
    let mut bench = Bench::new();
    for number in 0..100 {
        bench
            .run(
                &format!("many-{number}"),
                "echo out; sleep 1; echo done",
                |_| {},
            )
            .await;
    }
    let mut slowest = Duration::ZERO;
    for number in 0..100 {
        bench.until_job(&format!("many-{number}"), "Complete").await;
        let start = Instant::now();
        pods(&bench)
            .list(&kube::api::ListParams::default())
            .await
            .unwrap();
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    let all = pods(&bench)
        .list(&kube::api::ListParams::default())
        .await
        .unwrap();
    assert_eq!(all.items.len(), 100);
}
