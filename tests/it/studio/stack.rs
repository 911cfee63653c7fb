//! Studio in a cluster that answers from a function: its database found, its page read and written, and the refusals.

use crate::support::fake_api::{self, Answer, Asked};
use llmctl_dev::cluster::Cluster;
use llmctl_dev::cluster::studio::StudioError;
use llmctl_dev::cluster::studio::page::PageError;
use llmctl_dev::domain::settings::held::StoredChange;
use llmctl_dev::domain::settings::key::Key;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};

const READ: &str =
    "/api/v1/namespaces/llmctl/services/llmctl-studio-backend:5155/proxy/api/settings/runtime";

/// Studio's page, which takes a missing field for blank or false as the real one does (contract 8.3), clamps, and refuses.
fn studio(rows: &[(&str, &str)]) -> (Cluster, Arc<Mutex<Map<String, Value>>>) {
    let rows: Map<String, Value> = rows
        .iter()
        .map(|(key, text)| ((*key).to_owned(), json!(text)))
        .collect();
    let rows = Arc::new(Mutex::new(rows));
    let stored = rows.clone();
    let (cluster, _) = fake_api::cluster(move |asked: &Asked| {
        let mut rows = stored.lock().unwrap();
        let settings =
            |rows: &Map<String, Value>| json!({"node_executor_settings": rows, "ok": true});
        match (&asked.method[..], asked.path.strip_prefix(READ)) {
            ("GET", Some("")) => Answer::Json(200, settings(&rows)),
            ("POST", Some("/node-executor")) => {
                if asked.body["k8s_namespace"] == "refuse-me" {
                    return Answer::Json(400, json!({"error": "namespace is refused"}));
                }
                for key in Key::ALL
                    .into_iter()
                    .filter(|key| key.is_studio_row() && !key.is_secret())
                {
                    let text = asked.body[key.name()].as_str().unwrap_or_default();
                    let text = if text == "3600" { "3599" } else { text };
                    rows.insert(key.name().to_owned(), text.into());
                }
                assert_eq!(asked.body["k8s_kubeconfig"], "");
                assert_eq!(asked.body["k8s_kubeconfig_clear"], "false");
                Answer::Json(200, settings(&rows))
            }
            _ => Answer::status(
                404,
                "NotFound",
                "services \"llmctl-studio-backend\" not found",
            ),
        }
    });
    (cluster, rows)
}

fn change(key: Key, from: &str, to: &str) -> StoredChange {
    StoredChange {
        key,
        from: Some(from.into()),
        to: Some(to.into()),
    }
}

#[tokio::test]
async fn the_page_gets_every_field_and_loses_none() {
    let rows = [
        ("agent_runtime_cutover_enabled", "true"),
        ("k8s_gpu_limit", "1"),
        ("k8s_namespace", "llmctl"),
        ("k8s_vllm_image_tag", "7"),
        ("k8s_effective_vllm_image", "x:7"),
    ];
    let (cluster, stored) = studio(&rows);
    let page = cluster.studio_page("llmctl").await.unwrap();
    cluster
        .save_studio_page(&page, &[change(Key::K8sGpuLimit, "1", "2")])
        .await
        .unwrap();
    let now = stored.lock().unwrap().clone();
    for (key, text) in [
        ("agent_runtime_cutover_enabled", "true"),
        ("k8s_gpu_limit", "2"),
        ("k8s_namespace", "llmctl"),
        ("k8s_vllm_image_tag", "7"),
        ("provider", "kubernetes"),
    ] {
        assert_eq!(now[key], text, "{key}");
    }
    // It is not the page that was read any more.
    let error = cluster
        .save_studio_page(&page, &[change(Key::K8sGpuLimit, "1", "3")])
        .await;
    assert!(
        matches!(&error, Err(PageError::Changed { keys }) if keys.contains(&"k8s_gpu_limit".to_owned())),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_the_page_refuses_or_bends_is_told() {
    let (cluster, _) = studio(&[("k8s_job_ttl_seconds", "60")]);
    let page = cluster.studio_page("llmctl").await.unwrap();
    let error = cluster
        .save_studio_page(&page, &[change(Key::K8sNamespace, "", "refuse-me")])
        .await;
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("namespace is refused")
    );
    let error = cluster
        .save_studio_page(&page, &[change(Key::K8sJobTtlSeconds, "60", "3600")])
        .await;
    assert!(matches!(error, Err(PageError::Bent { .. })), "{error:?}");
    let error = cluster
        .studio_page("nowhere")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("llmctl-studio-backend") && error.contains("--via http"),
        "{error}"
    );
    let (other, _) = fake_api::cluster(|_| Answer::Json(200, json!({"hello": 1})));
    let error = other.studio_page("llmctl").await.unwrap_err();
    assert!(matches!(error, PageError::NoStudio { .. }), "{error}");
}

/// The objects of the stack that lead to its database.
fn stack(ready: bool) -> impl FnMut(&Asked) -> Answer {
    move |asked: &Asked| {
        let last = asked.path.rsplit('/').next().unwrap_or_default();
        match last {
            "llmctl-studio-config" => {
                Answer::Json(200, json!({"data": {"LLMCTL_POSTGRES_DB": "other_db"}}))
            }
            // `planted s3cret` and `planted-flask`
            "llmctl-studio-secrets" => Answer::Json(
                200,
                json!({"data": {"LLMCTL_POSTGRES_PASSWORD": "cGxhbnRlZCBzM2NyZXQ=", "FLASK_SECRET_KEY": "cGxhbnRlZC1mbGFzaw=="}}),
            ),
            "llmctl-postgres" => Answer::Json(
                200,
                json!({"spec": {"selector": {"app": "db"}, "ports": [{"port": 5432}]}}),
            ),
            "pods" => {
                assert_eq!(asked.parameter("labelSelector"), Some("app%3Ddb"));
                let status = if ready { "True" } else { "False" };
                let pod = json!({"metadata": {"name": "db-0"}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status}]}});
                Answer::list(&[pod], 1)
            }
            "portforward" => Answer::status(501, "NotImplemented", "not here"),
            _ => Answer::status(404, "NotFound", "not found"),
        }
    }
}

#[tokio::test]
async fn the_database_is_found_and_its_credentials_are_not_seen() {
    let (cluster, _) = fake_api::cluster(stack(true));
    let found = cluster.studio_database("llmctl").await.unwrap();
    assert_eq!(
        (
            &found.user[..],
            &found.database[..],
            &found.pod[..],
            found.port
        ),
        ("llmctl", "other_db", "db-0", 5432)
    );
    assert_eq!(found.password.reveal(), "planted s3cret");
    let shown = format!("{found:?} {}", found.place());
    assert!(!shown.contains("planted"), "{shown}");
    // A cluster that forwards no ports says so, and the way around it.
    let error = cluster.forward_to(&found).await.err().unwrap().to_string();
    assert!(
        error.contains("no port-forward") && error.contains("--postgres"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_missing_is_named_with_the_next_step() {
    let (cluster, _) = fake_api::cluster(stack(false));
    let error = cluster.studio_database("llmctl").await.unwrap_err();
    assert!(
        matches!(&error, StudioError::NotReady { found, .. } if found == "db-0 Running"),
        "{error}"
    );
    let (cluster, _) = fake_api::cluster(|_: &Asked| Answer::status(404, "NotFound", "not found"));
    let error = cluster.studio_database("llmctl").await.unwrap_err();
    assert!(matches!(error, StudioError::NoPassword { .. }), "{error}");
    assert!(!cluster.has_studio_database("llmctl").await.unwrap());
}
