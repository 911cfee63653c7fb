//! The tables in the sandbox's documentation say what its code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{LogParams, PostParams};
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::kinds::{self, Kind};
use llmctl_dev::sandbox::{Config, Sandbox};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const ALL: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn documentation() -> Vec<String> {
    documentation_of("sandbox.rs")
}

fn documentation_of(file: &str) -> Vec<String> {
    let text = fs::read_to_string(source().join(file)).unwrap();
    text.lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.trim().to_owned())
        .collect()
}

fn rows<'a>(documentation: &'a [String], header: &str) -> Vec<&'a str> {
    let table = documentation
        .iter()
        .skip_while(|line| !line.starts_with(header));
    table
        .skip(2)
        .map(String::as_str)
        .take_while(|line| line.starts_with('|'))
        .collect()
}

#[test]
fn every_kind_is_in_the_table_with_what_it_can() {
    let documentation = documentation();
    let or_none = |names: &[&str]| {
        if names.is_empty() {
            "-".to_owned()
        } else {
            names.join(", ")
        }
    };
    let expected: Vec<String> = Kind::all()
        .map(|kind| {
            let row = kind.row();
            let missing: Vec<&str> = ALL
                .into_iter()
                .filter(|verb| !row.verbs.contains(verb))
                .collect();
            let verbs = match missing.as_slice() {
                [] => "all".to_owned(),
                few @ ([_] | [_, _]) => format!("all but {}", few.join(", ")),
                _ => row.verbs.join(", "),
            };
            let group = if row.group.is_empty() {
                "core"
            } else {
                row.group
            };
            format!(
                "| {kind} | {group} | {verbs} | {} | {} |",
                or_none(row.subresources),
                or_none(kinds::known_subresources(kind)),
            )
        })
        .collect();
    assert_eq!(rows(&documentation, "| kind |"), expected);
    let known: Vec<String> = kinds::known()
        .map(|known| match known {
            ("", plural) => plural.unwrap_or_default().to_owned(),
            (group, plural) => format!("{}.{group}", plural.unwrap_or("*")),
        })
        .collect();
    let line = format!("Resources that are answered 501: {}.", known.join(", "));
    assert!(documentation.contains(&line), "not there: {line}");
}

