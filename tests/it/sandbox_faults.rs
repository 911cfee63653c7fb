//! Faults on demand: each has its effect, is told while it lasts, and passes. The worst one is the end of the sandbox.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, Node, Pod};
use kube::api::{Api, ListParams, PostParams, WatchEvent, WatchParams};
use kube::{Client, Error};
use llmctl_dev::sandbox::faults::{Fault, Faults, Refusal};
use llmctl_dev::sandbox::{Config, Sandbox};
use serde_json::{Value, json};
use tokio::time::{Instant, advance, timeout};

/// Longer than anything here takes; on a paused clock it costs nothing.
const PATIENCE: Duration = Duration::from_hours(1);

fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::start(Config {
        executor: vec!["/bin/false".into()],
        base: "2026-11-24T08:00:00Z".parse().unwrap(),
        faults: Faults::default(),
    })
    .unwrap();
    let client = Client::new(sandbox.service(), "default");
    (sandbox, client)
}

fn on(sandbox: &Sandbox) -> String {
    sandbox.faults().on().0.join(", ")
}

fn code<T>(result: Result<T, Error>) -> u16 {
    match result {
        Ok(_) => 200,
        Err(Error::Api(status)) => status.code,
        Err(_) => 0,
    }
}

async fn run(client: &Client, name: &str, policy: &str, script: &str) -> Api<Pod> {
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let pod = json!({"metadata": {"name": name}, "spec": {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "executor", "image": "llmctl-executor-frontier:dev", "imagePullPolicy": policy,
            "command": ["sh", "-c", script]}],
    }});
    let pod = serde_json::from_value(pod).unwrap();
    // The account of a new namespace takes a moment.
    while let Err(refused) = pods.create(&PostParams::default(), &pod).await {
        assert!(refused.to_string().contains("service account"), "{refused}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    pods
}

/// Waits for a pod that fits, as a value.
async fn until(
    sandbox: &Sandbox,
    pods: &Api<Pod>,
    name: &str,
    fits: impl Fn(&Value) -> bool,
) -> Value {
    let mut changes = sandbox.store().changes();
    let wait = async {
        loop {
            let pod = serde_json::to_value(pods.get(name).await.unwrap()).unwrap();
            if fits(&pod) {
                return pod;
            }
            changes.next().await.unwrap();
        }
    };
    timeout(PATIENCE, wait).await.expect("it never came")
}

fn ready(node: &Node) -> (String, String) {
    let conditions = node.status.as_ref().unwrap().conditions.as_ref().unwrap();
    let ready = conditions.iter().find(|one| one.type_ == "Ready").unwrap();
    (
        ready.status.clone(),
        ready.reason.clone().unwrap_or_default(),
    )
}

#[tokio::test(start_paused = true)]
async fn the_api_goes_down_and_comes_back() {
    let (sandbox, client) = sandbox();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    sandbox.inject(Fault::ApiDown(Duration::from_secs(30)));
    assert_eq!(on(&sandbox), "API down");
    assert_eq!(code(maps.list(&ListParams::default()).await), 0);
    advance(Duration::from_secs(31)).await;
    assert_eq!(on(&sandbox), "");
    assert_eq!(code(maps.list(&ListParams::default()).await), 200);
}

#[tokio::test(start_paused = true)]
async fn answers_come_late() {
    let (sandbox, client) = sandbox();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    sandbox.inject(Fault::Slow(Duration::from_secs(2)));
    assert_eq!(on(&sandbox), "answers 2 s late");
    let begun = Instant::now();
    maps.list(&ListParams::default()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2));
    sandbox.inject(Fault::Slow(Duration::ZERO));
    assert_eq!(on(&sandbox), "");
}

#[tokio::test]
async fn requests_are_refused_as_often_as_asked() {
    let (sandbox, client) = sandbox();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    for (refusal, expected) in [
        (Refusal::InternalError, 500),
        (Refusal::TooManyRequests(2), 429),
        (Refusal::Unavailable(2), 503),
    ] {
        sandbox.inject(Fault::Refuse(refusal, 2));
        assert_eq!(on(&sandbox), format!("{expected} for 2 requests"));
        assert_eq!(code(maps.get_opt("x").await), expected);
        assert_eq!(on(&sandbox), format!("{expected} for 1 requests"));
        assert_eq!(code(maps.get_opt("x").await), expected);
        assert_eq!(code(maps.get_opt("x").await), 200);
        assert_eq!(on(&sandbox), "");
    }
}

