//! A real cluster, where there is one: `LLMCTL_DEV_TEST_KUBECONFIG` and `LLMCTL_DEV_TEST_CONTEXT` name it, and
//! `LLMCTL_DEV_TEST_CLUSTER_SCRIPTS` the directory of the scripts that stop and start parts of it.

use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use llmctl_dev::cluster::Cluster;
use llmctl_dev::cluster::connect::Connect;
use llmctl_dev::cluster::error::Error;
use llmctl_dev::domain::guard::Wanted;
use llmctl_dev::domain::target::Target;
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The connection, a namespace of its own for the test, and a share of the cluster.
pub(crate) struct Real {
    pub(crate) cluster: Cluster,
    pub(crate) target: Target,
    pub(crate) namespace: String,
    client: kube::Client,
    kubeconfig: PathBuf,
    /// Held to the end of the test: who stops parts of the cluster waits until nobody uses it.
    _share: File,
}

/// How a test uses the cluster.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Shared,
    /// Nobody else may be at work on it.
    Alone,
}

impl Real {
    /// The cluster with a namespace made for the test, or none with a word about it.
    pub(crate) async fn find(name: &str, how: Use) -> Option<Self> {
        let real = Self::without_namespace(name, how).await?;
        real.make_namespace().await;
        Some(real)
    }

    /// The cluster with the name for a namespace that the test makes, or none with a word about it.
    pub(crate) async fn without_namespace(name: &str, how: Use) -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (Some(kubeconfig), Some(context)) = (
            variable("LLMCTL_DEV_TEST_KUBECONFIG"),
            variable("LLMCTL_DEV_TEST_CONTEXT"),
        ) else {
            eprintln!(
                "SKIPPED {name}: no real cluster, LLMCTL_DEV_TEST_KUBECONFIG and LLMCTL_DEV_TEST_CONTEXT are not set"
            );
            return None;
        };
        let share =
            File::create(std::env::temp_dir().join("llmctl-dev-test-cluster.lock")).unwrap();
        let share = tokio::task::spawn_blocking(move || {
            match how {
                Use::Shared => share.lock_shared(),
                Use::Alone => share.lock(),
            }
            .unwrap();
            share
        });
        let share = share.await.unwrap();
        let connect = Connect {
            kubeconfig: Some(PathBuf::from(&kubeconfig)),
            wanted: Wanted::Context(context.clone()),
            allowed: Vec::new(),
        };
        let (cluster, target) = Cluster::connect(&connect).await.unwrap();
        let options = KubeConfigOptions {
            context: Some(context),
            ..KubeConfigOptions::default()
        };
        let mut config =
            Config::from_custom_kubeconfig(Kubeconfig::read_from(&kubeconfig).unwrap(), &options)
                .await
                .unwrap();
        config.proxy_url = None;
        let client = kube::Client::try_from(config).unwrap();
        let namespace = format!("llmctl-dev-test-{name}-{}", std::process::id());
        Some(Self {
            cluster,
            target,
            namespace,
            client,
            kubeconfig: PathBuf::from(kubeconfig),
            _share: share,
        })
    }

    /// The kubeconfig that names it.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A client of it that knows nothing of this program.
    pub(crate) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// The scripts that stop and start parts of the cluster.
    pub(crate) fn scripts(name: &str) -> Option<PathBuf> {
        let scripts = std::env::var_os("LLMCTL_DEV_TEST_CLUSTER_SCRIPTS").map(PathBuf::from);
        if scripts.is_none() {
            eprintln!("SKIPPED {name}: LLMCTL_DEV_TEST_CLUSTER_SCRIPTS is not set");
        }
        scripts
    }

    /// Connects once more, with the same kubeconfig.
    pub(crate) async fn connect(&self, wanted: Wanted) -> Result<(Cluster, Target), Error> {
        let kubeconfig = Some(self.kubeconfig.clone());
        Cluster::connect(&Connect {
            kubeconfig,
            wanted,
            allowed: Vec::new(),
        })
        .await
    }

    async fn make_namespace(&self) {
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client.clone());
        let object = serde_json::from_value(json!({"metadata": {"name": self.namespace}})).unwrap();
        namespaces
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
        // Pods are refused until the namespace has its service account.
        let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> =
            Api::namespaced(self.client.clone(), &self.namespace);
        while accounts.get_opt("default").await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether an object is there.
    pub(crate) async fn has_configmap(&self, name: &str) -> bool {
        let api: Api<k8s_openapi::api::core::v1::ConfigMap> =
            Api::namespaced(self.client.clone(), &self.namespace);
        api.get_opt(name).await.unwrap().is_some()
    }

    /// Applies an object as another field manager, whoever owns it.
    pub(crate) async fn apply_as(&self, who: &str, path: &str, object: &Value) {
        let uri = format!("/{path}?fieldManager={who}&force=true");
        let request = http::Request::patch(uri)
            .header("Content-Type", "application/apply-patch+yaml")
            .body(object.to_string().into_bytes())
            .unwrap();
        self.client.request::<Value>(request).await.unwrap();
    }

    /// The pods with a label.
    pub(crate) async fn pods(&self, label: &str) -> Vec<Value> {
        let api: Api<k8s_openapi::api::core::v1::Pod> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let params = kube::api::ListParams::default().labels(label);
        let pods = api.list(&params).await.unwrap().items;
        pods.iter()
            .map(|pod| serde_json::to_value(pod).unwrap())
            .collect()
    }

    /// Lets a Job that has ended go so soon, as its owner may.
    pub(crate) async fn set_ttl(&self, job: &str, seconds: u32) {
        let api: Api<k8s_openapi::api::batch::v1::Job> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let patch = json!({"spec": {"ttlSecondsAfterFinished": seconds}});
        api.patch(job, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    /// The Job as it is.
    pub(crate) async fn job(&self, name: &str) -> Option<Value> {
        let api: Api<k8s_openapi::api::batch::v1::Job> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let job = api.get_opt(name).await.unwrap()?;
        Some(serde_json::to_value(job).unwrap())
    }

    /// Removes pods at once.
    pub(crate) async fn delete_pods(&self, selector: &str) {
        let pods: Api<k8s_openapi::api::core::v1::Pod> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let now = DeleteParams::default().grace_period(0);
        let which = kube::api::ListParams::default().labels(selector);
        pods.delete_collection(&now, &which).await.unwrap();
    }

    /// Removes the namespace and all that is in it; does not wait.
    pub(crate) async fn clean(self) {
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client.clone());
        namespaces
            .delete(&self.namespace, &DeleteParams::default())
            .await
            .unwrap();
    }
}
