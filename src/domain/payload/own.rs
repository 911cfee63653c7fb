//! A payload that a person wrote or changed: sent as it is, with what the dispatcher fills in where it says nothing (contract 5.4).

use super::check::{Problem, problems};
use super::{Hidden, MASK, NodeRequest};
use crate::domain::samples::{Sample, SampleNode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A payload that breaks no rule. Its values may be secrets and are not printed.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    /// The same as a sample, for names, image and limits.
    sample: Sample,
    document: Hidden<Map<String, Value>>,
}

/// The numbers that a payload names itself; absent ones are chosen when it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    pub execution: Option<u64>,
    pub index: Option<u64>,
}

impl Own {
    /// Checks a document. What a payload cannot say (image, class, a command of the container) is as in `base`.
    ///
    /// # Errors
    /// Every rule that it breaks.
    pub fn new(base: &Sample, document: Value) -> Result<Self, Vec<Problem>> {
        let found = problems(&document);
        let Value::Object(document) = document else {
            return Err(found);
        };
        if !found.is_empty() {
            return Err(found);
        }
        let mut own = Self {
            sample: Sample {
                command: given(&document, "command").and_then(texts),
                shell_command: text(&document, "shell_command"),
                node: given(&document, "node_execution").map(|_| SampleNode::default()),
                timeout_seconds: whole(&document, "timeout_seconds"),
                emit_start_markers: given(&document, "emit_start_markers") != Some(&json!(false)),
                capture_limit_bytes: given(&document, "capture_limit_bytes")
                    .and_then(Value::as_u64),
                env: Hidden(environment(&document)),
                stdin: text(&document, "stdin").map(Hidden),
                ..base.clone()
            },
            document: Hidden(document),
        };
        if own.sample.node.is_some() {
            let request = own.request(1, None);
            own.sample.node_id = request.node_id;
            own.sample.node = Some(SampleNode {
                kind: request.node_type,
                ref_id: request.node_ref_id,
                config: request.node_config,
                input_context: request.input_context,
            });
        } else if let Some(id) = own.metadata("flowchart_node_id") {
            own.sample.node_id = id;
        }
        Ok(own)
    }

    /// The same as a sample.
    pub fn sample(&self) -> &Sample {
        &self.sample
    }

    /// The numbers that it names: a node's request has them, a command may have them in its metadata.
    pub fn numbers(&self) -> Numbers {
        let number = |name: &str| self.wire().and_then(|request| request.get(name)?.as_u64());
        Numbers {
            execution: number("execution_id").or_else(|| {
                self.sample
                    .node
                    .is_none()
                    .then(|| self.metadata("execution_id"))
                    .flatten()
            }),
            index: number("execution_index"),
        }
    }

    fn metadata(&self, name: &str) -> Option<u64> {
        let number = self.document.0.get("metadata")?.get(name)?.as_u64();
        number.filter(|number| *number > 0)
    }

    /// The object under `node_execution.request`.
    fn wire(&self) -> Option<&Map<String, Value>> {
        self.document
            .0
            .get("node_execution")?
            .get("request")?
            .as_object()
    }

    /// The request of a run of it; its own numbers go before `execution`, and `index` before its own.
    pub fn request(&self, execution: u64, index: Option<u64>) -> NodeRequest {
        let numbers = self.numbers();
        let mut request = self.sample.request(execution);
        if let Some(wire) = self.wire() {
            let mut merged = json!(request);
            for (name, value) in wire.iter().filter(|(_, value)| !value.is_null()) {
                merged[name] = value.clone();
            }
            // It was checked: what does not fit is not there.
            request = serde_json::from_value(merged).unwrap_or(request);
        }
        request.execution_id = numbers.execution.unwrap_or(execution);
        request.execution_index = index.or(numbers.index).unwrap_or(1);
        request
    }

    /// The document with what was `filled` in where it says nothing. Its time-out is at most `timeout` seconds.
    pub(in crate::domain) fn over(&self, mut filled: Value, timeout: u32) -> Value {
        for (name, value) in self.document.0.iter().filter(|(_, value)| !value.is_null()) {
            match (name.as_str(), value) {
                ("timeout_seconds", _) => {
                    let own = value.as_u64().unwrap_or(u64::from(timeout));
                    filled[name] = json!(own.min(u64::from(timeout)));
                }
                // The request was made of the document's own one and the numbers.
                ("node_execution", Value::Object(node)) => {
                    for (part, value) in node.iter().filter(|(part, _)| *part != "request") {
                        filled[name][part] = value.clone();
                    }
                }
                ("env" | "metadata", Value::Object(own)) => {
                    for (part, value) in own {
                        filled[name][part] = value.clone();
                    }
                }
                _ => filled[name] = value.clone(),
            }
        }
        filled
    }
}

