//! The executor settings: every key with its rules, the layers a value can come from, and the typed result that runs use (contract 3).

pub mod edit;
pub mod held;
pub mod images;
pub mod key;
pub mod kubeconfig;
pub mod layers;
pub mod legacy;
pub mod problem;
pub mod push;
pub mod rules;
pub mod runs;
pub mod value;

use super::runs::Ttl;
use images::{ImageChoice, ImageClass};
use key::Key;
use value::Value;

/// Where executor pods get llmctl's code from when it is not the image's own copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCode {
    /// Mount the checkout into executor pods.
    pub enabled: bool,
    /// Directory on the Minikube node; absolute.
    pub host_path: String,
}

/// A complete, valid set of settings. The provider is not in it: Kubernetes is the only one. The kubeconfig is not in
/// it either: it is write-only (contract 3.5), and this tool talks to the cluster with the developer's own context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Value of the label `llmctl.workspace_identity`.
    pub workspace_identity: String,
    /// Copied into each node's configuration.
    pub agent_runtime_cutover: bool,
    /// From the Job being accepted to its start marker, in seconds.
    pub dispatch_timeout: u32,
    /// From the start marker to the result, in seconds.
    pub execution_timeout: u32,
    /// From the Job's end to its log being read, in seconds.
    pub log_collection_timeout: u32,
    /// From asking a run to stop to killing it, in seconds.
    pub cancel_grace_timeout: u32,
    pub cancel_force_kill: bool,
    /// How long a finished Job stays.
    pub job_ttl: Ttl,
    pub namespace: String,
    /// Empty: the namespace's default account.
    pub service_account: String,
    /// A dispatcher inside the cluster uses its own account instead of a kubeconfig.
    pub in_cluster: bool,
    pub gpu_limit: u32,
    pub frontier: ImageChoice,
    pub vllm: ImageChoice,
    /// Names of Secrets of type `kubernetes.io/dockerconfigjson`.
    pub pull_secrets: Vec<String>,
    pub live_code: LiveCode,
    /// Empty: no Argo CD labels or annotations.
    pub argocd_app: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workspace_identity: "default".into(),
            agent_runtime_cutover: false,
            dispatch_timeout: 300,
            execution_timeout: 1800,
            log_collection_timeout: 30,
            cancel_grace_timeout: 15,
            cancel_force_kill: true,
            job_ttl: Ttl(1800),
            namespace: "default".into(),
            service_account: String::new(),
            in_cluster: false,
            gpu_limit: 0,
            frontier: ImageChoice::new("llmctl-executor-frontier:latest"),
            vllm: ImageChoice::new("llmctl-executor-vllm:latest"),
            pull_secrets: Vec::new(),
            live_code: LiveCode {
                enabled: false,
                host_path: "/workspace/llmctl".into(),
            },
            argocd_app: String::new(),
        }
    }
}

impl Settings {
    /// The value of a key; `None` for the write-only kubeconfig.
    pub fn value(&self, key: Key) -> Option<Value> {
        let text = |text: &String| Value::Text(text.clone());
        Some(match key {
            Key::Provider => Value::Text("kubernetes".into()),
            Key::WorkspaceIdentityKey => text(&self.workspace_identity),
            Key::AgentRuntimeCutoverEnabled => Value::Flag(self.agent_runtime_cutover),
            Key::DispatchTimeoutSeconds => Value::Whole(self.dispatch_timeout),
            Key::ExecutionTimeoutSeconds => Value::Whole(self.execution_timeout),
            Key::LogCollectionTimeoutSeconds => Value::Whole(self.log_collection_timeout),
            Key::CancelGraceTimeoutSeconds => Value::Whole(self.cancel_grace_timeout),
            Key::CancelForceKillEnabled => Value::Flag(self.cancel_force_kill),
            Key::K8sJobTtlSeconds => Value::Whole(self.job_ttl.0),
            Key::K8sFrontierImage => text(&self.frontier.reference),
            Key::K8sFrontierImageTag => text(&self.frontier.tag),
            Key::K8sVllmImage => text(&self.vllm.reference),
            Key::K8sVllmImageTag => text(&self.vllm.tag),
            Key::K8sImagePullSecretsJson => Value::Names(self.pull_secrets.clone()),
            Key::K8sNamespace => text(&self.namespace),
            Key::K8sServiceAccount => text(&self.service_account),
            Key::K8sGpuLimit => Value::Whole(self.gpu_limit),
            Key::K8sInCluster => Value::Flag(self.in_cluster),
            Key::K8sKubeconfig => return None,
            Key::K8sLiveCodeEnabled => Value::Flag(self.live_code.enabled),
            Key::K8sLiveCodeHostPath => text(&self.live_code.host_path),
            Key::K8sArgocdAppName => text(&self.argocd_app),
        })
    }

