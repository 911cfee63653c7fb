//! Deployments with their replica sets and pods.

use serde_json::{Value, json};

use super::place::{PATIENCE, Place};
use super::scene::{Scene, conditions, pod_spec};

fn deployment(script: &str, replicas: u64) -> Value {
    let mut spec = pod_spec(script);
    spec["restartPolicy"] = "Always".into();
    json!({"metadata": {"name": "web"}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}}})
}

async fn until(
    scene: &Scene<'_>,
    resource: &str,
    what: &str,
    fits: impl Fn(&Value) -> bool,
) -> Value {
    let look = async {
        loop {
            let now = scene.done("GET", resource, Value::Null).await;
            if fits(&now) {
                return now;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, look).await;
    found.unwrap_or_else(|_| panic!("{resource} never came to: {what}"))
}

pub(super) async fn deployments(place: &Place) -> Vec<String> {
    let mut scene = Scene::open(place).await;
    scene
        .done("POST", "deployments", deployment("sleep 600", 2))
        .await;
    let ready = |count: u64| {
        move |web: &Value| {
            web["status"]["readyReplicas"].as_u64().unwrap_or(0) == count
                && web["status"]["observedGeneration"] == web["metadata"]["generation"]
                && web["status"]["replicas"].as_u64().unwrap_or(0) == count
                && web["status"]["updatedReplicas"].as_u64().unwrap_or(0) == count
        }
    };
    let mut lines = Vec::new();
    let tell = |scene: &Scene<'_>, web: &Value, lines: &mut Vec<String>| {
        let status = &web["status"];
        lines.push(format!(
            "replicas {} ready {} available {} updated {} unavailable {} revision {}",
            status["replicas"],
            status["readyReplicas"],
            status["availableReplicas"],
            status["updatedReplicas"],
            status["unavailableReplicas"],
            web["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        ));
        let mut all: Vec<String> = conditions(web)
            .into_iter()
            .map(|line| hashed(&scene.plain(line.into())))
            .collect();
        all.sort();
        lines.extend(all);
    };
    let web = until(&scene, "deployments/web", "two ready", ready(2)).await;
    let web = if conditions(&web)
        .iter()
        .any(|one| one.contains("NewReplicaSetAvailable"))
    {
        web
    } else {
        until(&scene, "deployments/web", "progressed", |web| {
            conditions(web)
                .iter()
                .any(|one| one.contains("NewReplicaSetAvailable"))
        })
        .await
    };
    tell(&scene, &web, &mut lines);
    let sets = scene.done("GET", "replicasets", Value::Null).await;
    let set = &sets["items"][0];
    let hash = set["metadata"]["labels"]["pod-template-hash"]
        .as_str()
        .unwrap();
    lines.push(format!(
        "set is named by its hash {} owned by {} selects it {}",
        set["metadata"]["name"] == format!("web-{hash}"),
        set["metadata"]["ownerReferences"][0]["kind"],
        set["spec"]["selector"]["matchLabels"]["pod-template-hash"] == hash
    ));
    let pods = scene.done("GET", "pods", Value::Null).await;
    let pod = &pods["items"][0]["metadata"];
    lines.push(format!(
        "pod owned by {} generated from the set {} hashed {}",
        pod["ownerReferences"][0]["kind"],
        pod["generateName"] == format!("web-{hash}-"),
        pod["labels"]["pod-template-hash"] == hash
    ));
    scene
        .done(
            "PATCH",
            "deployments/web/scale",
            json!({"spec": {"replicas": 1}}),
        )
        .await;
    let web = until(&scene, "deployments/web", "one ready", ready(1)).await;
    tell(&scene, &web, &mut lines);
    let change = json!({"spec": {"template": {"metadata": {"annotations": {"changed": "yes"}}}}});
    scene.done("PATCH", "deployments/web", change).await;
    let web = until(&scene, "deployments/web", "rolled out", |web| {
        ready(1)(web) && web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    })
    .await;
    tell(&scene, &web, &mut lines);
    scene.settle().await;
    lines.extend(
        scene
            .events("web")
            .into_iter()
            .filter(|line| line.starts_with("Deployment"))
            .map(|line| hashed(&line)),
    );
    scene.done("DELETE", "deployments/web", Value::Null).await;
    let left = async |resource: &str| {
        until(&scene, resource, "none", |list| {
            list["items"].as_array().unwrap().is_empty()
        })
        .await
    };
    left("replicasets").await;
    left("pods").await;
    lines.push("sets and pods went with it".to_owned());
    lines
}

/// Names of replica sets end with a hash that each side makes in its own way.
fn hashed(line: &str) -> String {
    let name = regex::Regex::new(r"web-[0-9a-z]{8,10}").unwrap();
    name.replace_all(line, "web-$$hash").into_owned()
}
