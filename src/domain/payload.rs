//! Payload documents of executor contract v1 (contract 2.5, 5.2 to 5.4).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The request of one node run (contract 2.5); a command payload uses its numbers for names and labels too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeRequest {
    pub node_id: u64,
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

/// What an executor does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A program with its arguments.
    Command(Vec<String>),
    /// A text for `/bin/bash -lc`.
    ShellCommand(String),
    /// The node itself (contract 5.3).
    Node,
}

/// What a payload says beside the request; absent values are left out of the document, so that the executor's defaults hold.
#[derive(Clone, Debug, PartialEq)]
pub struct PayloadOptions {
    pub work: Work,
    pub timeout_seconds: u32,
    pub emit_start_markers: bool,
    pub capture_limit_bytes: Option<u64>,
    pub env: BTreeMap<String, String>,
    pub stdin: Option<String>,
    /// Echoed by the executor; `execution_mode` and the ids are added.
    pub metadata: Map<String, Value>,
}
