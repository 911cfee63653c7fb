//! What a run asked for, read back from its two objects, so that it can be asked once more: the way back of [`super::plan_run`].

use super::{RunOptions, SAMPLE_ANNOTATION, SETTINGS_ANNOTATION};
use crate::domain::identity;
use crate::domain::payload::NodeRequest;
use crate::domain::payload::own::Own;
use crate::domain::payload::sent::of_sent;
use crate::domain::samples::Sample;
use crate::domain::settings::key::Key;
use serde_json::{Map, Value};

/// A request with what was chosen for it, without the numbers of the run that it was read from. Its payload may hold secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What a payload does not say: the name, the image, the command of the container.
    pub base: Sample,
    /// The payload as it is sent.
    pub payload: Own,
    /// Time-out, time to live, GPUs and image as they were; no payload, and no pass through the node.
    pub options: RunOptions,
}

impl Asked {
    /// Reads a Job as the API server has it, and the text of its payload.
    ///
    /// # Errors
    /// What cannot be used of the payload, in a sentence.
    pub fn read(job: &Value, payload: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(payload)
            .map_err(|error| format!("its payload is not JSON: {error}"))?;
        let pod = &job["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        let annotation = |name: &str| job["metadata"]["annotations"][name].as_str();
        let used: Map<String, Value> = annotation(SETTINGS_ANNOTATION)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let base = Sample {
            name: annotation(SAMPLE_ANNOTATION)
                .unwrap_or("payload")
                .to_owned(),
            summary: "as a run before".to_owned(),
            image: container["image"].as_str().map(str::to_owned),
            container_command: serde_json::from_value(container["command"].clone()).ok(),
            service_account_token: pod["automountServiceAccountToken"] == true,
            ..Sample::default()
        };
        let number = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
        // A Job that is kept longer has another time to live than its run was started with.
        let ttl = used.get(Key::K8sJobTtlSeconds.name()).and_then(number);
        let gpu = container["resources"]["limits"]["nvidia.com/gpu"].as_str();
        let timeout = number(&pod["activeDeadlineSeconds"]);
        let payload = Own::new(&base, of_sent(document, timeout)).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            format!("its payload cannot be sent again: {}", problems.join("; "))
        })?;
        Ok(Self {
            options: RunOptions {
                timeout_seconds: timeout,
                ttl_seconds: ttl.or_else(|| number(&job["spec"]["ttlSecondsAfterFinished"])),
                gpu: Some(gpu.and_then(|n| n.parse().ok()).unwrap_or(0)),
                image: base.image.clone(),
                ..RunOptions::default()
            },
            base,
            payload,
        })
    }

    /// A sample as it is now, with what a run before was given beside its payload: for a run whose objects are gone.
    pub fn of_settings(image: &str, used: Option<&Map<String, Value>>) -> RunOptions {
        let number = |key: Key| {
            let value = used.and_then(|used| used.get(key.name()))?;
            u32::try_from(value.as_u64()?).ok()
        };
        RunOptions {
            timeout_seconds: number(Key::ExecutionTimeoutSeconds),
            ttl_seconds: number(Key::K8sJobTtlSeconds),
            gpu: number(Key::K8sGpuLimit),
            image: (!image.is_empty()).then(|| image.to_owned()),
            ..RunOptions::default()
        }
    }
}

/// The pass through its node that a Job of that name was, when `request` is its request but for the pass.
pub fn pass_of(request: &NodeRequest, job: &str) -> Option<u64> {
    /// Passes that are looked through; a flowchart that goes on longer begins to count anew here.
    const PASSES: u64 = 2000;
    (1..=PASSES).find(|pass| {
        let request = NodeRequest {
            execution_index: *pass,
            ..request.clone()
        };
        identity::job_name(&request) == job
    })
}

#[cfg(test)]
mod tests {
    use super::super::{RunSettings, plan_run};
    use super::*;
    use crate::domain::nodes::TYPES;
    use serde_json::json;

