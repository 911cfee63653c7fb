//! Any request at all: the sandbox answers it, and refuses with a Status object.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::{Config, Sandbox};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt as _;

#[derive(Debug, Clone)]
struct Asked {
    method: &'static str,
    uri: String,
    media: &'static str,
    accept: &'static str,
    body: Vec<u8>,
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec![
            "api", "apis", "v1", "batch", "apps", "namespaces", "default", "pods", "jobs", "configmaps", "nodes", "events",
            "events.k8s.io", "storage.k8s.io", "widgets", "x", "status", "log", "scale", "exec", "finalize", "watch", "openapi", "v3",
            "version", "healthz",
        ]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9%._~-]{0,12}",
    ]
}

/// Paths that lead somewhere as often as not.
fn path() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec![
        "/api/v1/namespaces/default/pods",
        "/api/v1/namespaces/default/configmaps",
        "/apis/batch/v1/namespaces/default/jobs",
        "/apis/apps/v1/namespaces/default/deployments",
        "/api/v1/namespaces",
        "/api/v1/nodes",
        "/apis/events.k8s.io/v1/namespaces/default/events",
    ]);
    prop_oneof![
        (kind, prop::collection::vec(segment(), 0..3)).prop_map(|(kind, rest)| [
            vec![kind.to_owned()],
            rest
        ]
        .concat()
        .join("/")),
        prop::collection::vec(segment(), 0..8).prop_map(|parts| format!("/{}", parts.join("/"))),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "limit",
        "continue",
        "resourceVersion",
        "resourceVersionMatch",
        "labelSelector",
        "fieldSelector",
        "dryRun",
        "fieldManager",
        "force",
        "fieldValidation",
        "propagationPolicy",
        "gracePeriodSeconds",
        "tailLines",
        "sinceTime",
        "sinceSeconds",
        "limitBytes",
        "previous",
        "timestamps",
        "container",
        "pretty",
        "sendInitialEvents",
        "allowWatchBookmarks",
        "timeoutSeconds",
    ]);
    let value = prop_oneof![
        Just(String::new()),
        Just("true".to_owned()),
        Just("All".to_owned()),
        Just("0".to_owned()),
        Just("18446744073709551615".to_owned()),
        "-?[0-9]{1,20}",
        "[a-z!=,() %A-F0-9.-]{0,20}".prop_map(|text| text.replace(' ', "+")),
    ];
    prop::collection::vec((name, value), 0..4).prop_map(|pairs| {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    })
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z0-9./:-]{0,12}".prop_map(Value::from),
        Just(json!("v1")),
        Just(json!("x")),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let key = prop::sample::select(vec![
            "apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "spec",
            "status", "data", "template", "containers", "image", "command", "env", "resources", "limits", "selector", "matchLabels",
            "op", "path", "value", "from", "$patch", "$setElementOrder/containers", "$retainKeys", "managedFields", "widget",
        ]);
        prop_oneof![
            3 => prop::collection::btree_map(key, inner.clone(), 0..6)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Value>()),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let named = document().prop_map(|mut document| {
        if let Some(fields) = document.as_object_mut() {
            fields.insert("metadata".to_owned(), json!({"name": "x"}));
        }
        document.to_string().into_bytes()
    });
    prop_oneof![
        2 => named,
        2 => document().prop_map(|document| document.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => Just(Vec::new()),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let method = prop::sample::select(vec![
        "GET", "POST", "PUT", "PATCH", "PATCH", "DELETE", "OPTIONS",
    ]);
    let media = prop::sample::select(vec![
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
        "text/plain",
        "",
    ]);
    let accept = prop::sample::select(vec![
        "",
        "application/json",
        "application/json;as=Table;v=v1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
        "image/png",
    ]);
    (method, path(), query(), media, accept, body()).prop_map(
        |(method, path, query, media, accept, body)| Asked {
            method,
            uri: format!("{path}?{query}"),
            media,
            accept,
            body,
        },
    )
}

async fn answer(sandbox: &Sandbox, asked: &Asked) -> (u16, String) {
    let request = http::Request::builder()
        .method(asked.method)
        .uri(&asked.uri)
        .header("content-type", asked.media)
        .header("accept", asked.accept)
        .body(Full::new(Bytes::from(asked.body.clone())));
    // What is no request at all does not reach the server.
    let Ok(request) = request else {
        return (404, "404 page not found\n".to_owned());
    };
    let answer = sandbox.service().oneshot(request).await.unwrap();
    let code = answer.status().as_u16();
    let body = tokio::time::timeout(Duration::from_mins(1), answer.into_body().collect());
    let body = body.await.expect("an end").unwrap().to_bytes();
    (code, String::from_utf8_lossy(&body).into_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_is_answered_and_every_refusal_is_a_status(all in prop::collection::vec(asked(), 40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let sandbox = Sandbox::start(Config {
                executor: vec!["/bin/false".into()],
                base: "2026-11-24T08:00:00Z".parse().unwrap(),
                faults: Faults::default(),
            })
            .unwrap();
            for asked in &all {
                let (code, body) = answer(&sandbox, asked).await;
                if code < 400 || body == "404 page not found\n" {
                    continue;
                }
                let status: Value = serde_json::from_str(&body).unwrap_or_default();
                prop_assert!(
                    status["kind"] == "Status" && status["status"] == "Failure" && status["code"] == code,
                    "{asked:?}: {code} {body}"
                );
            }
            sandbox.stop().await;
            Ok(())
        })?;
    }
}
