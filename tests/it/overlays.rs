//! Overlays: rendered as kubectl renders them, compared with and applied to the sandbox and, where there is one, a real
//! cluster.

use llmctl_dev::domain::overlays::diff::diff;
use llmctl_dev::files::kustomize;
use llmctl_dev::files::overlays::Shelf;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn documents(yaml: &str) -> Vec<Value> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, strict_booleans: true };
    serde_saphyr::from_multiple_with_options(yaml, options).unwrap()
}

/// 1, 1.0 and 1e0 are one number.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(n) => match n.as_f64() {
            #[allow(
                clippy::float_cmp,
                clippy::cast_possible_truncation,
                reason = "whole numbers only"
            )]
            Some(f) if n.is_f64() && f == f.trunc() && f.abs() < 1e15 => Value::from(f as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), normal(v))).collect(),
        other => other.clone(),
    }
}

fn render(dir: &Path) -> Vec<Value> {
    let rendering = kustomize::render(&dir.to_string_lossy(), &|path| std::fs::read(path));
    rendering
        .result
        .unwrap_or_else(|problem| panic!("{}: {problem}", dir.display()))
}

fn assert_same(what: &str, ours: &[Value], theirs: &[Value]) {
    let name = |v: &Value| format!("{}/{}", v["kind"], v["metadata"]["name"]).replace('"', "");
    let names = |all: &[Value]| all.iter().map(name).collect::<Vec<_>>();
    assert_eq!(names(ours), names(theirs), "{what}: names and order");
    for (a, b) in ours.iter().zip(theirs) {
        let found = diff(&normal(b), &normal(a));
        assert!(
            found.is_empty(),
            "{what}: {}: theirs and ours differ: {found:#?}",
            name(a)
        );
    }
}

/// `kubectl kustomize DIR`; absent, and said, where there is no kubectl.
fn kubectl_kustomize(dir: &Path) -> Option<Vec<Value>> {
    let Ok(out) = Command::new("kubectl").arg("kustomize").arg(dir).output() else {
        eprintln!("skipped: no kubectl to compare {} with", dir.display());
        return None;
    };
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    Some(documents(&String::from_utf8(out.stdout).unwrap()))
}

#[test]
fn renders_what_kubectl_recorded() {
    let fixtures = root().join("tests/it/fixtures/kustomize");
    let mut cases = 0;
    for entry in std::fs::read_dir(&fixtures).unwrap() {
        let dir = entry.unwrap().path();
        let Ok(golden) = std::fs::read_to_string(dir.join("golden.yaml")) else {
            continue;
        };
        cases += 1;
        assert_same(&dir.to_string_lossy(), &render(&dir), &documents(&golden));
    }
    assert_eq!(cases, 9);
}

#[test]
fn renders_what_this_machine_s_kubectl_says() {
    let fixtures = root().join("tests/it/fixtures/kustomize");
    let mut dirs: Vec<PathBuf> = std::fs::read_dir(&fixtures)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    dirs.extend(["executor", "minikube"].map(|name| root().join("overlays").join(name)));
    for dir in dirs {
        let Some(theirs) = kubectl_kustomize(&dir) else {
            return;
        };
        assert_same(&dir.to_string_lossy(), &render(&dir), &theirs);
    }
}

#[test]
fn the_shipped_overlays_need_no_directory() {
    let minikube = Shelf::default().render("minikube").objects.unwrap();
    assert_same(
        "minikube",
        minikube.all(),
        &render(&root().join("overlays/minikube")),
    );
}
