//! Settings into a ConfigMap of the embedded cluster: only our keys, owners in the way, and whoever must restart.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams, PostParams};
use llmctl_dev::cluster::Cluster;
use llmctl_dev::cluster::settings::PushError;
use llmctl_dev::domain::settings::Settings;
use llmctl_dev::domain::settings::held::{CONFIG_MAPS, Held, StoredChange};
use llmctl_dev::domain::settings::key::Key;
use llmctl_dev::domain::settings::push::{Push, Workload};
use llmctl_dev::domain::settings::value::Value;
use llmctl_dev::domain::target::Target;
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::{Config, Sandbox};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

const NAMESPACE: &str = "default";
const TTL: &str = "LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS";
const GPU: &str = "LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT";

struct Place {
    _sandbox: Sandbox,
    client: kube::Client,
    cluster: Cluster,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::start(Config {
            executor: vec![env!("CARGO_BIN_EXE_llmctl-dev").into(), "executor".into()],
            base: "2026-11-24T08:00:00Z".parse().unwrap(),
            faults: Faults::default(),
        })
        .unwrap();
        Self {
            client: kube::Client::new(sandbox.service(), NAMESPACE),
            cluster: Cluster::from_service(sandbox.service(), &Target::sandbox()),
            _sandbox: sandbox,
        }
    }

    fn maps(&self) -> Api<ConfigMap> {
        Api::default_namespaced(self.client.clone())
    }

    /// Somebody else applies keys of Studio's ConfigMap.
    async fn apply_as(&self, who: &str, data: Json) {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG_MAPS[0]}, "data": data});
        let how = PatchParams::apply(who).force();
        self.maps()
            .patch(CONFIG_MAPS[0], &how, &Patch::Apply(object))
            .await
            .unwrap();
    }

    async fn data(&self) -> BTreeMap<String, String> {
        self.maps().get(CONFIG_MAPS[0]).await.unwrap().data.unwrap()
    }

    async fn held(&self) -> Held {
        let maps = self.cluster.settings_maps(NAMESPACE).await.unwrap();
        maps.into_iter().next().unwrap()
    }

    /// The push that makes the ConfigMap say these values.
    async fn push(&self, wanted: &[(Key, &str)], force: bool) -> Push {
        let mut settings = Settings::default();
        let mut keys = Vec::new();
        for (key, text) in wanted {
            settings.put(*key, &key.parse(text).unwrap());
            keys.push(*key);
        }
        Push {
            namespace: NAMESPACE.into(),
            configmap: CONFIG_MAPS[0].into(),
            changes: self.held().await.changes(&settings, &keys),
            force,
        }
    }
}

#[tokio::test]
async fn only_our_keys_are_written_and_stay_ours() {
    let place = Place::new();
    assert_eq!(place.cluster.settings_maps(NAMESPACE).await.unwrap(), []);
    let nowhere = Push {
        namespace: NAMESPACE.into(),
        configmap: CONFIG_MAPS[0].into(),
        changes: Vec::new(),
        force: false,
    };
    let missing = place.cluster.push_settings(&nowhere, false).await;
    assert!(
        matches!(missing, Err(PushError::Missing { .. })),
        "{missing:?}"
    );

    place
        .apply_as("kubectl", json!({TTL: "1800", "FLASK_PORT": "5155"}))
        .await;
    let one = place.push(&[(Key::K8sGpuLimit, "2")], false).await;
    place.cluster.push_settings(&one, true).await.unwrap();
    assert!(
        !place.data().await.contains_key(GPU),
        "a dry run writes nothing"
    );
    place.cluster.push_settings(&one, false).await.unwrap();
    assert_eq!(
        place.held().await.says(Key::K8sGpuLimit),
        Some(&Value::Whole(2))
    );

    // A second push of another key takes away neither our first nor anybody else's.
    let other = place
        .push(&[(Key::K8sServiceAccount, "worker")], false)
        .await;
    place.cluster.push_settings(&other, false).await.unwrap();
    let data = place.data().await;
    assert_eq!(data.len(), 4, "{data:?}");
    assert_eq!(
        (&data[TTL][..], &data[GPU][..], &data["FLASK_PORT"][..]),
        ("1800", "2", "5155")
    );

    // What was looked at is what is changed, or nothing is.
    let stale = place.push(&[(Key::K8sGpuLimit, "3")], true).await;
    place
        .apply_as("kubectl", json!({TTL: "1800", GPU: "7"}))
        .await;
    let refused = place.cluster.push_settings(&stale, false).await;
    assert!(
        matches!(&refused, Err(PushError::Moved { keys, .. }) if keys == &["k8s_gpu_limit"]),
        "{refused:?}"
    );
    assert_eq!(place.data().await[GPU], "7");
}

