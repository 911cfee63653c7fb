//! The sandbox's API through a client that nobody here wrote.

use std::pin::pin;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::{
    Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::core::Status;
use kube::{Client, Error};
use llmctl_dev::sandbox::faults::{Faults, Refusal};
use llmctl_dev::sandbox::{Config, Sandbox};
use serde_json::{Value, json};

fn sandbox() -> Sandbox {
    Sandbox::start(Config {
        executor: vec!["/bin/false".into()],
        base: "2026-11-24T08:00:00Z".parse().unwrap(),
        faults: Faults::default(),
    })
    .unwrap()
}

fn client(sandbox: &Sandbox) -> Client {
    Client::new(sandbox.service(), "default")
}

fn config_map(name: &str, data: &Value) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": data})).unwrap()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Box<Status> {
    match result {
        Err(Error::Api(status)) => status,
        other => panic!("expected a Status, got {other:?}"),
    }
}

#[tokio::test]
async fn a_new_cluster_has_what_every_cluster_has() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    assert_eq!(
        client.apiserver_version().await.unwrap().git_version,
        "v1.34.4-sandbox"
    );
    let namespaces = Api::<Namespace>::all(client.clone())
        .list(&ListParams::default())
        .await
        .unwrap();
    let names: Vec<&str> = namespaces
        .iter()
        .filter_map(|ns| ns.metadata.name.as_deref())
        .collect();
    assert_eq!(
        names,
        ["default", "kube-node-lease", "kube-public", "kube-system"]
    );
    Api::<ConfigMap>::namespaced(client, "kube-system")
        .get("kube-root-ca.crt")
        .await
        .unwrap();
}

#[tokio::test]
async fn an_object_is_made_changed_and_removed() {
    let sandbox = sandbox();
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&sandbox));
    let mut made = maps
        .create(&PostParams::default(), &config_map("x", &json!({"a": "1"})))
        .await
        .unwrap();
    let again = config_map("x", &json!({}));
    let taken = refusal(maps.create(&PostParams::default(), &again).await);
    assert_eq!((taken.code, taken.reason.as_str()), (409, "AlreadyExists"));

    made.data.as_mut().unwrap().insert("b".into(), "2".into());
    let newer = maps
        .replace("x", &PostParams::default(), &made)
        .await
        .unwrap();
    let late = refusal(maps.replace("x", &PostParams::default(), &made).await);
    assert_eq!((late.code, late.reason.as_str()), (409, "Conflict"));
    assert!(
        late.message
            .ends_with("please apply your changes to the latest version and try again")
    );

    let patch = Patch::Merge(json!({"data": {"a": null, "c": "3"}}));
    let patched = maps
        .patch("x", &PatchParams::default(), &patch)
        .await
        .unwrap();
    assert_eq!(
        patched.data.unwrap().into_keys().collect::<Vec<_>>(),
        ["b", "c"]
    );
    assert_ne!(
        patched.metadata.resource_version,
        newer.metadata.resource_version
    );

    maps.delete("x", &DeleteParams::default())
        .await
        .unwrap()
        .right()
        .unwrap();
    let gone = refusal(maps.get("x").await);
    assert_eq!(gone.message, r#"configmaps "x" not found"#);
}

