//! What one run asks of an API server, counted; and what becomes of a request without an answer.

use crate::support::fake_api::{Answer, Piece, cluster};
use futures::StreamExt as _;
use http::Request;
use kube::client::Body;
use llmctl_dev::cluster::Cluster;
use llmctl_dev::cluster::error::Kind;
use llmctl_dev::cluster::watch::Observation;
use llmctl_dev::domain::logs::LogEvent;
use llmctl_dev::domain::manifest::{RunOptions, RunPlan, RunSettings, plan_run};
use llmctl_dev::domain::runs::lifecycle::Want;
use llmctl_dev::domain::runs::{Dispatch, Phase, RunId, Runs};
use llmctl_dev::domain::target::Target;
use llmctl_dev::domain::verdict::Verdict;
use llmctl_dev::files::samples;
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::{Config, Sandbox};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

const NAMESPACE: &str = "default";

fn plan(execution: u64) -> RunPlan {
    let samples = samples::load(None);
    let settings = RunSettings {
        namespace: NAMESPACE.into(),
        workspace_identity: "default".into(),
        frontier_image: "llmctl-executor-frontier:dev".into(),
        vllm_image: "llmctl-executor-vllm:dev".into(),
        service_account: None,
        image_pull_secrets: Vec::new(),
        gpu_limit: 0,
        ttl_seconds: 1800,
        dispatch_timeout_seconds: 300,
        execution_timeout_seconds: 1800,
        cancel_grace_seconds: 15,
        agent_runtime_cutover: false,
        argocd_app: None,
        live_code_path: None,
    };
    let sample = samples.find("hello").unwrap();
    plan_run(sample, execution, &settings, &RunOptions::default()).unwrap()
}

/// Verb and kind of a request, as an audit log would have them.
fn kind(method: &str, path: &str, query: &str) -> String {
    let noun = path
        .split('/')
        .rev()
        .find(|part| ["jobs", "pods", "configmaps", "events", "log", "version"].contains(part))
        .unwrap_or(path);
    let verb = match method {
        "GET" if query.contains("watch=true") => "watch",
        "GET" if noun == "log" => "follow",
        "GET" if path.ends_with(noun) => "list",
        other => other,
    };
    format!("{verb} {noun}")
}

/// Three runs from their creation to their verdicts, told by watches that they share and a log stream each.
#[tokio::test]
async fn w5_a_run_costs_two_creates_and_one_log_stream_and_nothing_is_polled() {
    let sandbox = Sandbox::start(Config {
        executor: vec![env!("CARGO_BIN_EXE_llmctl-dev").into(), "executor".into()],
        base: "2026-11-24T08:00:00Z".parse().unwrap(),
        faults: Faults::default(),
    })
    .unwrap();
    let counted: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
    let (inner, count) = (sandbox.service(), Arc::clone(&counted));
    let service = tower::service_fn(move |request: Request<Body>| {
        let uri = request.uri();
        let kind = kind(
            request.method().as_str(),
            uri.path(),
            uri.query().unwrap_or_default(),
        );
        *count.lock().unwrap().entry(kind).or_default() += 1;
        let mut inner = inner.clone();
        async move { tower::Service::call(&mut inner, request).await }
    });
    let cluster = Cluster::from_service(service, &Target::sandbox());

    let mut watch = cluster.watch(NAMESPACE);
    let mut runs = Runs::of(NAMESPACE);
    let (logs, mut told) = mpsc::unbounded_channel::<(RunId, LogEvent)>();
    let clock = sandbox.clock().clone();
    let mut wants = Vec::new();
    for execution in 1..=3 {
        let plan = plan(execution);
        let (id, more) = runs.dispatching(&plan, clock.now());
        wants.extend(more);
        let job = cluster.create_run(&plan).await.unwrap();
        wants.extend(runs.accepted(&id, job, clock.now()));
    }
    let verdicts = async {
        loop {
            for want in wants.drain(..) {
                if let Want::FollowLog {
                    run,
                    pod,
                    container_id,
                } = want
                {
                    let mut events = cluster.follow_log(NAMESPACE, &pod, &container_id);
                    let logs = logs.clone();
                    tokio::spawn(async move {
                        while let Some(event) = events.next().await {
                            let _ = logs.send((run.clone(), event));
                        }
                    });
                }
            }
            let done = runs.iter().filter(|run| run.verdict.is_final()).count();
            if done == 3 {
                return;
            }
            wants = tokio::select! {
                Some(seen) = watch.next() => match seen {
                    Observation::Seen(seen) => runs.observe(seen, clock.now()),
                    _ => Vec::new(),
                },
                Some((run, event)) = told.recv() => runs.log(&run, event, clock.now()),
            };
        }
    };
    timeout(Duration::from_mins(2), verdicts).await.unwrap();
    assert!(runs.iter().all(|run| run.verdict == Verdict::Success));
    assert!(
        runs.iter()
            .all(|run| run.dispatch == Dispatch::DispatchConfirmed)
    );

    let counted = counted.lock().unwrap().clone();
    let of = |kind: &str| counted.get(kind).copied().unwrap_or_default();
    assert_eq!(
        (of("POST jobs"), of("POST configmaps")),
        (3, 3),
        "{counted:?}"
    );
    assert_eq!(
        of("PATCH jobs") + of("PUT jobs") + of("PATCH configmaps"),
        0,
        "{counted:?}"
    );
    assert!(
        counted.keys().all(|kind| !kind.starts_with("DELETE")),
        "W19: {counted:?}"
    );
    // A stream that ended is opened once more behind its last line, to know that it is whole, and its pod asked for.
    assert!(of("follow log") <= 6 && of("GET pods") <= 3, "{counted:?}");
    for shared in ["jobs", "pods", "events"] {
        assert!(of(&format!("list {shared}")) <= 1, "{counted:?}");
        assert!(of(&format!("watch {shared}")) <= 1, "{counted:?}");
    }
    // Nothing but that, and the version that a watch asks for when it connects.
    let runs = 6 + of("follow log") + of("GET pods");
    let rest = counted.values().sum::<u32>() - runs;
    assert!(rest <= 8, "{counted:?}");
    sandbox.stop().await;
}

