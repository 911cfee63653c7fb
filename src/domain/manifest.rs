//! The ConfigMap and the Job of a run (contract 4).

pub mod asked;
mod checks;
mod objects;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod weaknesses;

use super::identity;
use super::payload::own::Own;
use super::payload::{Hidden, NodeRequest, Payload, Work, masked};
use super::runs::Ttl;
use super::samples::Sample;
use super::settings::images::ImageClass;
use serde_json::{Value, json};

/// Label and value that tell our Jobs from Studio's; one more than contract 4.2 has.
pub const OURS: (&str, &str) = ("app.kubernetes.io/managed-by", "llmctl-dev");

/// The label by which executor Jobs are listed and pruned (contract 4.2, 4.7).
pub const EXECUTOR: &str = "llmctl.executor";

/// Value of [`EXECUTOR`] on every Job that a dispatcher makes: Studio's pruner removes finished Jobs that carry it.
pub const PRUNED: &str = "true";

/// Value of [`EXECUTOR`] on a Job that a person keeps: Studio's pruner asks for the other value and does not find it, so that the TTL is
/// the only one that removes it.
pub const KEPT: &str = "kept";

/// Annotation on our Jobs: the sample's name.
pub const SAMPLE_ANNOTATION: &str = "llmctl.dev/sample";

/// Annotation on our Jobs that are not the first pass through their node: which one they are.
pub const PASS_ANNOTATION: &str = "llmctl.dev/pass";

/// Annotation of a Job with the settings that it was made with, as a JSON object of setting keys.
pub const SETTINGS_ANNOTATION: &str = "llmctl.dev/settings";

/// Seconds that a Job may last longer than the dispatch and execution time-outs together: time for the last log lines and the status.
pub const DEADLINE_SLACK_SECONDS: u32 = 60;

/// What a plan takes from the settings (contract 3.1), already effective: images with their tags, no blank text for "none".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSettings {
    pub namespace: String,
    pub workspace_identity: String,
    pub frontier_image: String,
    pub vllm_image: String,
    pub service_account: Option<String>,
    pub image_pull_secrets: Vec<String>,
    /// Asked for by the `vllm` image class only (W28).
    pub gpu_limit: u32,
    pub ttl_seconds: u32,
    pub dispatch_timeout_seconds: u32,
    pub execution_timeout_seconds: u32,
    /// How long the pod has between SIGTERM and SIGKILL.
    pub cancel_grace_seconds: u32,
    /// Travels to every node as text in its configuration (contract 3.1, 5.8).
    pub agent_runtime_cutover: bool,
    /// Argo CD application; none leaves its label and annotations out (W26).
    pub argocd_app: Option<String>,
    /// Host path of the checkout on the node, mounted for node payloads; none leaves the mount out.
    pub live_code_path: Option<String>,
}

/// What a person chose for one run, over the settings and the sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// Execution time-out in seconds.
    pub timeout_seconds: Option<u32>,
    pub ttl_seconds: Option<u32>,
    /// Asked for whatever the image class.
    pub gpu: Option<u32>,
    pub image: Option<String>,
    /// Image class instead of the one that the request asks for.
    pub class: Option<ImageClass>,
    /// Pass through the node, from 1: another one is another run of the same request (contract 4.1).
    pub index: Option<u64>,
    /// Sent instead of the sample's own payload.
    pub payload: Option<Own>,
}

/// The objects of one run, checked, before anything is created.
///
/// Create [`RunPlan::job`] first, then [`RunPlan::configmap`] with the UID that the API server gave the Job: two requests, and at no
/// moment a ConfigMap without an owner, so that a dispatcher that dies leaves nothing for ever (W20). The pod is scheduled some ten
/// milliseconds later; should it be quicker, the kubelet tries the mount again after half a second. When the ConfigMap cannot be
/// created, delete the Job: its pod can never start.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPlan {
    /// Name of the sample.
    pub sample: String,
    pub request: NodeRequest,
    pub namespace: String,
    pub job_name: String,
    pub configmap_name: String,
    /// `kubernetes:<namespace>/<job>` (contract 2.3).
    pub dispatch_id: String,
    pub image: String,
    pub ttl: Ttl,
    /// From the Job accepted to its container running (contract 6.1).
    pub dispatch_timeout_seconds: u32,
    /// Execution time-out.
    pub timeout_seconds: u32,
    /// `spec.activeDeadlineSeconds` of the Job.
    pub deadline_seconds: u32,
    /// The payload document, with the values of its environment.
    pub payload: Hidden<Value>,
    pub job: Value,
    configmap: Hidden<Value>,
}