    fn settings() -> RunSettings {
        RunSettings {
            namespace: "llmctl".into(),
            workspace_identity: "default".into(),
            frontier_image: "llmctl-executor-frontier:0.1.0".into(),
            vllm_image: "llmctl-executor-vllm:0.1.0".into(),
            service_account: None,
            image_pull_secrets: Vec::new(),
            gpu_limit: 1,
            ttl_seconds: 1800,
            dispatch_timeout_seconds: 300,
            execution_timeout_seconds: 900,
            cancel_grace_seconds: 15,
            agent_runtime_cutover: true,
            argocd_app: None,
            live_code_path: None,
        }
    }

    fn samples() -> Vec<Sample> {
        let texts = [
            json!({"name": "hello", "summary": "s", "command": ["true"], "env": {"TOKEN": "s3cret"}, "stdin": "in", "node_id": 12}),
            json!({"name": "shell", "summary": "s", "shell_command": "exit 3", "timeout_seconds": 5, "emit_start_markers": false,
                "capture_limit_bytes": 4096}),
            json!({"name": "odd", "summary": "s", "command": ["true"], "container_command": ["sh", "-c", "x"], "image": "other:1",
                "service_account_token": true}),
        ];
        let plain = texts.map(|text| serde_json::from_value(text).unwrap());
        let nodes = TYPES.iter().map(|kind| {
            let mut sample = kind.sample();
            let node = sample.node.as_mut().unwrap();
            node.ref_id = Some(4);
            node.config.insert("task_prompt".into(), json!("p"));
            node.input_context.insert("x".into(), json!(1));
            sample
        });
        plain.into_iter().chain(nodes).collect()
    }

    /// Asked again under the same numbers a request gives the same Job and the same payload, to the letter.
    #[test]
    fn what_is_read_back_is_what_was_asked() {
        let mut read = 0;
        for sample in samples() {
            for chosen in [
                RunOptions::default(),
                RunOptions {
                    timeout_seconds: Some(30),
                    ttl_seconds: Some(77),
                    gpu: Some(2),
                    image: Some("mine:2".into()),
                    index: Some(3),
                    ..RunOptions::default()
                },
            ] {
                let plan = plan_run(&sample, 208, &settings(), &chosen);
                // Not every node type is complete without its own fields; a sample that cannot be sent was never a run.
                let Ok(plan) = plan else { continue };
                let Ok(asked) = Asked::read(&plan.job, &plan.payload.0.to_string()) else {
                    // Nothing of it was sent: fields of its type are missing still.
                    assert!(sample.node.is_some(), "{}", sample.name);
                    continue;
                };
                read += 1;
                assert_eq!(
                    pass_of(&plan.request, &plan.job_name),
                    Some(plan.request.execution_index)
                );
                let again = RunOptions {
                    index: Some(plan.request.execution_index),
                    payload: Some(asked.payload.clone()),
                    ..asked.options.clone()
                };
                let again = plan_run(&asked.base, 208, &settings(), &again).unwrap();
                assert_eq!(again.payload.0, plan.payload.0, "{}", sample.name);
                assert_eq!(again.job, plan.job, "{}", sample.name);
                // Under other numbers nothing of the old ones is left.
                let other = RunOptions {
                    payload: Some(asked.payload),
                    ..asked.options
                };
                let other = plan_run(&asked.base, 209, &settings(), &other).unwrap();
                let text = other.payload.0.to_string();
                assert!(!text.contains("208"), "{text}");
                assert_ne!(other.job_name, plan.job_name);
            }
        }
        assert!(read >= 12, "{read}");
    }

    #[test]
    fn a_job_that_is_kept_runs_again_with_the_time_to_live_that_it_began_with() {
        let sample = &samples()[0];
        let mut plan = plan_run(sample, 1, &settings(), &RunOptions::default()).unwrap();
        plan.job["spec"]["ttlSecondsAfterFinished"] = json!(86_400);
        let asked = Asked::read(&plan.job, &plan.payload.0.to_string()).unwrap();
        assert_eq!(asked.options.ttl_seconds, Some(1800));
    }

    #[test]
    fn what_cannot_be_sent_again_says_so() {
        for (payload, why) in [
            ("{", "its payload is not JSON"),
            ("{}", "its payload cannot be sent again"),
        ] {
            let refused = Asked::read(&json!({}), payload).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
    }
}