/// What a person begins with: the payload of a sample without what the dispatcher fills in, its secrets masked.
pub fn of_sample(sample: &Sample) -> Value {
    let mut document = json!({"contract_version": "v1"});
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            document[name] = value;
        }
    };
    put("command", sample.command.as_ref().map(|parts| json!(parts)));
    put(
        "shell_command",
        sample.shell_command.as_ref().map(|text| json!(text)),
    );
    put("node_execution", sample.node.as_ref().map(|node| {
        let mut request = json!({"node_type": node.kind, "node_id": sample.node_id, "node_config": node.config});
        if let Some(id) = node.ref_id {
            request["node_ref_id"] = json!(id);
        }
        if !node.input_context.is_empty() {
            request["input_context"] = json!(node.input_context);
        }
        json!({"request": request})
    }));
    let masked: Map<String, Value> = (sample.env.0.keys())
        .map(|name| (name.clone(), json!(MASK)))
        .collect();
    put("env", (!masked.is_empty()).then(|| json!(masked)));
    put("stdin", sample.stdin.as_ref().map(|_| json!(MASK)));
    put("timeout_seconds", sample.timeout_seconds.map(|n| json!(n)));
    put(
        "capture_limit_bytes",
        sample.capture_limit_bytes.map(|n| json!(n)),
    );
    put(
        "emit_start_markers",
        (!sample.emit_start_markers).then_some(json!(false)),
    );
    document
}

/// Puts the secrets of `sample` back where their masks were left standing.
pub fn unmask(document: &mut Value, sample: &Sample) {
    if let Some(env) = document.get_mut("env").and_then(Value::as_object_mut) {
        for (name, value) in env.iter_mut().filter(|(_, value)| *value == MASK) {
            if let Some(own) = sample.env.0.get(name) {
                *value = json!(own);
            }
        }
    }
    if let (Some(stdin), Some(own)) = (document.get_mut("stdin"), &sample.stdin)
        && *stdin == MASK
    {
        *stdin = json!(own.0);
    }
}

impl Own {
    /// The document for a screen: every value of its environment, and its standard input, masked.
    pub fn shown(&self) -> Value {
        super::masked(&Value::Object(self.document.0.clone()))
    }

    /// The document with its values.
    pub fn sent(&self) -> Hidden<Value> {
        Hidden(Value::Object(self.document.0.clone()))
    }
}

fn given<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    given(fields, name)?.as_str().map(str::to_owned)
}

fn whole(fields: &Map<String, Value>, name: &str) -> Option<u32> {
    given(fields, name)?.as_u64()?.try_into().ok()
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let parts = value.as_array()?.iter();
    parts.map(|part| part.as_str().map(str::to_owned)).collect()
}

