//! Payload documents of executor contract v1 (contract 2.5, 5.2 to 5.4).

pub mod check;
pub mod own;
pub mod sent;
pub mod set;

use super::identity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What stands in a document for a value that is not shown.
pub const MASK: &str = "***";

/// A value that may hold secrets: it is passed on and never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden<T>(pub T);

impl<T> std::fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

/// The request of one node run (contract 2.5); a command payload uses its numbers for names and labels too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeRequest {
    pub node_id: u64,
    /// A type of contract 5.8, or `command` for a payload without a node.
    pub node_type: String,
    #[serde(default)]
    pub node_ref_id: Option<u64>,
    #[serde(default)]
    pub node_config: Map<String, Value>,
    #[serde(default)]
    pub input_context: Map<String, Value>,
    pub execution_id: u64,
    #[serde(default)]
    pub execution_task_id: Option<u64>,
    /// Pass through the node, from 1.
    pub execution_index: u64,
    #[serde(default)]
    pub enabled_providers: BTreeSet<String>,
    #[serde(default)]
    pub default_model_id: Option<u64>,
    #[serde(default)]
    pub mcp_server_keys: Vec<String>,
}

impl NodeRequest {
    /// The `request_id` of contract 5.4.
    pub fn request_id(&self) -> String {
        let execution = self.execution_id;
        match self.node_type.as_str() {
            "agent_task" => format!("agent-task-{}", self.execution_task_id.unwrap_or(execution)),
            "llm_call" => format!("llm-call-{execution}"),
            "rag_chat_completion" => format!("rag-chat-completion-{execution}"),
            _ => format!("flowchart-node-{}-run-{execution}", self.node_id),
        }
    }

    /// The metadata word `execution_mode` of contract 2.1.
    fn execution_mode(&self) -> &'static str {
        match self.node_type.as_str() {
            "agent_task" => "agent_task_in_pod",
            "llm_call" => "llm_call_in_pod",
            "rag_chat_completion" => "rag_chat_completion_in_pod",
            _ => "flowchart_node_in_pod",
        }
    }
}

/// What an executor does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A program with its arguments.
    Command(Vec<String>),
    /// A text for `/bin/bash -lc`.
    Shell(String),
    /// The node of the request itself (contract 5.3).
    Node,
}

/// One payload. What is absent is left out of the document, so that the executor's own defaults hold (contract 5.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Payload<'a> {
    pub request: &'a NodeRequest,
    pub work: Work,
    /// 1 to 86400. The dispatcher of Studio stops at 3600 although an execution may last a day (W35); this one does not.
    pub timeout_seconds: u32,
    pub emit_start_markers: bool,
    pub capture_limit_bytes: Option<u64>,
    pub env: Hidden<BTreeMap<String, String>>,
    pub stdin: Option<Hidden<String>>,
}

impl Payload<'_> {
    /// The document that the executor reads.
    pub fn document(&self) -> Value {
        let request = self.request;
        let mut document = json!({
            "contract_version": "v1",
            "result_contract_version": "v1",
            "provider": "kubernetes",
            "request_id": request.request_id(),
            "timeout_seconds": self.timeout_seconds,
            "emit_start_markers": self.emit_start_markers,
        });
        let mut env = self.env.0.clone();
        let mut metadata = json!({
            "flowchart_node_id": request.node_id,
            "execution_id": request.execution_id,
            "execution_mode": "sample",
        });
        match &self.work {
            Work::Command(command) => document["command"] = json!(command),
            Work::Shell(text) => document["shell_command"] = json!(text),
            Work::Node => {
                let root = identity::runtime_root(request);
                let workspaces = format!("{root}/workspaces");
                metadata["execution_mode"] = json!(request.execution_mode());
                metadata["executor_runtime_root"] = json!(root);
                metadata["executor_workspaces_dir"] = json!(workspaces);
                env.entry("LLMCTL_STUDIO_WORKSPACES_DIR".into())
                    .or_insert(workspaces);
                env.entry("LLMCTL_STUDIO_DATA_DIR".into())
                    .or_insert(format!("{root}/data"));
                document["cwd"] = json!(root);
                document["node_execution"] = node_execution(request);
            }
        }
        if !env.is_empty() {
            document["env"] = json!(env);
        }
        if let Some(limit) = self.capture_limit_bytes {
            document["capture_limit_bytes"] = json!(limit);
        }
        if let Some(Hidden(stdin)) = &self.stdin {
            document["stdin"] = json!(stdin);
        }
        document["metadata"] = metadata;
        document
    }
}