    /// Puts a value that [`Key::parse`] gave for this key; one of another shape changes nothing.
    pub fn put(&mut self, key: Key, value: &Value) {
        match value {
            Value::Whole(number) => self.put_number(key, *number),
            Value::Flag(on) => self.put_flag(key, *on),
            Value::Text(text) => self.put_text(key, text),
            Value::Names(names) => {
                if key == Key::K8sImagePullSecretsJson {
                    self.pull_secrets.clone_from(names);
                }
            }
        }
    }

    fn put_number(&mut self, key: Key, number: u32) {
        match key {
            Key::DispatchTimeoutSeconds => self.dispatch_timeout = number,
            Key::ExecutionTimeoutSeconds => self.execution_timeout = number,
            Key::LogCollectionTimeoutSeconds => self.log_collection_timeout = number,
            Key::CancelGraceTimeoutSeconds => self.cancel_grace_timeout = number,
            Key::K8sJobTtlSeconds => self.job_ttl = Ttl(number),
            Key::K8sGpuLimit => self.gpu_limit = number,
            _ => {}
        }
    }

    fn put_flag(&mut self, key: Key, on: bool) {
        match key {
            Key::AgentRuntimeCutoverEnabled => self.agent_runtime_cutover = on,
            Key::CancelForceKillEnabled => self.cancel_force_kill = on,
            Key::K8sInCluster => self.in_cluster = on,
            Key::K8sLiveCodeEnabled => self.live_code.enabled = on,
            _ => {}
        }
    }

    fn put_text(&mut self, key: Key, text: &str) {
        let place = match key {
            Key::WorkspaceIdentityKey => &mut self.workspace_identity,
            Key::K8sFrontierImage => &mut self.frontier.reference,
            Key::K8sFrontierImageTag => &mut self.frontier.tag,
            Key::K8sVllmImage => &mut self.vllm.reference,
            Key::K8sVllmImageTag => &mut self.vllm.tag,
            Key::K8sNamespace => &mut self.namespace,
            Key::K8sServiceAccount => &mut self.service_account,
            Key::K8sLiveCodeHostPath => &mut self.live_code.host_path,
            Key::K8sArgocdAppName => &mut self.argocd_app,
            _ => return,
        };
        text.clone_into(place);
    }

    /// The image a Job of that class runs (contract 3.6; a pinned digest stays, W27).
    pub fn image(&self, class: ImageClass) -> String {
        let default = Self::default();
        match class {
            ImageClass::Frontier => self.frontier.effective(&default.frontier.reference),
            ImageClass::Vllm => self.vllm.effective(&default.vllm.reference),
        }
    }

    /// GPUs a Job of that class asks for. Only vLLM images use one: a frontier Job must not wait for a GPU that it
    /// never touches (W28).
    pub fn gpus(&self, class: ImageClass) -> u32 {
        match class {
            ImageClass::Frontier => 0,
            ImageClass::Vllm => self.gpu_limit,
        }
    }

    /// All values by key name, as documents carry them.
    pub fn document(&self) -> serde_json::Value {
        Key::ALL
            .iter()
            .filter_map(|key| Some((key.name().to_owned(), self.value(*key)?.json())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_of_the_table_are_the_default_settings() {
        let default = Settings::default();
        for key in Key::ALL.into_iter().filter(|key| !key.is_secret()) {
            assert_eq!(default.value(key), key.default(), "{key}");
        }
    }

    #[test]
    fn every_value_that_is_put_comes_back() {
        for key in Key::ALL.into_iter().filter(|key| !key.is_secret()) {
            let typed = match key {
                Key::Provider => "kubernetes",
                Key::CancelForceKillEnabled => "false",
                Key::K8sInCluster | Key::K8sLiveCodeEnabled | Key::AgentRuntimeCutoverEnabled => {
                    "yes"
                }
                Key::K8sImagePullSecretsJson => "[\"a\"]",
                Key::K8sGpuLimit => "3",
                Key::K8sLiveCodeHostPath => "/x",
                _ if key.default().is_some_and(|v| matches!(v, Value::Whole(_))) => "77",
                _ => "other",
            };
            let value = key.parse(typed).unwrap();
            let mut settings = Settings::default();
            settings.put(key, &value);
            assert_eq!(settings.value(key), Some(value), "{key}");
        }
    }

    #[test]
    fn only_vllm_jobs_ask_for_gpus() {
        let settings = Settings {
            gpu_limit: 2,
            ..Settings::default()
        };
        assert_eq!(settings.gpus(ImageClass::Vllm), 2);
        assert_eq!(settings.gpus(ImageClass::Frontier), 0);
    }
}
