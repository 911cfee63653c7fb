//! Sample runs: what a person can start without a Studio.

use super::manifest::Refusal;
use super::payload::{Hidden, NodeRequest, Work};
use super::settings::images::ImageClass;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A sample as its TOML file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Lower-case DNS label; the file's name without `.toml` when absent.
    #[serde(default)]
    pub name: String,
    /// What it does, in the third person: "prints three lines and succeeds".
    pub summary: String,
    /// Exactly one of `command`, `shell_command` and `node` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Run by `/bin/bash -lc`, which the image must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell_command: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<SampleNode>,
    /// Flowchart node id of the run; a label and part of the name.
    #[serde(default = "first")]
    pub node_id: u64,
    /// Time-out of the payload in seconds; the smaller of this and the execution time-out counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    #[serde(default = "yes")]
    pub emit_start_markers: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_limit_bytes: Option<u64>,
    #[serde(default)]
    pub env: Hidden<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Hidden<String>>,
    /// Another image than the one of the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The class that the request asks for when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_class: Option<ImageClass>,
    /// Runs instead of the image's executor; for samples that show what happens without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_command: Option<Vec<String>>,
    /// The pod gets the service account's token.
    #[serde(default)]
    pub service_account_token: bool,
}

/// The node of a node payload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleNode {
    /// A type of contract 5.8.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_id: Option<u64>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub input_context: Map<String, Value>,
}

impl Sample {
    /// The word for what it runs: a node type, or `command`.
    pub fn kind(&self) -> &str {
        self.node.as_ref().map_or("command", |node| &node.kind)
    }

    /// What the executor is to do.
    ///
    /// # Errors
    /// None or several of `command`, `shell_command` and `node` are there, or the one that is there is blank.
    pub fn work(&self) -> Result<Work, Refusal> {
        let refuse = |field: &str, value: &str, rule: &str| Err(Refusal::new(field, value, rule));
        match (&self.command, &self.shell_command, &self.node) {
            (Some(command), None, None) => {
                if command.is_empty() || command.iter().any(|part| part.trim().is_empty()) {
                    return refuse(
                        "command",
                        &command.join(" "),
                        "needs at least one part, and no blank one",
                    );
                }
                Ok(Work::Command(command.clone()))
            }
            (None, Some(text), None) if text.trim().is_empty() => {
                refuse("shell_command", text, "must not be blank")
            }
            (None, Some(text), None) => Ok(Work::Shell(text.clone())),
            (None, None, Some(node)) if node.kind.trim().is_empty() => {
                refuse("node.type", &node.kind, "must not be blank")
            }
            (None, None, Some(_)) => Ok(Work::Node),
            _ => refuse(
                "sample",
                &self.name,
                "needs exactly one of command, shell_command and node",
            ),
        }
    }

    /// The request of one run of it.
    pub fn request(&self, execution_id: u64) -> NodeRequest {
        let node = self.node.clone().unwrap_or_default();
        NodeRequest {
            node_id: self.node_id,
            node_type: self.kind().to_owned(),
            node_ref_id: node.ref_id,
            node_config: node.config,
            input_context: node.input_context,
            execution_id,
            execution_index: 1,
            ..NodeRequest::default()
        }
    }

    /// The image class: as the file says, else by the model provider that the request names (contract 3.6).
    pub fn class(&self) -> ImageClass {
        self.image_class.unwrap_or_else(|| {
            let node = self.node.clone().unwrap_or_default();
            ImageClass::of_request(
                &Value::Object(node.config),
                &Value::Object(node.input_context),
            )
        })
    }
}

impl Default for Sample {
    /// Nothing to do yet; what a file leaves out is as here.
    fn default() -> Self {
        Self {
            name: String::new(),
            summary: String::new(),
            command: None,
            shell_command: None,
            node: None,
            node_id: first(),
            timeout_seconds: None,
            emit_start_markers: yes(),
            capture_limit_bytes: None,
            env: Hidden::default(),
            stdin: None,
            image: None,
            image_class: None,
            container_command: None,
            service_account_token: false,
        }
    }
}

fn yes() -> bool {
    true
}

fn first() -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_follows_the_model_provider_unless_the_file_names_one() {
        let fixture: Value =
            serde_json::from_str(include_str!("../../tests/it/fixtures/payloads.json")).unwrap();
        for case in fixture["node_execution"].as_array().unwrap() {
            let request = &case["payload"]["node_execution"]["request"];
            let sample = serde_json::json!({"summary": "s", "node": {
                "type": request["node_type"],
                "config": request["node_config"],
                "input_context": request["input_context"],
            }});
            let mut sample: Sample = serde_json::from_value(sample).unwrap();
            assert_eq!(
                case["image_class"],
                sample.class().as_str(),
                "{}",
                case["name"]
            );
            sample.image_class = Some(ImageClass::Vllm);
            assert_eq!(sample.class(), ImageClass::Vllm);
        }
    }

    #[test]
    fn a_sample_does_exactly_one_thing() {
        let sample = |text: &str| serde_json::from_str::<Sample>(text).unwrap();
        let none = sample(r#"{"name": "x", "summary": "does nothing"}"#);
        assert_eq!(
            none.work().unwrap_err().to_string(),
            "sample `x`: needs exactly one of command, shell_command and node"
        );
        let two = sample(r#"{"summary": "s", "command": ["true"], "shell_command": "true"}"#);
        assert!(two.work().is_err());
        let blank = sample(r#"{"summary": "s", "command": ["echo", " "]}"#);
        assert_eq!(blank.work().unwrap_err().field, "command");
        let node = sample(r#"{"summary": "s", "node": {"type": "start"}}"#);
        assert_eq!(node.work(), Ok(Work::Node));
        assert_eq!(node.request(7).node_type, "start");
    }
}