#[test]
fn every_controller_is_in_the_table() {
    let mut controllers = BTreeSet::from(["health".to_owned()]);
    for entry in fs::read_dir(source().join("sandbox")).unwrap() {
        let path = entry.unwrap().path();
        let is_controller = || {
            fs::read_to_string(&path)
                .unwrap()
                .lines()
                .any(|line| line.starts_with("impl Controller for"))
        };
        if path.is_file() && is_controller() {
            controllers.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    let documentation = documentation();
    let told: BTreeSet<String> = rows(&documentation, "| controller |")
        .into_iter()
        .map(|row| row.split('|').nth(1).unwrap().trim().to_owned())
        .collect();
    assert_eq!(told, controllers);
}

#[tokio::test]
async fn what_is_not_imitated_is_said_with_verb_and_path() {
    let sandbox = Sandbox::start(Config {
        executor: vec!["/bin/false".into()],
        base: "2026-11-24T08:00:00Z".parse().unwrap(),
        faults: Faults::default(),
    })
    .unwrap();
    let ask = async |method: &str, path: &str| {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let answer = sandbox.service().oneshot(request).await.unwrap();
        let code = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let status = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        (code, status)
    };
    let root = |group: &str| match group {
        "" => "/api/v1".to_owned(),
        group => format!("/apis/{group}/v1"),
    };
    let mut paths: Vec<String> = kinds::known()
        .map(|(group, plural)| format!("{}/{}", root(group), plural.unwrap_or("widgets")))
        .collect();
    for kind in Kind::all() {
        let row = kind.row();
        let namespace = if row.namespaced {
            "namespaces/default/"
        } else {
            ""
        };
        for subresource in kinds::known_subresources(kind) {
            paths.push(format!(
                "{}/{namespace}{}/x/{subresource}",
                root(row.group),
                row.plural
            ));
        }
        let listed = ask("GET", &format!("{}/{}", root(row.group), row.plural)).await;
        assert_eq!(listed.0, 200, "{kind}: {}", listed.1);
    }
    for path in paths {
        for method in ["GET", "POST"] {
            let (code, status) = ask(method, &path).await;
            assert_eq!(
                (code, &status["code"]),
                (501, &501.into()),
                "{method} {path}"
            );
            let message = status["message"].as_str().unwrap();
            assert!(message.contains(&format!("{method} {path}")), "{message}");
        }
    }
    for path in [
        "/api/v1/widgets",
        "/apis/batch/v1/namespaces/default/widgets",
        "/api/v1/namespaces/default/pods/x/widgets",
        "/apis/batch/v1beta1/jobs",
    ] {
        assert_eq!(ask("GET", path).await.0, 404, "{path}");
    }
}

/// What a pod of the node gave: its log, its first container's state and when it was, after `until` held of it.
async fn lived(sandbox: &Sandbox, pod: Value, until: impl Fn(&Value) -> bool) -> (String, Value) {
    let client = kube::Client::new(sandbox.service(), "default");
    let pods: kube::Api<Pod> = kube::Api::default_namespaced(client);
    let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
    let pod = serde_json::from_value(pod).unwrap();
    // The account of a new namespace takes a moment.
    while pods.create(&PostParams::default(), &pod).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seen = async {
        loop {
            let pod = serde_json::to_value(pods.get(&name).await.unwrap()).unwrap();
            if until(&pod) {
                return pod;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let pod = tokio::time::timeout(Duration::from_mins(1), seen)
        .await
        .expect("it never came");
    let log = pods.logs(&name, &LogParams::default()).await;
    (log.unwrap_or_default(), pod)
}

#[tokio::test]
async fn the_node_does_what_its_table_says() {
    let documentation = documentation_of("sandbox/node.rs");
    let told: Vec<&str> = rows(&documentation, "| of a real node |")
        .into_iter()
        .map(|row| row.split('|').nth(1).unwrap().trim())
        .collect();
    // Each of these is looked at below.
    let looked_at = [
        "containers with a root, users and limits of their own",
        "any image",
        "process 1 does not hear a SIGTERM that it does not handle (exit 137 after the grace period)",
        "probes, lifecycle hooks, ephemeral containers, exec, port-forward",
        "variables of services in the environment",
        "heartbeats",
    ];
    assert_eq!(told, looked_at);

    let sandbox = Sandbox::start(Config {
        executor: vec!["/bin/false".into()],
        base: "2026-11-24T08:00:00Z".parse().unwrap(),
        faults: Faults::default(),
    })
    .unwrap();
    let state = |pod: &Value| pod["status"]["containerStatuses"][0].clone();
    let pod = |name: &str, image: &str, script: &str| {
        json!({"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "c", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script]}]}})
    };
    let executor = "llmctl-executor-frontier:latest";
    let ends = |pod: &Value| pod["status"]["phase"] == "Succeeded";

    let (_, image) = lived(&sandbox, pod("other", "busybox:1", "true"), |pod| {
        state(pod)["state"]["waiting"]["reason"] == "ImagePullBackOff"
    })
    .await;
    assert_eq!(image["status"]["phase"], "Pending");

    let script = "id -u; pwd; ps -o pgid= -p $$$$; echo $$$$; env | grep -c SERVICE_HOST; test -e hooked || echo no hook";
    let mut whole = pod("whole", executor, script);
    let container = &mut whole["spec"]["containers"][0];
    container["securityContext"] = json!({"runAsUser": 12345});
    container["lifecycle"] = json!({"postStart": {"exec": {"command": ["touch", "hooked"]}}});
    let (log, _) = lived(&sandbox, whole, ends).await;
    let lines: Vec<&str> = log.lines().map(str::trim).collect();
    assert_eq!(lines[0], rustix::process::getuid().as_raw().to_string());
    assert!(
        lines[1].starts_with(std::env::temp_dir().to_str().unwrap()),
        "{log}"
    );
    assert_eq!(lines[2], lines[3], "a group of its own");
    assert_eq!(lines[4..], ["0", "no hook"]);

    let mut probed = pod("probed", executor, "sleep 1000");
    probed["spec"]["containers"][0]["readinessProbe"] = json!({"exec": {"command": ["false"]}});
    let (_, probed) = lived(&sandbox, probed, |pod| {
        state(pod)["state"]["running"].is_object()
    })
    .await;
    assert_eq!(state(&probed)["ready"], true);

    // The fourth row's requests are those that are answered 501.
    let missing = kinds::known_subresources(Kind::Pod);
    assert!(
        ["ephemeralcontainers", "exec", "portforward"]
            .iter()
            .all(|one| missing.contains(one))
    );

    // A deaf process: its last state says how it ended.
    let mut changes = sandbox.store().changes();
    let options = llmctl_dev::sandbox::store::DeleteOptions::default();
    sandbox
        .store()
        .delete(Kind::Pod, "default", "probed", &options)
        .unwrap();
    let last = loop {
        let change = changes.next().await.unwrap();
        let code = state(&change.object)["state"]["terminated"]["exitCode"].clone();
        if change.kind == Kind::Pod && code.is_number() {
            break code;
        }
    };
    assert_eq!(
        last,
        if Path::new("/proc/self/status").exists() {
            137
        } else {
            143
        }
    );

    assert!(sandbox.store().list(Kind::Lease, None).1.is_empty());
    let node = sandbox.store().find(Kind::Node, "", "sandbox").unwrap();
    let conditions = node["status"]["conditions"].as_array().unwrap();
    assert!(
        conditions
            .iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True")
    );
    sandbox.stop().await;
}
