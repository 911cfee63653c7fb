//! A sandbox that is served from inside a test, so that its objects and its faults are at hand, and the real program on it.

use super::home::{Home, Ran};
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::kinds::Kind;
use llmctl_dev::sandbox::serve::kubeconfig;
use llmctl_dev::sandbox::{Config, Sandbox};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, spawn_blocking};

/// Longest wait for anything, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A run of three seconds: long enough to do something to it, short enough to wait for.
const SHORT: &str = r#"
summary = "takes three seconds"
command = ["/bin/sh", "-c", "echo one; sleep 1; echo two; sleep 1; echo three; sleep 1; echo four"]
"#;

/// Verdicts wait two seconds for a log that does not come.
const SETTINGS: &str = "log_collection_timeout_seconds = 2\n";

/// A served sandbox, and a person who works on it with the real program.
pub(crate) struct Ground {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: Arc<Home>,
}

impl Ground {
    pub(crate) async fn new() -> Self {
        Self::since(jiff::SignedDuration::ZERO).await
    }

    /// The cluster's clock is that far behind.
    pub(crate) async fn since(ago: jiff::SignedDuration) -> Self {
        let sandbox = Sandbox::start(Config {
            executor: vec![env!("CARGO_BIN_EXE_llmctl-dev").into(), "executor".into()],
            base: jiff::Timestamp::now() - ago,
            faults: Faults::default(),
        })
        .unwrap();
        let served = sandbox.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let home = Home::new();
        let file = home.write("kubeconfig", &kubeconfig(&served));
        home.write("config/llmctl-dev/samples/short.toml", SHORT);
        home.write("config/llmctl-dev/executor.toml", SETTINGS);
        let home = home
            .with("KUBECONFIG", file)
            .with("LLMCTL_DEV_CONTEXT", "sandbox");
        let ground = Self {
            sandbox,
            home: Arc::new(home),
        };
        let applied = ground.say("overlays apply executor --yes").await.unwrap();
        applied.ended(0);
        ground
    }

    /// A command that runs beside the test.
    pub(crate) fn say(&self, line: &str) -> JoinHandle<Ran> {
        let home = Arc::clone(&self.home);
        let line = line.to_owned();
        spawn_blocking(move || home.run(&line.split(' ').collect::<Vec<_>>()))
    }

    pub(crate) fn objects(&self, kind: Kind) -> Vec<Arc<Value>> {
        self.sandbox.store().list(kind, Some("llmctl")).1
    }

    pub(crate) async fn until<T>(&self, what: &str, found: impl Fn() -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(begin.elapsed() < PATIENCE, "waited for {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The name of the pod, once its executor has begun.
    pub(crate) async fn started(&self) -> String {
        let pod = self
            .until("a running pod", || {
                self.objects(Kind::Pod)
                    .into_iter()
                    .find(|pod| pod["status"]["phase"] == "Running")
            })
            .await;
        let begin = Instant::now();
        loop {
            let log = self.say("runs logs last").await.unwrap();
            if log.out.contains("LLMCTL_EXECUTOR_STARTED") {
                return pod["metadata"]["name"].as_str().unwrap().to_owned();
            }
            assert!(begin.elapsed() < PATIENCE, "no marker: {log:?}");
        }
    }

    pub(crate) fn job(&self) -> String {
        let jobs = self.objects(Kind::Job);
        jobs[0]["metadata"]["name"].as_str().unwrap().to_owned()
    }

    /// What `run … --wait` printed, which must have ended with this code.
    pub(crate) async fn ends(self, ran: JoinHandle<Ran>, code: i32) -> Value {
        let ran = ran.await.unwrap();
        let document = ran.ended(code).json();
        assert_eq!(document["schema"], "llmctl-dev/run/v1");
        if document["verdict"] != "pending" {
            assert_eq!(document["exit"], code, "{document:#}");
        }
        self.sandbox.stop().await;
        document
    }
}
