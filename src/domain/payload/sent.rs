//! A payload as it was sent, without what the dispatcher had filled in and without its numbers: what a person begins with when a run is
//! to be asked for once more. The way back of `Own::over`.

use super::NodeRequest;
use crate::domain::identity;
use serde_json::{Map, Value, json};

/// The document of a run that had an execution time-out of so many seconds.
pub fn of_sent(mut document: Value, timeout: Option<u32>) -> Value {
    let Some(fields) = document.as_object_mut() else {
        return document;
    };
    fields.remove("request_id");
    drop_when(fields, "result_contract_version", &json!("v1"));
    drop_when(fields, "provider", &json!("kubernetes"));
    drop_when(fields, "emit_start_markers", &json!(true));
    if let Some(timeout) = timeout {
        drop_when(fields, "timeout_seconds", &json!(timeout));
    }
    drop_of_metadata(fields);
    if let Some(node) = fields
        .get_mut("node_execution")
        .and_then(Value::as_object_mut)
    {
        let root = drop_of_node(node);
        drop_when(fields, "cwd", &json!(root));
        if let Some(env) = fields.get_mut("env").and_then(Value::as_object_mut) {
            let workspaces = format!("{root}/workspaces");
            drop_when(env, "LLMCTL_STUDIO_WORKSPACES_DIR", &json!(workspaces));
            drop_when(
                env,
                "LLMCTL_STUDIO_DATA_DIR",
                &json!(format!("{root}/data")),
            );
        }
        drop_when(fields, "env", &json!({}));
    }
    document
}

fn drop_when(fields: &mut Map<String, Value>, name: &str, value: &Value) {
    if fields.get(name) == Some(value) {
        fields.remove(name);
    }
}

/// A command says here which node it stands for; a node's request says it itself.
fn drop_of_metadata(fields: &mut Map<String, Value>) {
    let is_node = fields.contains_key("node_execution");
    let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    for name in [
        "execution_id",
        "execution_mode",
        "executor_runtime_root",
        "executor_workspaces_dir",
    ] {
        metadata.remove(name);
    }
    if is_node {
        metadata.remove("flowchart_node_id");
    }
    drop_when(fields, "metadata", &json!({}));
}

/// Gives the directory that the node worked in.
fn drop_of_node(node: &mut Map<String, Value>) -> String {
    drop_when(
        node,
        "entrypoint",
        &json!("services.tasks:_execute_flowchart_node_request"),
    );
    drop_when(
        node,
        "python_paths",
        &json!(["/app/app/llmctl-studio-backend/src"]),
    );
    drop_when(
        node,
        "request_context",
        &json!({"execution_contract_version": "v1"}),
    );
    let Some(request) = node.get_mut("request").and_then(Value::as_object_mut) else {
        return String::new();
    };
    let known: Option<NodeRequest> = serde_json::from_value(json!(request)).ok();
    request.remove("execution_id");
    request.remove("execution_index");
    request.retain(|_, value| !value.is_null() && *value != json!([]) && *value != json!({}));
    if let Some(config) = request
        .get_mut("node_config")
        .and_then(Value::as_object_mut)
    {
        drop_when(config, "__agent_runtime_cutover_enabled", &json!("true"));
    }
    drop_when(request, "node_config", &json!({}));
    known.map_or_else(String::new, |request| identity::runtime_root(&request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_filled_in_goes_and_what_was_meant_stays() {
        let sent = json!({
            "contract_version": "v1", "result_contract_version": "v1", "provider": "kubernetes", "emit_start_markers": true,
            "request_id": "flowchart-node-12-run-208", "timeout_seconds": 1800,
            "cwd": "/tmp/llmctl/runtime/exec-208-idx-2-task-none",
            "env": {
                "LLMCTL_STUDIO_WORKSPACES_DIR": "/tmp/llmctl/runtime/exec-208-idx-2-task-none/workspaces",
                "LLMCTL_STUDIO_DATA_DIR": "/elsewhere",
            },
            "metadata": {"flowchart_node_id": 12, "execution_id": 208, "mine": 1},
            "node_execution": {
                "entrypoint": "mine:own",
                "request": {"node_type": "task", "node_id": 12, "execution_id": 208, "execution_index": 2, "node_ref_id": null,
                    "execution_task_id": null, "mcp_server_keys": [], "node_config": {"__agent_runtime_cutover_enabled": "true"}},
                "request_context": {"execution_contract_version": "v1"},
            },
        });
        let left = json!({
            "contract_version": "v1",
            "env": {"LLMCTL_STUDIO_DATA_DIR": "/elsewhere"},
            "metadata": {"mine": 1},
            "node_execution": {"entrypoint": "mine:own", "request": {"node_type": "task", "node_id": 12}},
        });
        assert_eq!(of_sent(sent.clone(), Some(1800)), left);
        assert_eq!(of_sent(sent, Some(60))["timeout_seconds"], 1800);
        assert_eq!(of_sent(json!([1]), None), json!([1]));
    }
}
