//! What a node must put out: the output, routing and special-node contracts (contract 5.7).

use super::ExecutorResult;
use serde_json::{Map, Value};

impl ExecutorResult {
    /// What the output of a success breaks; none for a command, which owes no output, and for anything but a success.
    pub fn output_problem(&self) -> Option<String> {
        if !self.is_success() || self.is_command() {
            return None;
        }
        let object = |key: &str| self.state(key).and_then(Value::as_object);
        let Some(output) = object("output_state") else {
            return Some("the result is missing output_state".to_owned());
        };
        let Some(routing) = object("routing_state") else {
            return Some("the result is missing routing_state".to_owned());
        };
        check(output, routing).err()
    }
}

/// Checks both states of a node.
///
/// # Errors
/// The first rule that is broken, in the words of the Python side.
pub fn check(output: &Map<String, Value>, routing: &Map<String, Value>) -> Result<(), String> {
    if !is_text(output.get("node_type")) {
        return Err("output_state.node_type is required.".into());
    }
    check_routing(routing)?;
    let kind = output["node_type"].as_str().unwrap_or_default();
    check_special(&kind.trim().to_lowercase(), output, routing)
}

type Holds = fn(&Value) -> bool;

fn check_routing(routing: &Map<String, Value>) -> Result<(), String> {
    let rules: [(&str, Holds, &str); 5] = [
        ("route_key", |v| is_text(Some(v)), "a non-empty string"),
        ("terminate_run", Value::is_boolean, "boolean"),
        ("matched_connector_ids", Value::is_array, "an array"),
        ("evaluations", Value::is_array, "an array"),
        ("no_match", Value::is_boolean, "boolean"),
    ];
    for (key, holds, rule) in rules {
        if routing.get(key).is_some_and(|value| !holds(value)) {
            return Err(format!("routing_state.{key} must be {rule}."));
        }
    }
    Ok(())
}

/// Checks the output of a special node of type `kind`; other types pass.
///
/// # Errors
/// As [`check`].
pub fn check_special(
    kind: &str,
    output: &Map<String, Value>,
    routing: &Map<String, Value>,
) -> Result<(), String> {
    let (texts, arrays, required): (&[&str], &[&str], &[&str]) = match kind {
        "decision" => (
            &[],
            &["evaluations"],
            &[
                "node_type",
                "matched_connector_ids",
                "evaluations",
                "no_match",
            ],
        ),
        "memory" | "milestone" => (
            &["action"],
            &["action_results"],
            &["node_type", "action", "action_results"],
        ),
        "plan" => (
            &["mode", "store_mode"],
            &["action_results"],
            &["node_type", "mode", "store_mode", "action_results"],
        ),
        _ => return Ok(()),
    };
    let missing: Vec<&str> = required
        .iter()
        .copied()
        .filter(|key| !output.contains_key(*key))
        .collect();
    if !missing.is_empty() {
        return Err(format!(
            "output_state is missing required keys: {}.",
            missing.join(", ")
        ));
    }
    let own = output["node_type"].as_str().unwrap_or_default();
    if own.trim().to_lowercase() != kind {
        return Err(format!(
            "output_state.node_type must be '{kind}', got '{own}'."
        ));
    }
    if let Some(key) = texts.iter().find(|key| !is_text(output.get(**key))) {
        return Err(format!("{kind} output_state.{key} is required."));
    }
    if let Some(key) = arrays.iter().find(|key| !output[**key].is_array()) {
        return Err(format!("{kind} output_state.{key} must be an array."));
    }
    if kind == "decision" {
        if !output["no_match"].is_boolean() {
            return Err("decision output_state.no_match must be boolean.".into());
        }
        check_connectors("output_state", output)?;
        check_connectors("routing_state", routing)?;
    }
    Ok(())
}

/// Connector ids are texts without space around them; absent is fine where the key is optional.
fn check_connectors(place: &str, state: &Map<String, Value>) -> Result<(), String> {
    let Some(ids) = state.get("matched_connector_ids") else {
        return Ok(());
    };
    let fine = ids.as_array().is_some_and(|ids| {
        ids.iter()
            .all(|id| is_text(Some(id)) && id.as_str().is_some_and(|id| id.trim() == id))
    });
    if fine {
        return Ok(());
    }
    Err(format!(
        "Decision {place}.matched_connector_ids must contain non-empty strings."
    ))
}

fn is_text(value: Option<&Value>) -> bool {
    value
        .and_then(Value::as_str)
        .is_some_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_nodes_are_checked_in_the_words_of_the_python_side() {
        let fixture: Value = serde_json::from_str(include_str!(
            "../../../tests/it/fixtures/executor-output.json"
        ))
        .unwrap();
        let cases = fixture["special_node_outputs"].as_array().unwrap();
        assert_eq!(cases.len(), 9);
        for case in cases {
            let object = |key: &str| case[key].as_object().unwrap();
            let found = check_special(
                case["node_type"].as_str().unwrap(),
                object("output_state"),
                object("routing_state"),
            );
            assert_eq!(
                case["python_error"].as_str(),
                found.as_ref().err().map(String::as_str),
                "{}",
                case["name"]
            );
        }
    }

    #[test]
    fn a_command_owes_no_output() {
        let parse = |text: &str| ExecutorResult::parse(text).unwrap();
        let command =
            parse(r#"{"status": "success", "provider_metadata": {"execution_mode": "command"}}"#);
        assert_eq!(command.output_problem(), None);
        let node = parse(
            r#"{"status": "success", "provider_metadata": {"execution_mode": "node_execution"}}"#,
        );
        assert_eq!(
            node.output_problem().unwrap(),
            "the result is missing output_state"
        );
    }
}
