//! The ConfigMap and the Job of a run (contract 4).

use super::payload::NodeRequest;
use super::runs::Ttl;
use super::samples::Sample;
use serde_json::Value;

/// What a plan takes from the settings (contract 3.1), already effective: images with their tags, no blank text for "none".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSettings {
    pub namespace: String,
    pub workspace_identity: String,
    pub frontier_image: String,
    pub vllm_image: String,
    pub service_account: Option<String>,
    pub image_pull_secrets: Vec<String>,
    /// Asked for by the `vllm` image class only.
    pub gpu_limit: u32,
    pub ttl_seconds: u32,
    pub dispatch_timeout_seconds: u32,
    pub execution_timeout_seconds: u32,
    /// Argo CD application; none leaves its label and annotations out.
    pub argocd_app: Option<String>,
    /// Host path of the checkout on the node, mounted for node payloads; none leaves the mount out.
    pub live_code_path: Option<String>,
}

/// What a person chose for one run, over the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Execution time-out in seconds.
    pub timeout_seconds: Option<u32>,
    pub ttl_seconds: Option<u32>,
    /// Asked for whatever the image class.
    pub gpu: Option<u32>,
    pub image: Option<String>,
}

/// The objects of one run, checked, before anything is created.
///
/// Create [`RunPlan::job`] first, then [`RunPlan::configmap`] with the UID that the API server gave the Job.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPlan {
    pub sample: String,
    pub request: NodeRequest,
    pub namespace: String,
    pub job_name: String,
    pub configmap_name: String,
    /// `kubernetes:<namespace>/<job>` (contract 2.3).
    pub dispatch_id: String,
    pub image: String,
    pub ttl: Ttl,
    pub timeout_seconds: u32,
    pub payload: Value,
    pub job: Value,
}

impl RunPlan {
    /// The payload ConfigMap, owned by the Job of that UID.
    pub fn configmap(&self, _job_uid: &str) -> Value {
        Value::Null
    }
}

/// Why a run is not created: the field, its value and the rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub field: String,
    pub value: String,
    pub rule: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`: {}", self.field, self.value, self.rule)
    }
}

impl std::error::Error for Refusal {}

/// Builds and checks the objects of one run of `sample` as execution `execution_id`.
///
/// # Errors
/// The first rule that a field breaks; nothing has been created then.
pub fn plan_run(
    _sample: &Sample,
    _execution_id: u64,
    _settings: &RunSettings,
    _options: &RunOptions,
) -> Result<RunPlan, Refusal> {
    Err(Refusal {
        field: "sample".into(),
        value: String::new(),
        rule: "plans are not built yet".into(),
    })
}
