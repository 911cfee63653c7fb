//! `run --check`: against a sandbox, against an API server that lacks things, and what a missing namespace says.

use crate::support::fake_api::{Answer, Asked, cluster};
use crate::support::home::Home;
use jiff::{SignedDuration, Timestamp};
use llmctl_dev::cluster::Cluster;
use llmctl_dev::cluster::error::Kind;
use llmctl_dev::domain::manifest::{RunOptions, RunSettings, plan_run};
use llmctl_dev::domain::preflight::{Mark, Needs, Preflight, Presence};
use llmctl_dev::domain::target::Target;
use llmctl_dev::files::samples;
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::{self, Sandbox};
use serde_json::{Value, json};

fn row<'a>(document: &'a Value, name: &str) -> &'a Value {
    let rows = document["rows"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap()
}

#[test]
fn a_sandbox_is_checked_and_nothing_is_created() {
    let home = Home::new();
    let ran = home.run(&["run", "hello", "--sandbox", "--check", "-o", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["schema"], "llmctl-dev/preflight/v1");
    assert_eq!(document["target"]["kind"], "sandbox");
    assert_eq!(document["ready"], true);
    for name in [
        "namespace",
        "service account",
        "node",
        "quota",
        "GPU",
        "clock",
        "image",
    ] {
        assert_eq!(row(&document, name)["mark"], "ok", "{document:#}");
    }
    let other = home.run(&["run", "bad-image", "--sandbox", "--check", "-o", "json"]);
    let other: Value = serde_json::from_str(&other.out).unwrap();
    assert_eq!(row(&other, "image")["mark"], "warns", "{other:#}");
    assert_eq!(row(&document, "GPU")["says"], "0 of 0");

    let text = home.run(&["run", "hello", "--sandbox", "--check", "--gpu", "1"]);
    assert_eq!(text.code, 0, "{text:?}");
    assert!(text.out.contains("warns   GPU"), "{text:?}");
    assert!(text.out.contains("fix: --gpu 0"), "{text:?}");
    let runs = home.run(&["runs", "list", "--sandbox", "-o", "json"]);
    let runs: Value = serde_json::from_str(&runs.out).unwrap();
    assert_eq!(runs["runs"], json!([]), "{runs:#}");
}

#[test]
fn a_missing_namespace_refuses_with_the_command_that_makes_it() {
    let home = Home::new();
    let ran = home.run(&["run", "hello", "--sandbox", "-n", "elsewhere", "--check"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.out.contains("refuses namespace"), "{ran:?}");
    assert!(
        ran.out.contains("kubectl create namespace elsewhere"),
        "{ran:?}"
    );

    let ran = home.run(&["run", "hello", "--sandbox", "-n", "elsewhere"]);
    assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
    for part in [
        "nothing was created: namespace: elsewhere is not there",
        "kubectl create namespace elsewhere",
        "--no-check",
    ] {
        assert!(ran.err.contains(part), "{ran:?} lacks {part}");
    }

    let ran = home.run(&["run", "hello", "--sandbox", "-n", "elsewhere", "--no-check"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err
            .contains("the namespace is not there; `kubectl create namespace elsewhere` makes it"),
        "{ran:?}"
    );
}

#[test]
fn live_code_that_is_not_on_the_node_refuses_a_node_payload_and_no_command() {
    let home = Home::new();
    home.write(
        "config/llmctl-dev/executor.toml",
        "k8s_live_code_enabled = true\nk8s_live_code_host_path = \"/nonexistent/checkout\"\n",
    );
    let ran = home.run(&["run", "start-node", "--sandbox", "--check"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.out.contains("/nonexistent/checkout is not on the node"),
        "{ran:?}"
    );
    let ran = home.run(&["run", "hello", "--sandbox", "--check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.out.contains("live code"), "{ran:?}");
}

#[test]
fn a_run_tells_what_speaks_against_it_and_starts() {
    let home = Home::new();
    let ran = home.run(&["run", "hello", "--sandbox", "--gpu", "1", "-o", "json"]);
    let document = ran.ended(0).json();
    assert_eq!(document["verdict"], "pending", "{document:#}");
    assert!(
        ran.err.contains("GPU: 1 of 0: no node has so many"),
        "{ran:?}"
    );
    let quiet = home.run(&["run", "hello", "--sandbox"]);
    assert!(!quiet.ended(0).err.contains("GPU"), "{quiet:?}");
}

/// A cluster that has little: an account is missing, a quota is used up, the node is cordoned, the clock is 40 s ahead of ours.
fn poor(asked: &Asked) -> Answer {
    let list = |item: Value| Answer::list(&[item], 1);
    match asked.path.rsplit('/').next().unwrap_or_default() {
        "llmctl" => Answer::Json(200, json!({"metadata": {"name": "llmctl"}})),
        "nodes" => list(json!({
            "metadata": {"name": "n1"}, "spec": {"unschedulable": true},
            "status": {
                "allocatable": {"cpu": "4", "nvidia.com/gpu": "2"},
                "conditions": [{"type": "Ready", "status": "True"}],
                "images": [{"names": ["docker.io/library/llmctl-executor-frontier:dev"], "sizeBytes": 1}, {"names": null}],
            },
        })),
        "resourcequotas" => list(json!({
            "metadata": {"name": "tight"},
            "status": {"hard": {"count/jobs.batch": "5"}, "used": {"count/jobs.batch": "5"}},
        })),
        _ => Answer::status(404, "NotFound", "not found"),
    }
}

fn settings() -> RunSettings {
    RunSettings {
        namespace: "llmctl".into(),
        workspace_identity: "default".into(),
        frontier_image: "llmctl-executor-frontier:dev".into(),
        vllm_image: "llmctl-executor-vllm:dev".into(),
        service_account: Some("llmctl-executor".into()),
        image_pull_secrets: Vec::new(),
        gpu_limit: 0,
        ttl_seconds: 1800,
        dispatch_timeout_seconds: 300,
        execution_timeout_seconds: 1800,
        cancel_grace_seconds: 15,
        agent_runtime_cutover: false,
        argocd_app: None,
        live_code_path: None,
    }
}

#[tokio::test]
async fn what_an_api_server_tells_becomes_rows() {
    let (cluster, requests) = cluster(poor);
    let facts = cluster
        .preflight("llmctl", "llmctl-executor", Timestamp::now)
        .await;
    assert_eq!(facts.namespace, Ok(Presence::There));
    let samples = samples::load(None);
    let sample = samples.find("hello").unwrap();
    let plan = plan_run(sample, 1, &settings(), &RunOptions::default()).unwrap();
    let all = Preflight::of(&Needs::of(&plan), &facts, &Target::sandbox());
    let marks: Vec<(&str, Mark)> = all.rows.iter().map(|row| (row.name, row.mark)).collect();
    assert_eq!(
        marks,
        [
            ("namespace", Mark::Ok),
            ("service account", Mark::Refuses),
            ("node", Mark::Warns),
            ("image", Mark::Ok),
            ("quota", Mark::Refuses),
            ("GPU", Mark::Ok),
            // It tells no time.
            ("clock", Mark::Unknown),
        ]
    );
    let asked = requests.lock().unwrap();
    assert_eq!(asked.len(), 5);
    assert!(asked.iter().all(|asked| asked.method == "GET"));
}

#[tokio::test]
async fn the_clock_is_compared_with_the_date_of_an_answer() {
    let sandbox = Sandbox::start(sandbox::Config {
        executor: Vec::new(),
        base: Timestamp::now(),
        faults: Faults::default(),
    })
    .unwrap();
    let cluster = Cluster::from_service(sandbox.service(), &Target::sandbox());
    let clock = sandbox.clock().clone();
    let behind = move || clock.now() - SignedDuration::from_secs(40);
    let facts = cluster.preflight("llmctl", "a", behind).await;
    // Within a second of what the server rounds, and of what a busy machine takes.
    let skew = facts.skew.unwrap().as_secs();
    assert!((-42..=-25).contains(&skew), "{skew}");
    sandbox.stop().await;
}

#[tokio::test]
async fn an_account_that_may_not_look_is_told_what_it_may_not() {
    let (shut, _) = cluster(|_| Answer::status(403, "Forbidden", "no"));
    let facts = shut.preflight("llmctl", "a", Timestamp::now).await;
    assert_eq!(
        facts.nodes,
        Err("the account may not read nodes".to_owned())
    );
    let created = {
        let (without, _) = cluster(poor);
        let samples = samples::load(None);
        let sample = samples.find("hello").unwrap();
        let plan = plan_run(sample, 1, &settings(), &RunOptions::default()).unwrap();
        without.create_run(&plan).await
    };
    let error = created.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(
        error
            .to_string()
            .contains("llmctl-dev overlays apply executor"),
        "{error}"
    );
}