fn node_execution(request: &NodeRequest) -> Value {
    let mut wire = json!(request);
    wire["enabled_providers"] = request
        .enabled_providers
        .iter()
        .map(|provider| provider.to_lowercase())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    json!({
        "entrypoint": "services.tasks:_execute_flowchart_node_request",
        "python_paths": ["/app/app/llmctl-studio-backend/src"],
        "request": wire,
        "request_context": {"execution_contract_version": "v1"},
    })
}

/// The payload with every value of its `env`, and its `stdin`, masked: for a screen, a record or a message.
pub fn masked(payload: &Value) -> Value {
    let mut shown = payload.clone();
    if let Some(env) = shown.get_mut("env").and_then(Value::as_object_mut) {
        for value in env.values_mut() {
            *value = json!(MASK);
        }
    }
    if let Some(stdin) = shown.get_mut("stdin") {
        *stdin = json!(MASK);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every node payload of the dispatcher, rebuilt from its own request.
    #[test]
    fn node_payloads_are_those_of_the_dispatcher() {
        let fixture: Value =
            serde_json::from_str(include_str!("../../tests/it/fixtures/payloads.json")).unwrap();
        let cases = fixture["node_execution"].as_array().unwrap();
        assert_eq!(cases.len(), 14);
        for case in cases {
            let expected = &case["payload"];
            let request: NodeRequest =
                serde_json::from_value(expected["node_execution"]["request"].clone()).unwrap();
            let payload = Payload {
                request: &request,
                work: Work::Node,
                timeout_seconds: 1800,
                emit_start_markers: true,
                capture_limit_bytes: None,
                env: Hidden::default(),
                stdin: None,
            };
            assert_eq!(&payload.document(), expected, "{}", case["name"]);
            assert_eq!(case["job_name"], identity::job_name(&request));
        }
    }

    #[test]
    fn a_command_payload_names_nothing_of_a_node() {
        let request = NodeRequest {
            node_id: 12,
            node_type: "command".into(),
            execution_id: 7,
            execution_index: 1,
            ..NodeRequest::default()
        };
        let payload = Payload {
            request: &request,
            work: Work::Shell("echo hi".into()),
            timeout_seconds: 60,
            emit_start_markers: false,
            capture_limit_bytes: Some(2048),
            env: Hidden(BTreeMap::from([("TOKEN".into(), "s3cret".into())])),
            stdin: Some(Hidden("line".into())),
        };
        let document = payload.document();
        assert_eq!(
            document,
            json!({
                "contract_version": "v1", "result_contract_version": "v1", "provider": "kubernetes",
                "request_id": "flowchart-node-12-run-7", "timeout_seconds": 60, "emit_start_markers": false,
                "shell_command": "echo hi", "env": {"TOKEN": "s3cret"}, "capture_limit_bytes": 2048, "stdin": "line",
                "metadata": {"flowchart_node_id": 12, "execution_id": 7, "execution_mode": "sample"},
            })
        );
        assert!(!format!("{payload:?}").contains("s3cret"));
        let shown = masked(&document);
        assert_eq!(shown["env"], json!({"TOKEN": "***"}));
        assert_eq!(shown["stdin"], "***");
        assert!(!shown.to_string().contains("s3cret"));
    }
}
