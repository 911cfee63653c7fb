//! The migration of stored settings and run rows, on real databases.

pub(crate) mod postgres;
mod program;
mod property;
mod signals;
mod sqlite;

use llmctl_dev::database::crypto::Secret;
use llmctl_dev::database::migration::Request;
use llmctl_dev::domain::migration::Options;
use llmctl_dev::domain::migration::backup::Line;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a test asks for: Studio's secret is its default, as in the recorded tables.
fn request() -> Request {
    Request {
        options: Options::default(),
        secret: Some(Secret::new("dev")),
        now: "2026-03-01T12:00:00Z".parse().unwrap(),
        patience: Duration::from_secs(10),
    }
}

/// A backup that nobody wants to see.
#[allow(
    clippy::unnecessary_wraps,
    reason = "the shape of what takes a backup's lines"
)]
fn nowhere(_: Line<'_>) -> std::io::Result<()> {
    Ok(())
}

/// A recorded table of settings, and what the migration makes of it.
pub(crate) struct Recorded {
    name: String,
    pub(crate) before: BTreeMap<String, String>,
    /// By key; an encrypted value is only its prefix.
    after: BTreeMap<String, String>,
}

/// The ten recorded tables. The result is stated from what Studio's newest revision left of each, with the differences
/// that are meant: no default is frozen into a row, a customised image is carried over, nothing is lost or refused.
pub(crate) fn recorded() -> Vec<Recorded> {
    let text = include_str!("fixtures/legacy-settings.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let table = |value: &Value| -> BTreeMap<String, String> {
        serde_json::from_value(value.clone()).unwrap()
    };
    let cases = document["cases"].as_array().unwrap();
    let recorded: Vec<Recorded> = cases
        .iter()
        .map(|case| {
            let name = case["name"].as_str().unwrap().to_owned();
            let before = table(&case["before"]);
            let studio = &case["python_after_at_newest"]["rows"];
            let mut after = if studio.is_null() {
                // Studio refuses to start with it; the other rows are the defaults.
                let mut rows = before.clone();
                rows.retain(|key, _| !GONE.contains(&key.as_str()));
                rows
            } else {
                let mut rows = table(studio);
                rows.retain(|key, _| before.contains_key(key));
                rows
            };
            after.remove("k8s_image");
            after.remove("k8s_image_tag");
            for (key, value) in meant(&name) {
                after.insert((*key).into(), (*value).into());
            }
            if name == "kubeconfig_other_secret" {
                let key = "k8s_kubeconfig".to_owned();
                after.insert(key.clone(), before[&key].clone());
            }
            if name == "kubernetes_customised" {
                let key = "k8s_kubeconfig".to_owned();
                after.insert(key.clone(), before[&key].clone());
            }
            Recorded {
                name,
                before,
                after,
            }
        })
        .collect();
    assert_eq!(recorded.len(), 10);
    recorded
}

const GONE: [&str; 12] = [
    "fallback_provider",
    "fallback_enabled",
    "fallback_on_dispatch_error",
    "workspace_root",
    "docker_host",
    "docker_image",
    "docker_network",
    "docker_pull_policy",
    "docker_env_json",
    "docker_api_stall_seconds",
    "k8s_image",
    "k8s_image_tag",
];

/// Where a recorded table becomes something else than Studio made of it.
fn meant(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "kubernetes_customised" => &[(
            "k8s_frontier_image",
            "registry.example.test:5000/llmctl-executor:7",
        )],
        "k8s_image_and_tag_2026_02_17" => &[
            (
                "k8s_frontier_image",
                "registry.example.test:5000/llmctl-executor:latest",
            ),
            ("k8s_frontier_image_tag", "0.0.3"),
        ],
        "plaintext_kubeconfig" => &[("k8s_kubeconfig", "enc:v1:")],
        _ => &[],
    }
}

/// An SQL text.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
