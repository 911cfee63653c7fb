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
                // Since the image was split, its old fields are refused (contract 8.3).
                assert_eq!(asked.body["k8s_image"], Value::Null);
                assert_eq!(asked.body["k8s_image_tag"], Value::Null);
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

/// The fields of a save that the contract names (3.1); one that is missing becomes blank or false.
const FIELDS: [&str; 20] = [
    "agent_runtime_cutover_enabled",
    "cancel_force_kill_enabled",
    "cancel_grace_timeout_seconds",
    "dispatch_timeout_seconds",
    "execution_timeout_seconds",
    "k8s_frontier_image",
    "k8s_frontier_image_tag",
    "k8s_gpu_limit",
    "k8s_image_pull_secrets_json",
    "k8s_in_cluster",
    "k8s_job_ttl_seconds",
    "k8s_kubeconfig",
    "k8s_kubeconfig_clear",
    "k8s_namespace",
    "k8s_service_account",
    "k8s_vllm_image",
    "k8s_vllm_image_tag",
    "log_collection_timeout_seconds",
    "provider",
    "workspace_identity_key",
];

#[tokio::test]
async fn w47_a_save_sends_every_field_that_the_page_knows() {
    let sent = Arc::new(Mutex::new(Value::Null));
    let kept = sent.clone();
    let (cluster, _) = fake_api::cluster(move |asked: &Asked| {
        if asked.method == "POST" {
            *kept.lock().unwrap() = asked.body.clone();
        }
        Answer::Json(
            200,
            json!({"node_executor_settings": {"k8s_gpu_limit": "1"}}),
        )
    });
    let page = cluster.studio_page("llmctl").await.unwrap();
    let changes = [change(Key::K8sGpuLimit, "1", "1")];
    cluster.save_studio_page(&page, &changes).await.unwrap();
    let sent = sent.lock().unwrap().clone();
    let mut fields: Vec<&str> = sent
        .as_object()
        .unwrap()
        .keys()
        .map(|key| &key[..])
        .collect();
    fields.sort_unstable();
    assert_eq!(fields, FIELDS);
    assert_eq!(sent["provider"], "kubernetes");
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

/// Studio's page, whose reading or writing is answered by `fault` instead.
async fn faulty(
    method: &'static str,
    fault: impl Fn() -> Answer + Send + 'static,
) -> Result<(), PageError> {
    let settings = json!({"node_executor_settings": {"k8s_gpu_limit": "1"}});
    let (cluster, _) = fake_api::cluster(move |asked: &Asked| {
        if asked.method == method {
            return fault();
        }
        Answer::Json(200, settings.clone())
    });
    let page = cluster.studio_page("llmctl").await?;
    let changes = [change(Key::K8sGpuLimit, "1", "2")];
    cluster.save_studio_page(&page, &changes).await
}

const LOGIN: &str = "<!doctype html><title>Sign in</title>planted-page";

#[tokio::test(start_paused = true)]
async fn every_other_answer_to_a_read_is_told_for_what_it_is() {
    type Fault = fn() -> Answer;
    let faults: [(Fault, &str); 9] = [
        (
            || Answer::Json(401, json!({"error": "login required"})),
            "asks for a login, status 401",
        ),
        (|| Answer::Text(302, LOGIN), "asks for a login, status 302"),
        (|| Answer::Text(200, LOGIN), "a web page, status 200"),
        (|| Answer::Text(404, "not found"), "status 404"),
        (|| Answer::Text(500, LOGIN), "a web page, status 500"),
        (
            || Answer::Json(200, json!([1])),
            "no Studio with executor settings",
        ),
        (
            || {
                Answer::status(
                    503,
                    "ServiceUnavailable",
                    "no endpoints available for service",
                )
            },
            "no endpoints available",
        ),
        (
            || Answer::status(403, "Forbidden", "services is forbidden"),
            "services/proxy",
        ),
        (|| Answer::Silence, "no answer within"),
    ];
    for (fault, told) in faults {
        let error = faulty("GET", fault).await.unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
        assert!(error.contains("--via http"), "{error}");
        assert!(!error.contains("planted"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_not_answered_properly_may_have_been_made() {
    type Fault = fn() -> Answer;
    let faults: [Fault; 5] = [
        || Answer::Silence,
        || Answer::Refuse,
        || Answer::Text(200, LOGIN),
        || Answer::Text(500, LOGIN),
        || {
            Answer::status(
                503,
                "ServiceUnavailable",
                "error trying to reach service: EOF",
            )
        },
    ];
    for fault in faults {
        let error = faulty("POST", fault).await.unwrap_err();
        assert!(matches!(error, PageError::Uncertain { .. }), "{error}");
    }
    for (code, refused) in [
        (400, true),
        (409, true),
        (401, false),
        (302, false),
        (404, false),
    ] {
        let fault = move || Answer::Json(code, json!({"error": "the reason"}));
        let error = faulty("POST", fault).await.unwrap_err();
        match error {
            PageError::Refused { reason } => assert!(refused && reason == "the reason"),
            PageError::NoStudio { .. } => assert!(!refused, "{code}"),
            other => panic!("{code}: {other}"),
        }
    }
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