#[tokio::test]
async fn lists_come_in_pages_of_one_moment() {
    let sandbox = sandbox();
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&sandbox));
    for index in 0..5 {
        maps.create(
            &PostParams::default(),
            &config_map(&format!("m{index}"), &json!({})),
        )
        .await
        .unwrap();
    }
    let page = maps.list(&ListParams::default().limit(3)).await.unwrap();
    assert_eq!(
        (page.items.len(), page.metadata.remaining_item_count),
        (3, Some(3))
    );
    maps.create(&PostParams::default(), &config_map("m9", &json!({})))
        .await
        .unwrap();
    let token = page.metadata.continue_.unwrap();
    let rest = maps
        .list(&ListParams::default().continue_token(&token))
        .await
        .unwrap();
    let names: Vec<String> = rest
        .into_iter()
        .filter_map(|map| map.metadata.name)
        .collect();
    assert_eq!(
        names,
        ["m2", "m3", "m4"],
        "what was made between the pages is not in them"
    );
    sandbox.store().compact();
    let expired = refusal(
        maps.list(&ListParams::default().continue_token(&token))
            .await,
    );
    assert_eq!((expired.code, expired.reason.as_str()), (410, "Expired"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_resumes_without_loss_and_ends_in_time() {
    let sandbox = sandbox();
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&sandbox));
    let start = maps
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    maps.create(&PostParams::default(), &config_map("x", &json!({})))
        .await
        .unwrap();
    let relabel = |labels: Value| Patch::Merge(json!({"metadata": {"labels": labels}}));
    for labels in [json!({"a": "b"}), json!({"a": "c"})] {
        maps.patch("x", &PatchParams::default(), &relabel(labels))
            .await
            .unwrap();
    }
    maps.delete("x", &DeleteParams::default()).await.unwrap();
    let seen = |params: WatchParams| {
        let maps = maps.clone();
        let start = start.clone();
        async move {
            let mut seen = Vec::new();
            let mut events = pin!(maps.watch(&params, &start).await.unwrap());
            while let Some(event) = events.try_next().await.unwrap() {
                seen.push(match event {
                    WatchEvent::Added(_) => "added",
                    WatchEvent::Modified(_) => "modified",
                    WatchEvent::Deleted(_) => "deleted",
                    WatchEvent::Bookmark(_) => "bookmark",
                    WatchEvent::Error(_) => "error",
                });
            }
            seen
        }
    };
    let brief = WatchParams::default().timeout(20).disable_bookmarks();
    assert_eq!(
        seen(brief.clone()).await,
        ["added", "modified", "modified", "deleted"]
    );
    assert_eq!(
        seen(brief.clone().labels("a=b")).await,
        ["added", "deleted"]
    );
    sandbox.store().compact();
    assert_eq!(seen(brief).await, ["error"]);
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_ends_with_its_bookmark() {
    let sandbox = sandbox();
    let namespaces: Api<Namespace> = Api::all(client(&sandbox));
    let params = WatchParams::default().initial_events().timeout(90);
    let mut events = pin!(namespaces.watch(&params, "0").await.unwrap());
    let mut added = 0;
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            WatchEvent::Added(_) => added += 1,
            WatchEvent::Bookmark(mark) => {
                assert_eq!(
                    mark.metadata.annotations["k8s.io/initial-events-end"],
                    "true"
                );
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(added, 4);
    sandbox.faults().drop_watches();
    assert!(events.next().await.is_none(), "a dropped watch ends");
}

#[tokio::test(start_paused = true)]
async fn faults_are_seen_by_clients_and_pass() {
    let sandbox = sandbox();
    let pods: Api<Pod> = Api::default_namespaced(client(&sandbox));
    sandbox.faults().refuse(Refusal::TooManyRequests(7), 1);
    let busy = refusal(pods.list(&ListParams::default()).await);
    assert_eq!(
        (busy.code, busy.details.unwrap().retry_after_seconds),
        (429, 7)
    );
    sandbox.faults().api_down(Duration::from_secs(30));
    assert!(matches!(
        pods.list(&ListParams::default()).await,
        Err(Error::Service(_))
    ));
    tokio::time::advance(Duration::from_secs(31)).await;
    pods.list(&ListParams::default()).await.unwrap();
}

#[tokio::test]
async fn a_namespace_takes_its_content_along() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let home: Namespace = serde_json::from_value(json!({"metadata": {"name": "team"}})).unwrap();
    namespaces
        .create(&PostParams::default(), &home)
        .await
        .unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(client, "team");
    maps.create(&PostParams::default(), &config_map("x", &json!({})))
        .await
        .unwrap();
    let mut changes = sandbox.store().changes();
    namespaces
        .delete("team", &DeleteParams::default())
        .await
        .unwrap();
    while namespaces.get_opt("team").await.unwrap().is_some() {
        changes.next().await.unwrap();
    }
    assert!(
        maps.list(&ListParams::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let nowhere = refusal(
        maps.create(&PostParams::default(), &config_map("y", &json!({})))
            .await,
    );
    assert_eq!(nowhere.message, r#"namespaces "team" not found"#);
}

#[tokio::test]
async fn an_apply_owns_conflicts_and_leaves() {
    let sandbox = sandbox();
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&sandbox));
    let config = |data: Value| {
        Patch::Apply(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}),
        )
    };
    let (one, two) = (PatchParams::apply("one"), PatchParams::apply("two"));
    let made = maps
        .patch("x", &one, &config(json!({"a": "1", "b": "1"})))
        .await
        .unwrap();
    let again = maps
        .patch("x", &one, &config(json!({"a": "1", "b": "1"})))
        .await
        .unwrap();
    assert_eq!(made, again, "an apply that changes nothing writes nothing");

    let conflict = refusal(maps.patch("x", &two, &config(json!({"a": "2"}))).await);
    assert_eq!((conflict.code, conflict.reason.as_str()), (409, "Conflict"));
    assert_eq!(
        conflict.message,
        r#"Apply failed with 1 conflict: conflict with "one": .data.a"#
    );
    let cause = conflict.details.unwrap().causes.remove(0);
    assert_eq!(
        (cause.reason.as_str(), cause.field.as_str()),
        ("FieldManagerConflict", ".data.a")
    );

    let dry = PatchParams {
        dry_run: true,
        ..two.clone().force()
    };
    let would = maps
        .patch("x", &dry, &config(json!({"a": "2"})))
        .await
        .unwrap();
    assert_eq!(would.data.unwrap()["a"], "2");
    assert_eq!(
        maps.get("x").await.unwrap().data.unwrap()["a"],
        "1",
        "a dry run stores nothing"
    );

    maps.patch("x", &two.force(), &config(json!({"a": "2"})))
        .await
        .unwrap();
    let left = maps
        .patch("x", &one, &config(json!({"c": "3"})))
        .await
        .unwrap();
    assert_eq!(
        json!(left.data),
        json!({"a": "2", "c": "3"}),
        "b left with its owner, a stayed with its new one"
    );
}