/// Values that are no text are written as JSON has them.
fn environment(fields: &Map<String, Value>) -> BTreeMap<String, String> {
    let env = given(fields, "env").and_then(Value::as_object);
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    env.map_or_else(BTreeMap::new, |env| {
        env.iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::manifest::{RunOptions, RunSettings, plan_run};

    fn settings() -> RunSettings {
        RunSettings {
            namespace: "llmctl".into(),
            workspace_identity: "default".into(),
            frontier_image: "frontier:1".into(),
            vllm_image: "vllm:1".into(),
            service_account: None,
            image_pull_secrets: Vec::new(),
            gpu_limit: 0,
            ttl_seconds: 1800,
            dispatch_timeout_seconds: 300,
            execution_timeout_seconds: 1800,
            cancel_grace_seconds: 15,
            agent_runtime_cutover: false,
            argocd_app: None,
            live_code_path: None,
        }
    }

    fn base() -> Sample {
        Sample {
            name: "payload".into(),
            ..Sample::default()
        }
    }

    fn planned(own: Own, execution: u64) -> crate::domain::manifest::RunPlan {
        let options = RunOptions {
            payload: Some(own),
            ..RunOptions::default()
        };
        plan_run(&base(), execution, &settings(), &options).unwrap()
    }

    /// Every payload of the dispatcher, sent as it is, is what the dispatcher sends.
    #[test]
    fn a_whole_payload_is_sent_as_it_is() {
        let fixture: Value =
            serde_json::from_str(include_str!("../../../tests/it/fixtures/payloads.json")).unwrap();
        for case in fixture["node_execution"].as_array().unwrap() {
            let own = Own::new(&base(), case["payload"].clone()).unwrap();
            let plan = planned(own, 7);
            assert_eq!(plan.payload.0, case["payload"], "{}", case["name"]);
            assert_eq!(case["job_name"], plan.job_name, "{}", case["name"]);
        }
        for case in fixture["command"].as_array().unwrap() {
            let own = Own::new(&base(), case["payload"].clone()).unwrap();
            let sent = planned(own, 7).payload.0;
            for (name, value) in case["payload"].as_object().unwrap() {
                match name.as_str() {
                    "metadata" => {
                        assert_eq!(sent["metadata"]["execution_mode"], value["execution_mode"]);
                    }
                    _ => assert_eq!(&sent[name], value, "{} {name}", case["name"]),
                }
            }
        }
    }

    #[test]
    fn what_is_left_out_is_filled_in() {
        let document = json!({"contract_version": "v1", "node_execution": {"request": {"node_type": "start"}}});
        let plan = planned(Own::new(&base(), document).unwrap(), 41);
        let sent = &plan.payload.0;
        assert_eq!(sent["request_id"], "flowchart-node-1-run-41");
        assert_eq!(sent["node_execution"]["request"]["execution_id"], 41);
        assert_eq!(sent["cwd"], "/tmp/llmctl/runtime/exec-41-idx-1-task-none");
        assert_eq!(sent["provider"], "kubernetes");
        assert!(plan.job_name.starts_with("llmctl-exec-1-41-task-none-"));
    }

    #[test]
    fn its_own_numbers_name_the_job_and_an_index_makes_it_another() {
        let document = json!({"contract_version": "v1", "command": ["true"],
            "metadata": {"flowchart_node_id": 12, "execution_id": 111}});
        let own = Own::new(&base(), document).unwrap();
        assert_eq!(own.numbers().execution, Some(111));
        let first = planned(own.clone(), 7);
        assert!(first.job_name.starts_with("llmctl-exec-12-111-task-none-"));
        let options = RunOptions {
            payload: Some(own),
            index: Some(2),
            ..RunOptions::default()
        };
        let second = plan_run(&base(), 7, &settings(), &options).unwrap();
        assert_ne!(first.job_name, second.job_name);
        assert_eq!(second.request.execution_index, 2);
    }

    #[test]
    fn w35_its_time_out_may_be_longer_than_an_hour_and_not_longer_than_the_runs() {
        let document =
            json!({"contract_version": "v1", "command": ["true"], "timeout_seconds": 7200});
        let own = Own::new(&base(), document).unwrap();
        let of = |timeout: u32| {
            let options = RunOptions {
                payload: Some(own.clone()),
                timeout_seconds: Some(timeout),
                ..RunOptions::default()
            };
            plan_run(&base(), 1, &settings(), &options)
                .unwrap()
                .payload
                .0["timeout_seconds"]
                .clone()
        };
        assert_eq!(of(86_400), 7200);
        assert_eq!(of(60), 60);
    }

    #[test]
    fn a_sample_is_changed_without_its_secrets_being_shown() {
        let sample = Sample {
            name: "x".into(),
            command: Some(vec!["env".into()]),
            env: Hidden(BTreeMap::from([("TOKEN".into(), "s3cret".into())])),
            stdin: Some(Hidden("s3cret too".into())),
            ..Sample::default()
        };
        let mut document = of_sample(&sample);
        assert!(!document.to_string().contains("s3cret"), "{document}");
        document["env"]["MORE"] = json!("x");
        unmask(&mut document, &sample);
        let own = Own::new(&sample, document).unwrap();
        assert!(!format!("{own:?}").contains("s3cret"));
        let plan = planned(own, 1);
        assert_eq!(
            plan.payload.0["env"],
            json!({"TOKEN": "s3cret", "MORE": "x"})
        );
        assert_eq!(plan.payload.0["stdin"], "s3cret too");
        let shown = json!(plan.shown()).to_string();
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
