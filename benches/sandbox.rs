//! The embedded cluster under load: 10 000 Jobs as llmctl makes them, each with its ConfigMap, its pod and its events.
//!
//! First prints the memory that they take. Then a full list, a page, a watch event on its way from a write to one of 50 watches,
//! and the same while 100 pods run.

#![allow(
    clippy::expect_used,
    reason = "a bench whose cluster does not answer has nothing to measure"
)]

use std::convert::Infallible;
use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body;
use llmctl_dev::domain::manifest::{RunOptions, RunSettings, plan_run};
use llmctl_dev::domain::samples::Sample;
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::service::Service;
use llmctl_dev::sandbox::{Config, Sandbox};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const JOBS: u64 = 10_000;
const WATCHES: usize = 50;
const PODS: usize = 100;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::new().expect("a runtime can be made"));
static LOADED: LazyLock<Loaded> = LazyLock::new(|| RUNTIME.block_on(Loaded::new()));

fn main() {
    LOADED.tell("10 000 runs stored");
    let listed = RUNTIME.block_on(async {
        LOADED.drain("/apis/batch/v1/jobs").await + LOADED.drain("/api/v1/pods").await
    });
    LOADED.tell(&format!("after full lists of {} MB", listed / 1_000_000));
    divan::main();
}

struct Loaded {
    sandbox: Sandbox,
    before: u64,
}

impl Loaded {
    async fn new() -> Self {
        let sandbox = Sandbox::start(Config {
            executor: vec![env!("CARGO_BIN_EXE_llmctl-dev").into(), "executor".into()],
            base: "2026-11-24T08:00:00Z".parse().expect("a time"),
            faults: Faults::default(),
        })
        .expect("a sandbox starts");
        let loaded = Self {
            sandbox,
            before: resident("VmRSS"),
        };
        let namespace = json!({"metadata": {"name": "llmctl"}});
        loaded.send("POST", "/api/v1/namespaces", namespace).await;
        loaded
            .until("/api/v1/namespaces/llmctl/serviceaccounts", 1)
            .await;
        for execution in 1..=JOBS {
            loaded.run(execution).await;
        }
        loaded.until("/api/v1/pods", JOBS).await;
        loaded.finish_pods().await;
        loaded
            .until(
                "/apis/batch/v1/jobs?fieldSelector=status.successful=1",
                JOBS,
            )
            .await;
        loaded
    }

    /// One run: a Job whose pod finds no place at first, for want of a GPU.
    async fn run(&self, execution: u64) {
        let sample: Sample = serde_json::from_value(
            json!({"name": "hello", "summary": "s", "command": ["echo", "hello"]}),
        )
        .expect("a sample");
        let settings = RunSettings {
            namespace: "llmctl".into(),
            workspace_identity: "default".into(),
            frontier_image: "llmctl-executor-frontier:latest".into(),
            vllm_image: "llmctl-executor-vllm:latest".into(),
            service_account: None,
            image_pull_secrets: Vec::new(),
            gpu_limit: 1,
            ttl_seconds: 3600,
            dispatch_timeout_seconds: 3600,
            execution_timeout_seconds: 3600,
            cancel_grace_seconds: 15,
            agent_runtime_cutover: false,
            argocd_app: None,
            live_code_path: None,
        };
        let options = RunOptions {
            gpu: Some(1),
            ..RunOptions::default()
        };
        let plan = plan_run(&sample, execution, &settings, &options).expect("a plan");
        let jobs = "/apis/batch/v1/namespaces/llmctl/jobs?fieldManager=llmctl-dev";
        let made = self.send("POST", jobs, plan.job.clone()).await;
        let uid = made["metadata"]["uid"].as_str().unwrap_or_default();
        let maps = "/api/v1/namespaces/llmctl/configmaps?fieldManager=llmctl-dev";
        self.send("POST", maps, plan.configmap(uid)).await;
    }

