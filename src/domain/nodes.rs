//! The twelve node types with their fields and rules (contract 5.8).

mod table;
#[cfg(test)]
mod tests;

use super::payload::check::Problem;
use super::samples::{Sample, SampleNode};
use serde_json::{Map, Value, json};
use std::ops::RangeInclusive;

pub use table::TYPES;

/// A node type.
#[derive(Clone, Copy, Debug)]
pub struct NodeType {
    /// As `node_type` has it.
    pub name: &'static str,
    /// What it does, in the third person.
    pub summary: &'static str,
    /// What it needs beside the backend's code.
    pub needs: &'static str,
    /// What `node_ref_id` names, when it names something.
    pub reference: Option<Reference>,
    /// Fields of `node_config`, required ones first.
    pub fields: &'static [Field],
}

/// The row that a node's `node_ref_id` points to.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    pub what: &'static str,
    pub required: bool,
}

/// A field of `node_config`.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    pub required: bool,
    /// What stands in a form at first, as JSON.
    pub example: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Text,
    Choice(&'static [&'static str]),
    Whole(u64, u64),
    Flag,
    Object,
    /// A list with at least one entry.
    List,
}

impl Shape {
    /// The rule that a value breaks; null counts as absent.
    fn broken(self, value: &Value, required: bool) -> Option<String> {
        let ok = match self {
            Self::Text => value
                .as_str()
                .is_some_and(|text| !required || !text.trim().is_empty()),
            Self::Choice(words) => value.as_str().is_some_and(|text| words.contains(&text)),
            Self::Whole(min, max) => within(value, &(min..=max)),
            Self::Flag => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::List => value
                .as_array()
                .is_some_and(|list| !required || !list.is_empty()),
        };
        (!ok).then(|| self.rule())
    }

    /// The rule in words, to follow "must be".
    pub fn rule(self) -> String {
        match self {
            Self::Text => "must be text, and not blank".to_owned(),
            Self::Choice(words) => format!("must be {}", words.join(" or ")),
            Self::Whole(min, max) if max == u64::MAX => {
                format!("must be a whole number from {min} on")
            }
            Self::Whole(min, max) => format!("must be a whole number from {min} to {max}"),
            Self::Flag => "must be true or false".to_owned(),
            Self::Object => "must be an object".to_owned(),
            Self::List => "must be a list with at least one entry".to_owned(),
        }
    }
}

fn within(value: &Value, range: &RangeInclusive<u64>) -> bool {
    value.as_u64().is_some_and(|number| range.contains(&number))
}

impl NodeType {
    /// The type of that name.
    pub fn of_name(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|kind| kind.name == name)
    }

    /// A sample that runs a node of this type, with an example in each required field.
    pub fn sample(&self) -> Sample {
        let required = self.fields.iter().filter(|field| field.required);
        let config = required.map(|field| {
            let example = serde_json::from_str(field.example).unwrap_or(Value::Null);
            (field.name.to_owned(), example)
        });
        Sample {
            name: self.name.replace('_', "-"),
            summary: self.summary.to_owned(),
            node: Some(SampleNode {
                kind: self.name.to_owned(),
                ref_id: self
                    .reference
                    .filter(|reference| reference.required)
                    .map(|_| 1),
                config: config.collect(),
                input_context: Map::new(),
            }),
            ..Sample::default()
        }
    }

    /// Every rule that a request of this type breaks: `request` is the object under `node_execution.request`.
    pub fn problems(&self, request: &Map<String, Value>) -> Vec<Problem> {
        let empty = Map::new();
        let config = request
            .get("node_config")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let mut problems = Vec::new();
        for field in self.fields {
            let place = format!("node_config.{}", field.name);
            match config.get(field.name).filter(|value| !value.is_null()) {
                None if field.required => {
                    let rule = format!("is missing: {}", field.shape.rule());
                    problems.push(Problem::new(place, rule));
                }
                None => {}
                Some(value) => problems.extend(
                    field
                        .shape
                        .broken(value, field.required)
                        .map(|rule| Problem::new(place, rule)),
                ),
            }
        }
        if let Some(reference) = self.reference {
            let given = request.get("node_ref_id").filter(|id| !id.is_null());
            let names = given.and_then(Value::as_u64).is_some_and(|id| id > 0);
            if !names && (reference.required || given.is_some()) {
                let rule = format!("must be a {} from 1 on", reference.what);
                problems.push(Problem::new("node_ref_id", rule));
            }
        }
        problems.extend(self.further(config, request));
        problems
    }

    /// Rules between fields.
    fn further(&self, config: &Map<String, Value>, request: &Map<String, Value>) -> Vec<Problem> {
        let text = |name: &str| config.get(name).and_then(Value::as_str).unwrap_or_default();
        let blank = |name: &str| text(name).trim().is_empty();
        let mut problems = Vec::new();
        let mut say = |field: &str, rule: &str| problems.push(Problem::new(field, rule));
        match self.name {
            "memory" => {
                if text("action") == "add" && text("mode") == "deterministic" && blank("text") {
                    say("node_config.text", "must be there for the action add");
                }
                let keys = request.get("mcp_server_keys").and_then(Value::as_array);
                if keys.is_some_and(|keys| !keys.is_empty() && !keys.contains(&json!("llmctl-mcp")))
                {
                    say("mcp_server_keys", "must be empty or hold llmctl-mcp");
                }
            }
            "rag" if text("mode") == "query" && blank("question_prompt") => {
                say(
                    "node_config.question_prompt",
                    "must be there for the mode query",
                );
            }
            "decision" => conditions(config, &mut say),
            "agent_task" => {
                let id =
                    |map: &Map<String, Value>, name: &str| map.get(name).and_then(Value::as_u64);
                if id(config, "agent_task_id").is_none()
                    && id(request, "execution_task_id").is_none()
                {
                    say(
                        "node_config.agent_task_id",
                        "must be there, unless execution_task_id names the task",
                    );
                }
            }
            "rag_chat_completion" => messages(config, &mut say),
            _ => {}
        }
        problems
    }
}

fn conditions(config: &Map<String, Value>, say: &mut impl FnMut(&str, &str)) {
    let legacy = config.get("route_field_path").is_some_and(Value::is_string);
    let Some(conditions) = config.get("decision_conditions").and_then(Value::as_array) else {
        if !legacy {
            say(
                "node_config.decision_conditions",
                "is missing: must be a list of {connector_id, condition_text}",
            );
        }
        return;
    };
    for (at, condition) in conditions.iter().enumerate() {
        for part in ["connector_id", "condition_text"] {
            let text = condition.get(part).and_then(Value::as_str);
            if text.is_none_or(|text| text.trim().is_empty()) {
                let field = format!("node_config.decision_conditions[{at}].{part}");
                say(&field, "must be text, and not blank");
            }
        }
    }
}

fn messages(config: &Map<String, Value>, say: &mut impl FnMut(&str, &str)) {
    let valid = |message: &Value| {
        let role = message.get("role").and_then(Value::as_str);
        let content = message.get("content").and_then(Value::as_str);
        role.is_some_and(|role| ["system", "user", "assistant"].contains(&role))
            && content.is_some_and(|content| !content.trim().is_empty())
    };
    let messages = config.get("messages").and_then(Value::as_array);
    if messages.is_some_and(|all| !all.is_empty() && !all.iter().any(valid)) {
        say(
            "node_config.messages",
            "needs at least one {role: system, user or assistant, content: text}",
        );
    }
}