#[tokio::test]
async fn watches_end_without_a_word_and_old_versions_are_gone() {
    let (sandbox, client) = sandbox();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let version = maps.list(&ListParams::default()).await.unwrap();
    let version = version.metadata.resource_version.unwrap();
    let events = maps.watch(&WatchParams::default(), &version).await.unwrap();
    sandbox.inject(Fault::DropWatches);
    let events: Vec<WatchEvent<ConfigMap>> = timeout(PATIENCE, events.try_collect())
        .await
        .expect("an end")
        .unwrap();
    let bookmarks = events
        .iter()
        .filter(|event| matches!(event, WatchEvent::Bookmark(_)));
    assert_eq!(bookmarks.count(), 0);

    let made = serde_json::from_value(json!({"metadata": {"name": "x"}})).unwrap();
    maps.create(&PostParams::default(), &made).await.unwrap();
    sandbox.inject(Fault::CompactHistory);
    let events = maps.watch(&WatchParams::default(), &version).await.unwrap();
    let first = events.boxed().try_next().await.unwrap().unwrap();
    assert!(matches!(first, WatchEvent::Error(status) if status.code == 410));
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_off() {
    let (sandbox, client) = sandbox();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    sandbox.inject(Fault::Clock(jiff::SignedDuration::from_hours(1)));
    assert_eq!(on(&sandbox), "clock +3600 s");
    let made = serde_json::from_value(json!({"metadata": {"name": "x"}})).unwrap();
    let made = maps.create(&PostParams::default(), &made).await.unwrap();
    let made = serde_json::to_value(made).unwrap();
    assert_eq!(
        made["metadata"]["creationTimestamp"],
        "2026-11-24T09:00:00Z"
    );
    sandbox.inject(Fault::Nothing);
    assert_eq!(on(&sandbox), "");
    assert_eq!(sandbox.clock().stamp(), "2026-11-24T08:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn pulls_take_their_time() {
    let (sandbox, client) = sandbox();
    sandbox.inject(Fault::SlowPulls(Duration::from_secs(20)));
    assert_eq!(on(&sandbox), "pulls take 20 s");
    let begun = Instant::now();
    let pods = run(&client, "late", "IfNotPresent", "true").await;
    until(&sandbox, &pods, "late", |pod| {
        pod["status"]["phase"] == "Succeeded"
    })
    .await;
    assert!(begun.elapsed() >= Duration::from_secs(20));
    sandbox.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_heard_of_a_silent_node() {
    let (sandbox, client) = sandbox();
    let nodes: Api<Node> = Api::all(client.clone());
    let pods = run(
        &client,
        "quiet",
        "Never",
        "read line </dev/null; exec sleep 1000",
    )
    .await;
    until(&sandbox, &pods, "quiet", |pod| {
        pod["status"]["phase"] == "Running"
    })
    .await;
    assert_eq!(ready(&nodes.get("sandbox").await.unwrap()).0, "True");
    sandbox.inject(Fault::NodeSilent(Duration::from_hours(2)));
    assert_eq!(on(&sandbox), "node silent");
    let is_ready = |pod: &Value, word: &str| {
        let all = pod["status"]["conditions"].as_array().unwrap();
        all.iter()
            .any(|one| one["type"] == "Ready" && one["status"] == word)
    };
    until(&sandbox, &pods, "quiet", |pod| is_ready(pod, "False")).await;
    let lost = ("Unknown".to_owned(), "NodeStatusUnknown".to_owned());
    assert_eq!(ready(&nodes.get("sandbox").await.unwrap()), lost);
    // Five minutes later the pod is given up, but nobody there hears of it.
    until(&sandbox, &pods, "quiet", |pod| {
        pod["metadata"]["deletionTimestamp"].is_string()
    })
    .await;
    advance(Duration::from_mins(10)).await;
    assert!(pods.get_opt("quiet").await.unwrap().is_some());
    sandbox.inject(Fault::Nothing);
    let mut changes = sandbox.store().changes();
    let gone = async {
        while pods.get_opt("quiet").await.unwrap().is_some() {
            changes.next().await.unwrap();
        }
    };
    timeout(PATIENCE, gone).await.expect("it never went");
    let found = ("True".to_owned(), "KubeletReady".to_owned());
    assert_eq!(ready(&nodes.get("sandbox").await.unwrap()), found);
    sandbox.stop().await;
}

#[tokio::test]
async fn the_newest_pod_runs_out_of_memory() {
    let (sandbox, client) = sandbox();
    assert_eq!(
        sandbox.inject(Fault::OutOfMemory),
        "no pod is running that could run out of memory"
    );
    let pods = run(&client, "hungry", "Never", "sleep 1000").await;
    until(&sandbox, &pods, "hungry", |pod| {
        pod["status"]["phase"] == "Running"
    })
    .await;
    assert_eq!(
        sandbox.inject(Fault::OutOfMemory),
        "pod hungry runs out of memory"
    );
    let dead = until(&sandbox, &pods, "hungry", |pod| {
        pod["status"]["phase"] == "Failed"
    })
    .await;
    let state = &dead["status"]["containerStatuses"][0]["state"]["terminated"];
    assert_eq!(state["reason"], "OOMKilled");
    sandbox.stop().await;
}

#[tokio::test]
async fn what_a_killed_sandbox_leaves_is_ended() {
    use std::process::Stdio;
    let directory = tempfile::tempdir().unwrap().keep();
    let program = env!("CARGO_BIN_EXE_llmctl-dev");
    let mut left = tokio::process::Command::new("sleep")
        .arg("1000")
        .env("LLMCTL_SANDBOX_NODE", &directory)
        .process_group(0)
        .spawn()
        .unwrap();
    let mut warden = tokio::process::Command::new(program)
        .args(["executor", "--outlive"])
        .arg(&directory)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(left.try_wait().unwrap().is_none());
    // The end of whoever held the pipe.
    drop(warden.stdin.take());
    let ended = timeout(PATIENCE, warden.wait()).await.unwrap().unwrap();
    assert!(ended.success());
    assert!(!left.wait().await.unwrap().success());
    assert!(!directory.exists());

    // And the sandbox posts one for what it runs.
    let (sandbox, client) = sandbox();
    let pods = run(
        &client,
        "marked",
        "Never",
        "test -d $LLMCTL_SANDBOX_NODE/pods",
    )
    .await;
    until(&sandbox, &pods, "marked", |pod| {
        pod["status"]["phase"] == "Succeeded"
    })
    .await;
    sandbox.stop().await;
}

#[test]
fn the_palettes_command_lines_are_faults_of_the_command_line() {
    use llmctl_dev::app::palette::ENTRIES;
    use llmctl_dev::sandbox::faults::Planned;
    let lines: Vec<&str> = ENTRIES
        .iter()
        .filter_map(|entry| entry.cli.strip_prefix("llmctl-dev sandbox --fault "))
        .collect();
    assert_eq!(lines.len(), 11);
    for line in lines {
        line.parse::<Planned>().unwrap();
    }
}

/// A served sandbox of the real program, and what it says of itself.
async fn served(
    home: &crate::support::home::Home,
    arguments: &[&str],
) -> (
    tokio::process::Child,
    Client,
    tokio::io::Lines<tokio::io::BufReader<tokio::process::ChildStderr>>,
) {
    use kube::config::{Config, KubeConfigOptions, Kubeconfig};
    use tokio::io::AsyncBufReadExt as _;
    let mut all = vec!["sandbox", "-o", "jsonl"];
    all.extend(arguments);
    let mut child = tokio::process::Command::from(home.command(&all))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = tokio::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let said: Value = serde_json::from_str(&said.next_line().await.unwrap().unwrap()).unwrap();
    let file = Kubeconfig::read_from(said["kubeconfig"].as_str().unwrap()).unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    let told = tokio::io::BufReader::new(child.stderr.take().unwrap()).lines();
    (child, Client::try_from(config.unwrap()).unwrap(), told)
}

#[tokio::test]
async fn faults_of_the_command_line_come_at_their_times() {
    let home = crate::support::home::Home::new();
    let faults = [
        "--fault",
        "clock=3600",
        "--fault",
        "429=1@0.5,drop-watches@0.6",
    ];
    let (_child, client, mut told) = served(&home, &faults).await;
    let mut lines = Vec::new();
    let wait = async {
        while lines.len() < 3 {
            let line = told.next_line().await.unwrap().expect("it goes on");
            lines.extend(line.strip_prefix("fault: ").map(str::to_owned));
        }
    };
    timeout(PATIENCE, wait).await.expect("all faults");
    let expected = [
        "the clock is off by +3600 s",
        "the next 1 requests get 429",
        "all watches were dropped",
    ];
    assert_eq!(lines, expected);
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    // This client comes again by itself after a 429.
    let made = serde_json::from_value(json!({"metadata": {"name": "x"}})).unwrap();
    let made = maps.create(&PostParams::default(), &made).await.unwrap();
    let made = made.metadata.creation_timestamp.unwrap().0;
    assert!(made > jiff::Timestamp::now() + jiff::SignedDuration::from_mins(50));
}

#[tokio::test]
async fn nothing_outlives_a_program_that_was_killed() {
    use crate::support::processes::{all_end, below};
    let home = crate::support::home::Home::new();
    let (mut child, client, _told) = served(&home, &[]).await;
    let script = "setsid sleep 1000 & sleep 1000 & echo $LLMCTL_SANDBOX_NODE; wait";
    let pods = run(&client, "left", "Never", script).await;
    let directory = loop {
        // Until the container is there this is refused.
        let log = pods.logs("left", &kube::api::LogParams::default()).await;
        match log {
            Ok(log) if log.ends_with('\n') => break std::path::PathBuf::from(log.trim_end()),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(directory.join("pods").is_dir());
    let left = below(i32::try_from(child.id().unwrap()).unwrap());
    // Two sleeps, their shell and the warden.
    assert!(left.len() >= 4, "{left:?}");
    child.kill().await.unwrap();
    all_end(&left);
    assert!(!directory.exists());
}