impl RunPlan {
    /// The payload ConfigMap, owned by the Job of that UID.
    pub fn configmap(&self, job_uid: &str) -> Value {
        let mut configmap = self.configmap.0.clone();
        configmap["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "batch/v1", "kind": "Job", "name": self.job_name, "uid": job_uid,
        }]);
        configmap
    }

    /// Job and ConfigMap for a screen or a record: without an owner, and with no value of the payload's environment.
    pub fn shown(&self) -> [Value; 2] {
        let mut configmap = self.configmap.0.clone();
        configmap["data"]["payload.json"] = json!(masked(&self.payload.0).to_string());
        [self.job.clone(), configmap]
    }
}

/// Why a run is not created: the field, its value and the rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub field: String,
    pub value: String,
    pub rule: String,
}

impl Refusal {
    pub(super) fn new(field: &str, value: &str, rule: &str) -> Self {
        let cut: String = value.chars().take(80).collect();
        let more = if cut.len() < value.len() { "…" } else { "" };
        Self {
            field: field.to_owned(),
            value: format!("{cut}{more}"),
            rule: rule.to_owned(),
        }
    }
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
/// The first rule that a field breaks (W22 to W26). Nothing has been created then.
pub fn plan_run(
    sample: &Sample,
    execution_id: u64,
    settings: &RunSettings,
    options: &RunOptions,
) -> Result<RunPlan, Refusal> {
    let own = options.payload.as_ref();
    let sample = own.map_or(sample, Own::sample);
    let work = sample.work()?;
    let class = options.class.unwrap_or_else(|| sample.class());
    let mut request = match own {
        Some(own) => own.request(execution_id, options.index),
        None => NodeRequest {
            execution_index: options.index.unwrap_or(1),
            ..sample.request(execution_id)
        },
    };
    if work == Work::Node && settings.agent_runtime_cutover {
        request
            .node_config
            .entry("__agent_runtime_cutover_enabled")
            .or_insert(json!("true"));
    }
    plan(&Wanted {
        request,
        node_payload: work == Work::Node,
        work,
        sample,
        image: options
            .image
            .as_ref()
            // A class that was asked for goes before what the sample names.
            .or(sample.image.as_ref().filter(|_| options.class.is_none()))
            .unwrap_or(match class {
                ImageClass::Frontier => &settings.frontier_image,
                ImageClass::Vllm => &settings.vllm_image,
            }),
        gpu: options.gpu.unwrap_or(match class {
            ImageClass::Frontier => 0,
            ImageClass::Vllm => settings.gpu_limit,
        }),
        ttl: options.ttl_seconds.unwrap_or(settings.ttl_seconds),
        timeout: options
            .timeout_seconds
            .unwrap_or(settings.execution_timeout_seconds),
        settings,
        own,
    })
}

/// A run with every choice made.
struct Wanted<'a> {
    request: NodeRequest,
    work: Work,
    node_payload: bool,
    sample: &'a Sample,
    image: &'a str,
    gpu: u32,
    ttl: u32,
    timeout: u32,
    settings: &'a RunSettings,
    own: Option<&'a Own>,
}

fn plan(wanted: &Wanted) -> Result<RunPlan, Refusal> {
    checks::check(wanted)?;
    let Wanted {
        request,
        sample,
        settings,
        timeout,
        ..
    } = wanted;
    let job_name = identity::job_name(request);
    let configmap_name = identity::configmap_name(&job_name);
    let payload = Payload {
        request,
        work: wanted.work.clone(),
        timeout_seconds: sample.timeout_seconds.unwrap_or(*timeout).min(*timeout),
        emit_start_markers: sample.emit_start_markers,
        capture_limit_bytes: sample.capture_limit_bytes,
        env: sample.env.clone(),
        stdin: sample.stdin.clone(),
    }
    .document();
    let payload = match wanted.own {
        Some(own) => own.over(payload, *timeout),
        None => payload,
    };
    let text = payload.to_string();
    checks::check_size(&text)?;
    let deadline_seconds = settings.dispatch_timeout_seconds + timeout + DEADLINE_SLACK_SECONDS;
    Ok(RunPlan {
        sample: sample.name.clone(),
        request: request.clone(),
        namespace: settings.namespace.clone(),
        dispatch_id: identity::dispatch_id(&settings.namespace, &job_name),
        image: wanted.image.to_owned(),
        ttl: Ttl(wanted.ttl),
        dispatch_timeout_seconds: settings.dispatch_timeout_seconds,
        timeout_seconds: *timeout,
        deadline_seconds,
        job: objects::job(wanted, &job_name, &configmap_name, deadline_seconds),
        configmap: Hidden(objects::configmap(wanted, &configmap_name, &text)),
        payload: Hidden(payload),
        job_name,
        configmap_name,
    })
}