/// The API server goes away between a request and its answer.
#[tokio::test]
async fn w4_a_create_without_an_answer_is_looked_for_and_else_uncertain() {
    let broken = || Answer::Stream(vec![Piece::Break]);
    let plan = plan(1);
    // It was made all the same: the run goes on.
    let job = serde_json::json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": plan.job_name, "namespace": NAMESPACE, "uid": "u-1", "creationTimestamp": "2026-11-24T08:00:00Z"},
        "spec": {}, "status": {},
    });
    let (lucky, requests) = cluster(move |asked| match (asked.method.as_str(), &asked.path) {
        ("POST", path) if path.ends_with("/jobs") => broken(),
        ("POST", _) => Answer::Json(201, asked.body.clone()),
        _ => Answer::Json(200, job.clone()),
    });
    assert_eq!(lucky.create_run(&plan).await.unwrap().uid, "u-1");
    let asked: Vec<String> = requests
        .lock()
        .unwrap()
        .iter()
        .map(|a| a.method.clone())
        .collect();
    assert_eq!(asked, ["POST", "GET", "POST"]);

    // It was not: nothing ran, and that is certain.
    let (certain, _) = cluster(move |asked| match asked.method.as_str() {
        "POST" => broken(),
        _ => Answer::status(404, "NotFound", "not found"),
    });
    assert_eq!(
        certain.create_run(&plan).await.unwrap_err().kind(),
        Kind::Unreachable
    );

    // Nobody can say: uncertain, and not tried again.
    let (silent, requests) = cluster(move |_| broken());
    let error = silent.create_run(&plan).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unknown, "{error}");
    assert!(
        error.to_string().contains("before you run it again"),
        "{error}"
    );
    let creates = requests
        .lock()
        .unwrap()
        .iter()
        .filter(|a| a.method == "POST")
        .count();
    assert_eq!(creates, 1);

    let mut runs = Runs::of(NAMESPACE);
    let now = "2026-11-24T08:00:01Z".parse().unwrap();
    let (id, _) = runs.dispatching(&plan, now);
    runs.unanswered(&id, error.to_string(), now);
    let run = runs.find(&id).unwrap();
    assert_eq!(
        (run.verdict, run.uncertain, run.phase, run.dispatch),
        (
            Verdict::Uncertain,
            true,
            Phase::Dispatching,
            Dispatch::DispatchPending
        )
    );
    // The same request is a duplicate as long as nobody knows.
    assert!(runs.duplicate(&plan, now).is_some());

    // A refused connection never carried the request: certain.
    let (shut, _) = cluster(|_| Answer::Refuse);
    assert_eq!(
        shut.create_run(&plan).await.unwrap_err().kind(),
        Kind::Unreachable
    );
}
