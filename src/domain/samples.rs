//! Sample runs: what a person can start without a Studio.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Which of the two images runs it (contract 3.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageClass {
    #[default]
    Frontier,
    Vllm,
}

/// A sample as its TOML file says it. Exactly one of `command`, `shell_command` and `node` is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Lower-case DNS label; the file's name without `.toml` when absent.
    #[serde(default)]
    pub name: String,
    /// What it does, as the end of "This sample …".
    pub summary: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell_command: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<SampleNode>,
    /// Time-out of the payload in seconds; the smaller of this and the execution time-out counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    #[serde(default = "yes")]
    pub emit_start_markers: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_limit_bytes: Option<u64>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// Another image than the one of the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[serde(default)]
    pub image_class: ImageClass,
    /// Runs instead of the image's executor; for samples that show what happens without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_command: Option<Vec<String>>,
    /// The pod gets the service account's token.
    #[serde(default)]
    pub service_account_token: bool,
}

/// The node of a node payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleNode {
    /// A type of contract 5.8.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_id: Option<u64>,
    #[serde(default)]
    pub config: Map<String, Value>,
    #[serde(default)]
    pub input_context: Map<String, Value>,
}

fn yes() -> bool {
    true
}