    /// Says of every pod what a kubelet says when it is done.
    async fn finish_pods(&self) {
        let conditions = [
            "PodReadyToStartContainers",
            "Initialized",
            "Ready",
            "ContainersReady",
            "PodScheduled",
        ]
        .map(|name| json!({"type": name, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-24T08:00:01Z", "observedGeneration": 1}));
        let status = json!({"status": {
            "phase": "Succeeded", "hostIP": "192.168.49.2", "podIP": "10.244.0.9", "startTime": "2026-11-24T08:00:00Z",
            "hostIPs": [{"ip": "192.168.49.2"}], "podIPs": [{"ip": "10.244.0.9"}],
            "conditions": conditions,
            "containerStatuses": [{
                "name": "executor", "ready": false, "restartCount": 0, "started": false, "image": "llmctl-executor-frontier:latest",
                "imageID": "docker.io/library/llmctl-executor-frontier@sha256:0f6ed37a2ac1a9bd4a3c2ddb4f6ab1a4e1f0b0b6e6c9e8d7f6a5b4c3d2e1f00a",
                "containerID": "containerd://4c1d2ab0c3e4f5a6978897a6b5c4d3e2f1000102030405060708090a0b0c0d0e",
                "state": {"terminated": {
                    "exitCode": 0, "reason": "Completed", "startedAt": "2026-11-24T08:00:01Z", "finishedAt": "2026-11-24T08:00:02Z",
                    "containerID": "containerd://4c1d2ab0c3e4f5a6978897a6b5c4d3e2f1000102030405060708090a0b0c0d0e",
                }}, "lastState": {},
            }],
        }});
        let page = "/api/v1/namespaces/llmctl/pods?fieldSelector=status.phase%3DPending&limit=500";
        loop {
            let pods: Value = serde_json::from_slice(&self.read(page).await).expect("a list");
            let pods = pods["items"].as_array().cloned().unwrap_or_default();
            if pods.is_empty() {
                return;
            }
            for pod in pods {
                let name = pod["metadata"]["name"].as_str().unwrap_or_default();
                let path = format!("/api/v1/namespaces/llmctl/pods/{name}/status");
                self.send("PATCH", &path, status.clone()).await;
            }
        }
    }

    fn service(&self) -> Service {
        self.sandbox.service()
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let media = if method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", media)
            .body(Full::new(Bytes::from(body.to_string())))
            .expect("a request");
        let answer = self.service().oneshot(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{method} {path}: {answer:?}");
        let bytes = answer.into_body().collect().await.expect("a body");
        serde_json::from_slice(&bytes.to_bytes()).expect("a document")
    }

    async fn read(&self, path: &str) -> Bytes {
        let answer = self.service().oneshot(get(path)).await.expect("an answer");
        let body = answer.into_body().collect().await.expect("a body");
        body.to_bytes()
    }

    /// Reads to the end and keeps nothing, as what the client keeps is not the cluster's; gives the bytes.
    async fn drain(&self, path: &str) -> usize {
        let mut bytes = 0;
        self.each(get(path), |piece| bytes += piece.len()).await;
        bytes
    }

    async fn each(&self, request: http::Request<Full<Bytes>>, mut look: impl FnMut(&[u8])) {
        let answer = self.service().oneshot(request).await.expect("an answer");
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            look(frame.expect("a frame").data_ref().expect("data"));
        }
    }

    /// Waits until so many objects are listed there.
    async fn until(&self, path: &str, count: u64) {
        let media = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        loop {
            let mut request = get(path);
            let media = media.parse().expect("a header");
            request.headers_mut().insert("accept", media);
            let mut listed = 0;
            self.each(request, |piece| {
                let piece = String::from_utf8_lossy(piece);
                listed += piece.matches(r#""PartialObjectMetadata""#).count() as u64;
            })
            .await;
            if listed >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Opens a watch of the ConfigMaps of the default namespace, from now on.
    async fn watch(&self) -> impl Body<Data = Bytes, Error = Infallible> + Unpin + use<> {
        let version = self.sandbox.store().version();
        let path =
            format!("/api/v1/namespaces/default/configmaps?watch=1&resourceVersion={version}");
        let answer = self.service().oneshot(get(&path)).await.expect("an answer");
        answer.into_body()
    }

    fn tell(&self, when: &str) {
        let mb = |kib: u64| kib / 1024;
        println!(
            "{when}: {} MB resident, {} MB at most, {} MB before",
            mb(resident("VmRSS")),
            mb(resident("VmHWM")),
            mb(self.before),
        );
    }
}

fn get(path: &str) -> http::Request<Full<Bytes>> {
    http::Request::get(path)
        .body(Full::default())
        .expect("a request")
}

/// A line of this process's status, in KiB; zero on a system without.
fn resident(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

#[divan::bench(args = ["/apis/batch/v1/jobs", "/api/v1/pods", "/api/v1/pods?labelSelector=job-name%3Dnone", "/apis/batch/v1/jobs?limit=500"], sample_count = 20, sample_size = 1)]
fn list(bencher: Bencher, path: &str) {
    bencher
        .counter(ItemsCount::new(JOBS))
        .bench(|| RUNTIME.block_on(LOADED.drain(path)));
}

/// From before a write until its event has come out of all of 50 watches.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn event_to_50_watches(bencher: Bencher) {
    event(bencher);
}

/// As above, with 100 pods that run and write.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn event_to_50_watches_with_100_pods(bencher: Bencher) {
    RUNTIME.block_on(async {
        let pod = |index: usize| json!({"metadata": {"name": format!("busy-{index}")}, "spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "executor", "image": "llmctl-executor-frontier:dev", "imagePullPolicy": "Never",
                "command": ["sh", "-c", "while :; do echo line; sleep 0.5; done"]}],
        }});
        let begun = Instant::now();
        for index in 0..PODS {
            LOADED.send("POST", "/api/v1/namespaces/default/pods", pod(index)).await;
        }
        let running = "/api/v1/namespaces/default/pods?fieldSelector=status.phase=Running";
        LOADED.until(running, PODS as u64).await;
        println!("{PODS} pods run after {:?}", begun.elapsed());
    });
    event(bencher);
    RUNTIME.block_on(async {
        let request = http::Request::delete("/api/v1/namespaces/default/pods?gracePeriodSeconds=0");
        let request = request.body(Full::<Bytes>::default()).expect("a request");
        let answer = LOADED.service().oneshot(request).await.expect("an answer");
        assert!(answer.status().is_success());
    });
}

fn event(bencher: Bencher) {
    let watches = RUNTIME.block_on(async {
        let mut watches = Vec::new();
        for _ in 0..WATCHES {
            watches.push(LOADED.watch().await);
        }
        tokio::sync::Mutex::new(watches)
    });
    bencher.bench(|| {
        RUNTIME.block_on(async {
            let made = json!({"metadata": {"generateName": "bench-"}, "data": {"key": "value"}});
            LOADED
                .send("POST", "/api/v1/namespaces/default/configmaps", made)
                .await;
            for watch in watches.lock().await.iter_mut() {
                watch.frame().await.expect("a frame").expect("an event");
            }
        });
    });
}
