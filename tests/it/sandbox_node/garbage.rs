//! Who goes with whom: owner references, the ways to delete, namespaces.

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, PropagationPolicy};
use llmctl_dev::sandbox::kinds::Kind;
use serde_json::{Value, json};

use super::bench::{Bench, state};

/// A ConfigMap that the Job owns, as a run's payload is.
fn payload(bench: &Bench, job: &Value, name: &str) {
    let map = json!({"metadata": {"namespace": "default", "name": name, "ownerReferences": [{
        "apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"],
    }]}});
    bench.sandbox.store().create(Kind::ConfigMap, map).unwrap();
}

#[tokio::test]
async fn a_ttl_takes_everything_that_the_job_owns() {
    let mut bench = Bench::new();
    let job = bench
        .run("run", "true", |spec| {
            spec["ttlSecondsAfterFinished"] = 60.into();
        })
        .await;
    payload(&bench, &job, "run-payload");
    bench.until_job("run", "Complete").await;
    let pod = bench.until_pod("run", |_| true).await;
    tokio::time::pause();
    bench.until_gone(Kind::ConfigMap, "run-payload").await;
    bench.until_gone(Kind::Job, "run").await;
    let store = bench.sandbox.store();
    assert!(
        store
            .find(
                Kind::Pod,
                "default",
                pod["metadata"]["name"].as_str().unwrap()
            )
            .is_none()
    );
}

#[tokio::test]
async fn in_the_foreground_the_owner_goes_last() {
    let mut bench = Bench::new();
    bench.run("run", "sleep 1000", |_| {}).await;
    let pod = bench.until_pod("run", |pod| state(pod) == "running").await;
    bench
        .jobs()
        .delete("run", &DeleteParams::foreground())
        .await
        .unwrap();
    bench.until_gone(Kind::Job, "run").await;
    let gone = |name: &Value| {
        let name = name.clone();
        move |one: &llmctl_dev::sandbox::store::Change| {
            one.object["metadata"]["name"] == name
                && one.what == llmctl_dev::sandbox::store::Changed::Deleted
        }
    };
    let position = |name: &Value| bench.seen().iter().position(gone(name)).unwrap();
    assert!(position(&pod["metadata"]["name"]) < position(&json!("run")));
}

#[tokio::test]
async fn orphans_stay_without_their_owner() {
    let mut bench = Bench::new();
    let job = bench.run("run", "sleep 1000", |_| {}).await;
    payload(&bench, &job, "kept");
    let pod = bench.until_pod("run", |pod| state(pod) == "running").await;
    let orphan = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Orphan),
        ..DeleteParams::default()
    };
    bench.jobs().delete("run", &orphan).await.unwrap();
    bench.until_gone(Kind::Job, "run").await;
    bench
        .until(|one| one.kind == Kind::Pod && one.object["metadata"].get("finalizers").is_none())
        .await;
    let store = bench.sandbox.store();
    let pod = store
        .find(
            Kind::Pod,
            "default",
            pod["metadata"]["name"].as_str().unwrap(),
        )
        .unwrap();
    assert_eq!(pod["metadata"].get("ownerReferences"), None);
    assert_eq!(pod["metadata"].get("deletionTimestamp"), None);
    let map = store.find(Kind::ConfigMap, "default", "kept").unwrap();
    assert_eq!(map["metadata"].get("ownerReferences"), None);
}

#[tokio::test]
async fn one_owner_of_two_holds() {
    let mut bench = Bench::new();
    let store = bench.sandbox.store().clone();
    let owner = |name: &str| {
        store
            .create(
                Kind::ConfigMap,
                json!({"metadata": {"namespace": "default", "name": name}}),
            )
            .unwrap()
    };
    let (one, two) = (owner("one"), owner("two"));
    let reference = |owner: &Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]});
    let owned = json!({"metadata": {"namespace": "default", "name": "owned", "ownerReferences": [reference(&one), reference(&two)]}});
    store.create(Kind::ConfigMap, owned).unwrap();
    store.remove(Kind::ConfigMap, "default", "one");
    let left = bench
        .until(|change| {
            change.object["metadata"]["name"] == "owned"
                && change.object["metadata"]["ownerReferences"]
                    .as_array()
                    .is_some_and(|all| all.len() == 1)
        })
        .await;
    assert_eq!(left.object["metadata"]["ownerReferences"][0]["name"], "two");
    store.remove(Kind::ConfigMap, "default", "two");
    bench.until_gone(Kind::ConfigMap, "owned").await;
}

#[tokio::test]
async fn a_namespace_takes_its_processes_along() {
    let mut bench = Bench::new();
    let namespaces: Api<Namespace> = Api::all(bench.client.clone());
    let made = serde_json::from_value(json!({"metadata": {"name": "short"}})).unwrap();
    namespaces
        .create(&kube::api::PostParams::default(), &made)
        .await
        .unwrap();
    bench
        .until(|one| {
            one.kind == Kind::ServiceAccount && one.object["metadata"]["namespace"] == "short"
        })
        .await;
    let pod = json!({"metadata": {"namespace": "short", "name": "p"}, "spec": {
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "c", "image": super::bench::IMAGE, "imagePullPolicy": "Never", "command": ["sleep", "1000"]}],
    }});
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(bench.client.clone(), "short");
    pods.create(
        &kube::api::PostParams::default(),
        &serde_json::from_value(pod).unwrap(),
    )
    .await
    .unwrap();
    bench
        .until(|one| one.kind == Kind::Pod && state(&one.object) == "running")
        .await;
    namespaces
        .delete("short", &DeleteParams::default())
        .await
        .unwrap();
    bench.until_gone(Kind::Namespace, "short").await;
    for kind in Kind::all().filter(|kind| kind.namespaced()) {
        assert!(
            bench.sandbox.store().list(kind, Some("short")).1.is_empty(),
            "{kind}"
        );
    }
}
