//! Deployments over ReplicaSets over pods.

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use llmctl_dev::sandbox::kinds::Kind;
use serde_json::{Value, json};

use super::bench::{Bench, IMAGE, has_condition};

fn deployments(bench: &Bench) -> Api<Deployment> {
    Api::default_namespaced(bench.client.clone())
}

async fn deploy(bench: &Bench, image: &str, policy: &str) {
    let deployment = json!({"metadata": {"name": "web"}, "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": image, "imagePullPolicy": policy, "command": ["sleep", "1000"]}]},
        },
    }});
    deployments(bench)
        .create(
            &PostParams::default(),
            &serde_json::from_value(deployment).unwrap(),
        )
        .await
        .unwrap();
}

fn rolled_out(deployment: &Value, generation: u64, replicas: u64) -> bool {
    let status = &deployment["status"];
    status["observedGeneration"].as_u64() >= Some(generation)
        && ["replicas", "updatedReplicas", "availableReplicas"]
            .iter()
            .all(|field| status[*field] == replicas)
}

#[tokio::test]
async fn a_deployment_rolls_out_over_and_away() {
    let mut bench = Bench::new();
    deploy(&bench, IMAGE, "Never").await;
    let up = bench
        .until(|one| one.kind == Kind::Deployment && rolled_out(&one.object, 1, 2))
        .await
        .object;
    assert!(has_condition(&up, "Available"));
    assert_eq!(
        up["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "1"
    );

    let next = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "env": [{"name": "A", "value": "B"}]}]}}}});
    deployments(&bench)
        .patch("web", &PatchParams::default(), &Patch::Strategic(next))
        .await
        .unwrap();
    let over = bench
        .until(|one| one.kind == Kind::Deployment && rolled_out(&one.object, 2, 2))
        .await
        .object;
    assert_eq!(
        over["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "2"
    );
    let fewest = bench
        .seen()
        .iter()
        .filter(|one| one.kind == Kind::Deployment)
        .skip_while(|one| !rolled_out(&one.object, 1, 2));
    assert!(
        fewest
            .map(|one| one.object["status"]["availableReplicas"]
                .as_u64()
                .unwrap_or(0))
            .min()
            .unwrap()
            >= 2,
        "never fewer than wanted"
    );
    let sets = bench.sandbox.store().list(Kind::ReplicaSet, None).1;
    let mut sizes: Vec<u64> = sets
        .iter()
        .map(|set| set["spec"]["replicas"].as_u64().unwrap())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [0, 2]);

    deployments(&bench)
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    bench.until_gone(Kind::Deployment, "web").await;
    for set in sets {
        bench
            .until_gone(Kind::ReplicaSet, set["metadata"]["name"].as_str().unwrap())
            .await;
    }
    let pods: Vec<String> = bench
        .sandbox
        .store()
        .list(Kind::Pod, None)
        .1
        .iter()
        .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    for pod in pods {
        bench.until_gone(Kind::Pod, &pod).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_whose_image_does_not_run_here_is_not_available() {
    let mut bench = Bench::new();
    deploy(&bench, "postgres:16", "IfNotPresent").await;
    bench
        .until(|one| {
            one.kind == Kind::Pod && super::bench::state(&one.object) == "ImagePullBackOff"
        })
        .await;
    let deployment = bench
        .sandbox
        .store()
        .find(Kind::Deployment, "default", "web")
        .unwrap();
    assert!(!has_condition(&deployment, "Available"));
    assert_eq!(deployment["status"]["unavailableReplicas"], 2);
}
