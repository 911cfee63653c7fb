//! The served sandbox through kubectl, which nobody here wrote.

use std::path::PathBuf;
use std::process::{Output, Stdio};

use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::serve::kubeconfig;
use llmctl_dev::sandbox::{Config, Sandbox};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const JOB: &str = r#"
apiVersion: batch/v1
kind: Job
metadata: {name: go, namespace: demo, labels: {team: a}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: executor
        image: llmctl-executor-frontier:latest
        imagePullPolicy: IfNotPresent
        env:
        - name: LLMCTL_EXECUTOR_PAYLOAD_JSON
          value: '{"contract_version":"v1","provider":"kubernetes","request_id":"r","command":["sh","-c","echo one; echo two"]}'
"#;

struct Bench {
    sandbox: Sandbox,
    kubectl: PathBuf,
    home: tempfile::TempDir,
}

impl Bench {
    /// A served sandbox; none on a machine without kubectl.
    async fn new() -> Option<Self> {
        let Ok(kubectl) = which::which("kubectl") else {
            eprintln!("skipped: there is no kubectl on this machine");
            return None;
        };
        let sandbox = Sandbox::start(Config {
            executor: vec![env!("CARGO_BIN_EXE_llmctl-dev").into(), "executor".into()],
            base: jiff::Timestamp::now(),
            faults: Faults::default(),
        })
        .unwrap();
        let served = sandbox.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config"), kubeconfig(&served)).unwrap();
        Some(Self {
            sandbox,
            kubectl,
            home,
        })
    }

    async fn output(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(&self.kubectl)
            .args(arguments)
            .env("KUBECONFIG", self.home.path().join("config"))
            .env("HOME", self.home.path())
            .env_remove("HTTPS_PROXY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .await
            .unwrap();
        child.wait_with_output().await.unwrap()
    }

    /// What kubectl prints when it succeeds.
    async fn ok(&self, arguments: &[&str], input: &str) -> String {
        let output = self.output(arguments, input).await;
        let text = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {text}{complaint}"
        );
        text
    }

    /// What kubectl complains of when it fails.
    async fn fails(&self, arguments: &[&str], input: &str) -> String {
        let output = self.output(arguments, input).await;
        assert!(
            !output.status.success(),
            "kubectl {arguments:?} was to fail"
        );
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test]
async fn a_jobs_life_through_kubectl() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    assert!(bench.ok(&["version"], "").await.contains("v1.34.4-sandbox"));
    let resources = bench.ok(&["api-resources"], "").await;
    assert!(
        resources
            .lines()
            .any(|line| line.starts_with("jobs ") && line.contains("batch/v1")),
        "{resources}"
    );

    assert_eq!(
        bench.ok(&["create", "ns", "demo"], "").await,
        "namespace/demo created\n"
    );
    assert_eq!(
        bench.ok(&["apply", "--server-side", "-f", "-"], JOB).await,
        "job.batch/go serverside-applied\n"
    );
    bench
        .ok(
            &[
                "wait",
                "--for=condition=complete",
                "job/go",
                "-n",
                "demo",
                "--timeout=60s",
            ],
            "",
        )
        .await;

    let table = bench
        .ok(
            &["get", "jobs", "-n", "demo", "-o", "wide", "-l", "team=a"],
            "",
        )
        .await;
    let row: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..3], ["go", "Complete", "1/1"], "{table}");
    assert!(row.contains(&"llmctl-executor-frontier:latest"), "{table}");
    let none = bench
        .ok(
            &[
                "get",
                "pods",
                "-n",
                "demo",
                "--field-selector",
                "status.phase=Running",
                "-o",
                "name",
            ],
            "",
        )
        .await;
    assert_eq!(none, "");
    let logs = bench.ok(&["logs", "-f", "job/go", "-n", "demo"], "").await;
    assert!(
        logs.starts_with("one\ntwo\n") || logs.contains("\none\ntwo\n"),
        "{logs}"
    );
    let described = bench.ok(&["describe", "job", "go", "-n", "demo"], "").await;
    assert!(
        described.contains("1 Succeeded") && described.contains("SuccessfulCreate"),
        "{described}"
    );
    let events = bench
        .ok(
            &[
                "get",
                "events",
                "-n",
                "demo",
                "--field-selector",
                "involvedObject.name=go",
            ],
            "",
        )
        .await;
    assert!(events.contains("Job completed"), "{events}");

    bench
        .ok(&["label", "job", "go", "-n", "demo", "x=y"], "")
        .await;
    bench
        .ok(&["annotate", "job", "go", "-n", "demo", "note=1"], "")
        .await;
    bench
        .ok(
            &[
                "patch",
                "job",
                "go",
                "-n",
                "demo",
                "-p",
                r#"{"metadata":{"labels":{"x":null}}}"#,
            ],
            "",
        )
        .await;
    let labels = bench
        .ok(
            &[
                "get",
                "job",
                "go",
                "-n",
                "demo",
                "-o",
                "jsonpath={.metadata.labels}",
            ],
            "",
        )
        .await;
    assert!(
        labels.contains("\"team\":\"a\"") && !labels.contains("\"x\""),
        "{labels}"
    );
    let refused = bench
        .fails(
            &[
                "patch",
                "job",
                "go",
                "-n",
                "demo",
                "-p",
                r#"{"spec":{"completions":2}}"#,
            ],
            "",
        )
        .await;
    assert!(
        refused.contains("spec.completions: Invalid value: 2: field is immutable"),
        "{refused}"
    );

    bench
        .ok(
            &[
                "delete",
                "job",
                "go",
                "-n",
                "demo",
                "--cascade=foreground",
                "--timeout=60s",
            ],
            "",
        )
        .await;
    assert_eq!(
        bench
            .ok(&["get", "jobs,pods", "-n", "demo", "-o", "name"], "")
            .await,
        ""
    );
    bench
        .ok(&["delete", "ns", "demo", "--timeout=60s"], "")
        .await;
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn what_kubectl_applies_from_its_side() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: '1', b: '2'}\n";
    let changed = map.replace("b: '2'", "c: '3'");
    assert_eq!(
        bench.ok(&["apply", "-f", "-"], map).await,
        "configmap/x created\n"
    );
    assert_eq!(
        bench.ok(&["apply", "-f", "-"], map).await,
        "configmap/x unchanged\n"
    );
    let difference = bench.output(&["diff", "-f", "-"], &changed).await;
    assert_eq!(difference.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&difference.stdout).contains("+  c: \"3\""));
    assert_eq!(
        bench.ok(&["apply", "-f", "-"], &changed).await,
        "configmap/x configured\n"
    );
    let data = bench
        .ok(&["get", "cm", "x", "-o", "jsonpath={.data}"], "")
        .await;
    assert_eq!(data, r#"{"a":"1","c":"3"}"#);
    // Moving to server-side apply takes the fields over from client-side apply.
    assert_eq!(
        bench
            .ok(&["apply", "--server-side", "-f", "-"], &changed)
            .await,
        "configmap/x serverside-applied\n"
    );
    let unknown = bench
        .fails(&["apply", "-f", "-"], &map.replace("\ndata:", "\ndate:"))
        .await;
    assert!(unknown.contains("unknown field \"date\""), "{unknown}");
    let stranger = bench.fails(&["get", "cm", "--token", "guess"], "").await;
    assert!(
        stranger.contains("Unauthorized") || stranger.contains("must be logged in"),
        "{stranger}"
    );
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn what_kubectl_creates_in_its_own_form() {
    let Some(bench) = Bench::new().await else {
        return;
    };
    bench
        .ok(&["create", "configmap", "x", "--from-literal=a=b"], "")
        .await;
    bench
        .ok(
            &["create", "secret", "generic", "s", "--from-literal=p=q"],
            "",
        )
        .await;
    bench
        .ok(
            &[
                "create",
                "deployment",
                "d",
                "--image=nowhere.invalid/x:1",
                "--replicas=2",
            ],
            "",
        )
        .await;
    bench
        .ok(
            &["create", "role", "r", "--verb=get", "--resource=pods"],
            "",
        )
        .await;
    assert_eq!(
        bench
            .ok(&["get", "secret", "s", "-o", "jsonpath={.data.p}"], "")
            .await,
        "cQ=="
    );
    assert_eq!(
        bench
            .ok(
                &["get", "deployment", "d", "-o", "jsonpath={.spec.replicas}"],
                ""
            )
            .await,
        "2"
    );
    bench
        .ok(&["scale", "deployment", "d", "--replicas=0"], "")
        .await;
    assert_eq!(
        bench
            .ok(
                &["get", "deployment", "d", "-o", "jsonpath={.spec.replicas}"],
                ""
            )
            .await,
        "0"
    );
    bench.sandbox.stop().await;
}
