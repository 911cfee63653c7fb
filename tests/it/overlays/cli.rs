//! `llmctl-dev overlays …`: the real binary on the sandbox.

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The binary with nothing of this machine's configuration.
fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_llmctl-dev"))
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("LLMCTL_DEV_CONFIG_DIR", dir.join("config"))
        .env("LLMCTL_DEV_STATE_DIR", dir.join("state"))
        .env("KUBECONFIG", dir.join("no-kubeconfig"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}{}", out(output), err(output)))
}

/// An overlay directory `mine` with these files.
fn overlay(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("mine")).unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join("mine").join(name), text).unwrap();
    }
    dir
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: '1'}\n";

#[test]
fn render_prints_what_can_be_applied() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["overlays", "render", "minikube"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let objects = super::documents(&out(&output));
    let shipped = super::render(&super::root().join("overlays/minikube"));
    super::assert_same("rendered", &objects, &shipped);
    assert!(err(&output).is_empty(), "{}", err(&output));

    let output = run(
        dir.path(),
        &["overlays", "render", "minikube", "-o", "json"],
    );
    let document = document(&output);
    assert_eq!(document["schema"], "llmctl-dev/overlay-objects/v1");
    assert_eq!(document["objects"].as_array().unwrap().len(), shipped.len());
}

#[test]
fn render_masks_secrets_unless_asked() {
    let dir = overlay(&[(
        "kustomization.yaml",
        "secretGenerator:\n- name: s\n  literals: [token=hunter2]\n",
    )]);
    let place = dir.path().to_str().unwrap();
    let output = run(
        dir.path(),
        &["--overlays", place, "overlays", "render", "mine"],
    );
    assert!(
        out(&output).contains("token: \"***\"") || out(&output).contains("token: '***'"),
        "{}",
        out(&output)
    );
    assert!(!out(&output).contains("aHVudGVyMg") && err(&output).contains("--with-secrets"));
    let output = run(
        dir.path(),
        &[
            "--overlays",
            place,
            "overlays",
            "render",
            "mine",
            "--with-secrets",
        ],
    );
    assert!(out(&output).contains("aHVudGVyMg=="));
}

#[test]
fn what_is_wrong_has_its_exit_code_and_its_place() {
    let dir = overlay(&[("kustomization.yaml", "resources: [gone.yaml]\n")]);
    let place = dir.path().to_str().unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (
            &["overlays", "render", "minicube"],
            5,
            "there is no overlay `minicube`; there are executor, minikube",
        ),
        (
            &["--overlays", place, "overlays", "render", "mine"],
            5,
            "`gone.yaml` is neither a file nor a directory",
        ),
        (
            &["--overlays", place, "overlays", "diff", "mine"],
            5,
            "mine/kustomization.yaml",
        ),
        (&["overlays", "diff", "minikube"], 3, "no"),
        (&["overlays", "apply", "minikube"], 2, "--yes"),
        (&["overlays", "apply"], 2, "NAME"),
    ];
    for (args, code, part) in cases {
        let output = run(dir.path(), args);
        assert_eq!(
            output.status.code(),
            Some(*code),
            "{args:?}: {}",
            err(&output)
        );
        assert!(err(&output).contains(part), "{args:?}: {}", err(&output));
        assert!(out(&output).is_empty(), "{args:?}: {}", out(&output));
    }
}

#[test]
fn a_list_is_worth_something_without_a_cluster() {
    let dir = overlay(&[("kustomization.yaml", "resources: [gone.yaml]\n")]);
    let output = run(dir.path(), &["overlays", "list"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        out(&output).contains("minikube  unknown"),
        "{}",
        out(&output)
    );
    assert!(!err(&output).is_empty());
    let place = dir.path().to_str().unwrap();
    let output = run(
        dir.path(),
        &["--overlays", place, "overlays", "list", "-o", "json"],
    );
    let document = document(&output);
    assert_eq!(document["target"], Value::Null);
    assert_eq!(document["overlays"][0]["state"], "broken");
}

#[test]
fn the_sandbox_begins_with_the_executor_overlay() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["--sandbox", "overlays", "list", "-o", "json"]);
    let document = document(&output);
    assert_eq!(document["schema"], "llmctl-dev/overlays/v1");
    assert_eq!(document["target"]["kind"], "sandbox");
    let rows: Vec<_> = document["overlays"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| {
            (
                o["name"].as_str().unwrap(),
                o["state"].as_str().unwrap(),
                o["applied"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("executor", "in_sync", true),
            ("minikube", "in_sync", false)
        ]
    );
    let output = run(dir.path(), &["--sandbox", "overlays", "diff", "executor"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(out(&output), "executor → llmctl @ SANDBOX demo: 6 same\n");
}

#[test]
fn differences_are_exit_1_and_an_apply_reports_each_object() {
    let dir = overlay(&[
        (
            "kustomization.yaml",
            "namespace: llmctl\nresources: [m.yaml]\n",
        ),
        ("m.yaml", MAP),
    ]);
    let place = dir.path().to_str().unwrap();
    let output = run(
        dir.path(),
        &["--sandbox", "--overlays", place, "overlays", "diff", "mine"],
    );
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert_eq!(
        out(&output),
        "mine → llmctl @ SANDBOX demo: 1 create\n+ ConfigMap/m\n"
    );

    let output = run(
        dir.path(),
        &[
            "--sandbox",
            "--overlays",
            place,
            "overlays",
            "apply",
            "mine",
            "-o",
            "json",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(
        err(&output).contains("1/1 ConfigMap/m created"),
        "{}",
        err(&output)
    );
    let document = document(&output);
    assert_eq!(document["whole"], true);
    assert_eq!(
        document["applied"],
        json!([{"object": {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "llmctl", "name": "m"}, "outcome": "created"}])
    );

    // Its settings are what the overlay `executor` has: a change of one is shown and owned by nobody else.
    let changed = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: llmctl-executor-settings}\ndata: {LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS: '60'}\n";
    std::fs::write(dir.path().join("mine/m.yaml"), changed).unwrap();
    let output = run(
        dir.path(),
        &[
            "--sandbox",
            "--overlays",
            place,
            "overlays",
            "diff",
            "mine",
            "-o",
            "json",
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    let document = self::document(&output);
    let ttl = document["changes"][0]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["path"] == "data.LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS")
        .unwrap();
    assert_eq!(
        (&ttl["before"], &ttl["after"]),
        (&json!("1800"), &json!("60"))
    );
}