#[tokio::test]
async fn an_owner_in_the_way_is_named_and_gives_way_only_when_told() {
    let place = Place::new();
    place
        .apply_as("kubectl-edit", json!({TTL: "1800", GPU: "0"}))
        .await;
    let polite = place.push(&[(Key::K8sJobTtlSeconds, "60")], false).await;
    let refused = place
        .cluster
        .push_settings(&polite, true)
        .await
        .unwrap_err();
    let told = refused.to_string();
    assert!(
        told.contains("kubectl-edit") && told.contains(TTL),
        "{told}"
    );
    assert!(!told.contains(GPU), "{told}");
    let refused = place.cluster.push_settings(&polite, false).await;
    assert!(matches!(refused, Err(PushError::Conflict { .. })));
    assert_eq!(place.data().await[TTL], "1800");

    let taking = place.push(&[(Key::K8sJobTtlSeconds, "60")], true).await;
    let pushed = place.cluster.push_settings(&taking, false).await.unwrap();
    assert_eq!(pushed.taken[0].owner, "kubectl-edit");
    let data = place.data().await;
    assert_eq!((&data[TTL][..], &data[GPU][..]), ("60", "0"));
}

#[tokio::test]
async fn who_reads_it_is_found_restarted_and_followed() {
    let place = Place::new();
    place.apply_as("kubectl", json!({TTL: "1800"})).await;
    let deployments: Api<Deployment> = Api::default_namespaced(place.client.clone());
    for (name, from) in [("reader", CONFIG_MAPS[0]), ("stranger", "other")] {
        let object = json!({"metadata": {"name": name}, "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [{
                    "name": "c", "image": "llmctl-executor-frontier:latest", "imagePullPolicy": "Never",
                    "command": ["sleep", "1000"],
                    "envFrom": [{"configMapRef": {"name": from, "optional": true}}],
                }]},
            },
        }});
        let object = serde_json::from_value(object).unwrap();
        deployments
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
    }
    let readers = place.cluster.readers_of(NAMESPACE, CONFIG_MAPS[0]).await;
    let reader = Workload {
        kind: "Deployment".into(),
        name: "reader".into(),
    };
    assert_eq!(readers.unwrap(), std::slice::from_ref(&reader));
    let follow = async |told: &Mutex<Vec<String>>| {
        let tell = |step: &_| told.lock().unwrap().push(format!("{step}"));
        let followed = place.cluster.follow_rollout(NAMESPACE, &reader, tell);
        followed.await.unwrap()
    };
    assert!(follow(&Mutex::default()).await.done);
    place
        .cluster
        .restart(NAMESPACE, &reader, "2026-11-24T08:01:00Z".parse().unwrap())
        .await
        .unwrap();
    let told = Mutex::default();
    let ended = follow(&told).await;
    assert!(ended.done && ended.stuck.is_none(), "{ended:?}");
    let told = told.into_inner().unwrap();
    assert_eq!(told.last().unwrap(), "1/1 ready", "{told:?}");
    let restarted = deployments.get("reader").await.unwrap();
    let restarted = serde_json::to_value(restarted).unwrap();
    assert_eq!(
        restarted["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"],
        "2026-11-24T08:01:00Z"
    );
}

#[tokio::test]
async fn every_change_is_a_value_again_when_it_is_read() {
    let place = Place::new();
    place
        .apply_as("kubectl", json!({"FLASK_PORT": "5155"}))
        .await;
    let wanted = [
        (Key::K8sImagePullSecretsJson, "[\"regcred\"]"),
        (Key::CancelForceKillEnabled, "no"),
        (
            Key::K8sFrontierImage,
            "r.example.test:5000/x@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ),
        (Key::K8sArgocdAppName, "App-1"),
    ];
    let push = place.push(&wanted, false).await;
    let kept: Vec<StoredChange> = push.changes.clone();
    assert_eq!(kept.len(), wanted.len());
    place.cluster.push_settings(&push, false).await.unwrap();
    let held = place.held().await;
    for (key, text) in wanted {
        assert_eq!(held.says(key), Some(&key.parse(text).unwrap()), "{key}");
    }
    assert_eq!(place.push(&wanted, false).await.changes, []);
}