/// Sends a request and gives the code and message of its refusal, or the code alone.
async fn answer(
    client: &Client,
    method: &str,
    path: &str,
    media: &str,
    body: Vec<u8>,
) -> (u16, String) {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", media)
        .body(body)
        .unwrap();
    match client.request::<Value>(request).await {
        Ok(_) => (200, String::new()),
        Err(Error::Api(status)) => (status.code, status.message),
        Err(other) => panic!("{method} {path}: {other}"),
    }
}

#[tokio::test]
async fn bad_input_is_refused_in_the_real_servers_words() {
    const MAPS: &str = "/api/v1/namespaces/default/configmaps";
    const STRICT: &str = "/api/v1/namespaces/default/pods?fieldValidation=Strict";
    const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";
    let sandbox = sandbox();
    let client = client(&sandbox);
    let container = json!({"name": "c", "image": "x:1"});
    let pod = |spec: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec});
    let job = |policy: &str| {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"},
            "spec": {"template": {"spec": {"restartPolicy": policy, "containers": [container]}}}})
    };
    let refused: &[(&str, Value, u16, &str)] = &[
        (
            MAPS,
            json!({"metadata": {"name": "a".repeat(300)}}),
            422,
            "must be no more than 253 characters",
        ),
        (
            MAPS,
            json!({"metadata": {"name": "x", "labels": {"a": 1}}}),
            400,
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            MAPS,
            json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x"}}),
            400,
            "Pod in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion",
        ),
        (
            MAPS,
            json!({"metadata": {"name": "x", "namespace": "other"}}),
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            STRICT,
            pod(json!({"containers": [container], "bar": 2})),
            400,
            "strict decoding error: unknown field \"spec.bar\"",
        ),
        (
            STRICT,
            pod(json!({"containers": []})),
            422,
            "Pod \"p\" is invalid: spec.containers: Required value",
        ),
        (
            STRICT,
            pod(json!({"containers": [container], "serviceAccountName": "nosuch"})),
            403,
            "error looking up service account default/nosuch: serviceaccount \"nosuch\" not found",
        ),
        (
            JOBS,
            job("Always"),
            422,
            "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"",
        ),
    ];
    for (path, body, code, words) in refused {
        let (got, message) = answer(
            &client,
            "POST",
            path,
            "application/json",
            body.to_string().into(),
        )
        .await;
        assert_eq!(got, *code, "{path}: {message}");
        assert!(message.contains(words), "{message}");
    }
    let large = format!(
        "{{\"metadata\":{{\"name\":\"x\"}},\"data\":{{\"a\":\"{}\"}}}}",
        "x".repeat(3 << 20)
    );
    assert_eq!(
        answer(&client, "POST", MAPS, "application/json", large.into())
            .await
            .0,
        413
    );
    assert_eq!(
        answer(&client, "POST", MAPS, "application/json", b"{".to_vec())
            .await
            .0,
        400
    );
    assert_eq!(
        answer(&client, "POST", MAPS, "text/plain", b"x".to_vec())
            .await
            .0,
        415
    );
    let deep = "[".repeat(5000).into_bytes();
    assert_eq!(
        answer(&client, "POST", MAPS, "application/json", deep)
            .await
            .0,
        400
    );
    let yaml = b"metadata: {name: from-yaml}\ndata: {a: b}".to_vec();
    assert_eq!(
        answer(&client, "POST", MAPS, "application/yaml", yaml)
            .await
            .0,
        200
    );

    assert_eq!(
        answer(
            &client,
            "POST",
            JOBS,
            "application/json",
            job("Never").to_string().into()
        )
        .await
        .0,
        200
    );
    let one = format!("{JOBS}/j");
    let merge = "application/merge-patch+json";
    for (patch, words) in [
        (
            json!({"spec": {"completions": 3}}),
            "spec.completions: Invalid value: 3: field is immutable",
        ),
        (
            json!({"spec": {"template": {"spec": {"restartPolicy": "OnFailure"}}}}),
            "field is immutable",
        ),
        (
            json!({"spec": {"backoffLimit": -1}}),
            "must be greater than or equal to 0",
        ),
        (
            json!({"spec": {"backoffLimit": "x"}}),
            "cannot unmarshal string into Go struct field JobSpec.spec.backoffLimit of type int32",
        ),
    ] {
        let (code, message) = answer(&client, "PATCH", &one, merge, patch.to_string().into()).await;
        assert_eq!(code, 422, "{patch}");
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn what_is_not_imitated_is_said() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let sets: Api<k8s_openapi::api::apps::v1::StatefulSet> =
        Api::default_namespaced(client.clone());
    let refused = refusal(sets.list(&ListParams::default()).await);
    assert_eq!(refused.code, 501);
    assert!(
        refused
            .message
            .contains("GET /apis/apps/v1/namespaces/default/statefulsets")
    );
    let jobs: Api<Job> = Api::default_namespaced(client);
    assert_eq!(
        refusal(jobs.get("none").await).message,
        r#"jobs.batch "none" not found"#
    );
}
