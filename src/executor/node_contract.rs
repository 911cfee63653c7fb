//! What the special nodes must answer; checked where they run (contract 5.7).

use serde_json::{Map, Value};

/// Checks the states of a node of this type. Types without a contract of their own pass.
///
/// # Errors
/// The first rule broken, as the Python code words it.
pub fn check(node_type: &str, output: &Value, routing: &Value) -> Result<(), String> {
    let required: &[&str] = match node_type {
        "decision" => &[
            "node_type",
            "matched_connector_ids",
            "evaluations",
            "no_match",
        ],
        "memory" | "milestone" => &["node_type", "action", "action_results"],
        "plan" => &["node_type", "mode", "store_mode", "action_results"],
        _ => return Ok(()),
    };
    let (Value::Object(output), Value::Object(routing)) = (output, routing) else {
        return Err("output_state and routing_state must be objects.".to_owned());
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
    let named = output["node_type"]
        .as_str()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    if named != node_type {
        return Err(format!(
            "output_state.node_type must be '{node_type}', got '{named}'."
        ));
    }
    if node_type == "decision" {
        return decision(output, routing);
    }
    for key in ["action", "mode", "store_mode"] {
        if required.contains(&key)
            && output[key]
                .as_str()
                .is_none_or(|text| text.trim().is_empty())
        {
            return Err(format!("{node_type} output_state.{key} is required."));
        }
    }
    if !output["action_results"].is_array() {
        return Err(format!(
            "{node_type} output_state.action_results must be an array."
        ));
    }
    Ok(())
}

fn decision(output: &Map<String, Value>, routing: &Map<String, Value>) -> Result<(), String> {
    connector_ids("output_state", output.get("matched_connector_ids"))?;
    if !output["evaluations"].is_array() {
        return Err("Decision output_state.evaluations must be an array.".to_owned());
    }
    if !output["no_match"].is_boolean() {
        return Err("Decision output_state.no_match must be a boolean.".to_owned());
    }
    connector_ids("routing_state", routing.get("matched_connector_ids"))
}

/// Every routing key is optional, so absence is fine there; in the output it was already found missing.
fn connector_ids(state: &str, ids: Option<&Value>) -> Result<(), String> {
    let Some(ids) = ids else {
        return Ok(());
    };
    let Some(ids) = ids.as_array() else {
        return Err(format!(
            "Decision {state}.matched_connector_ids must be an array."
        ));
    };
    let plain = |id: &Value| {
        id.as_str()
            .is_some_and(|id| !id.is_empty() && id.trim() == id)
    };
    if ids.iter().all(plain) {
        Ok(())
    } else {
        Err(format!(
            "Decision {state}.matched_connector_ids must contain non-empty strings."
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn special_nodes_answer_as_their_contract_says() {
        let full = json!({"node_type": "decision", "matched_connector_ids": ["a"], "evaluations": [], "no_match": false});
        assert_eq!(check("decision", &full, &json!({})), Ok(()));
        for (node_type, output, routing, problem) in [
            (
                "decision",
                full.clone(),
                json!({"matched_connector_ids": [" a"]}),
                "Decision routing_state.matched_connector_ids must contain non-empty strings.",
            ),
            (
                "decision",
                full.clone(),
                json!({"matched_connector_ids": "a"}),
                "Decision routing_state.matched_connector_ids must be an array.",
            ),
            (
                "plan",
                full.clone(),
                json!({}),
                "output_state is missing required keys: mode, store_mode, action_results.",
            ),
            (
                "memory",
                json!({"node_type": 3, "action": "add", "action_results": []}),
                json!({}),
                "output_state.node_type must be 'memory', got ''.",
            ),
            (
                "plan",
                json!({"node_type": "PLAN", "mode": "", "store_mode": "", "action_results": []}),
                json!({}),
                "plan output_state.mode is required.",
            ),
        ] {
            assert_eq!(check(node_type, &output, &routing), Err(problem.to_owned()));
        }
    }

    #[test]
    fn other_types_are_free() {
        assert_eq!(check("task", &json!({}), &json!({})), Ok(()));
    }
}
