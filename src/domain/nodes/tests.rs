//! The table against the contract's payloads, and each rule broken once.

use super::*;
use crate::domain::payload::check::problems;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../tests/it/fixtures/payloads.json")).unwrap()
}

#[test]
fn every_type_of_the_contract_is_here_and_its_payloads_break_no_rule() {
    let fixture = fixture();
    let mut seen = std::collections::BTreeSet::new();
    for case in fixture["node_execution"].as_array().unwrap() {
        let request = &case["payload"]["node_execution"]["request"];
        let name = request["node_type"].as_str().unwrap();
        let kind = NodeType::of_name(name).unwrap();
        assert_eq!(
            kind.problems(request.as_object().unwrap()),
            [],
            "{}",
            case["name"]
        );
        assert_eq!(problems(&case["payload"]), [], "{}", case["name"]);
        seen.insert(name.to_owned());
    }
    assert_eq!(seen.len(), 12);
    assert_eq!(TYPES.len(), 12);
}

#[test]
fn a_form_begins_with_an_example_in_each_required_field() {
    for kind in TYPES {
        let sample = kind.sample();
        let node = sample.node.clone().unwrap();
        for field in kind.fields.iter().filter(|field| field.required) {
            assert_eq!(field.shape.broken(&node.config[field.name], true), None);
        }
        // Two need something that only a person knows.
        let left: Vec<String> = kind
            .problems(json!(sample.request(1)).as_object().unwrap())
            .iter()
            .map(ToString::to_string)
            .collect();
        match kind.name {
            "decision" => assert!(left[0].contains("decision_conditions"), "{left:?}"),
            "agent_task" => assert!(left[0].contains("agent_task_id"), "{left:?}"),
            _ => assert!(left.is_empty(), "{}: {left:?}", kind.name),
        }
    }
}

#[test]
fn each_rule_is_told_with_its_field() {
    let table = [
        (
            "task",
            json!({"node_config": {}}),
            "node_config.task_prompt: is missing",
        ),
        (
            "task",
            json!({"node_config": {"task_prompt": " "}}),
            "node_config.task_prompt: must be text, and not blank",
        ),
        (
            "task",
            json!({"node_config": {"task_prompt": "x", "agent_id": 0}}),
            "agent_id: must be a whole number from 1 on",
        ),
        (
            "flowchart",
            json!({}),
            "node_ref_id: must be a flowchart id",
        ),
        (
            "flowchart",
            json!({"node_ref_id": 0}),
            "node_ref_id: must be a flowchart id",
        ),
        (
            "plan",
            json!({"node_config": {"mode": "guess", "store_mode": "update"}}),
            "mode: must be llm_guided or deterministic",
        ),
        (
            "plan",
            json!({"node_config": {"mode": "deterministic", "store_mode": "update", "retry_count": 6}}),
            "retry_count: must be a whole number from 0 to 5",
        ),
        (
            "milestone",
            json!({"node_config": {"action": ""}}),
            "action: must be create_or_update or mark_complete",
        ),
        (
            "memory",
            json!({"node_config": {"action": "add", "mode": "deterministic"}}),
            "node_config.text: must be there",
        ),
        (
            "memory",
            json!({"mcp_server_keys": ["other"]}),
            "mcp_server_keys: must be empty or hold llmctl-mcp",
        ),
        (
            "decision",
            json!({"node_config": {"decision_conditions": [{"connector_id": "a"}]}}),
            "decision_conditions[0].condition_text",
        ),
        (
            "rag",
            json!({"node_config": {"mode": "query", "collections": []}}),
            "collections: must be a list with at least one",
        ),
        (
            "rag",
            json!({"node_config": {"mode": "query", "collections": ["d"]}}),
            "question_prompt: must be there for the mode query",
        ),
        (
            "rag",
            json!({"node_config": {"mode": "query", "collections": ["d"], "question_prompt": "q", "top_k": 21}}),
            "top_k: must be a whole number from 1 to 20",
        ),
        ("agent_task", json!({"node_config": {}}), "agent_task_id"),
        (
            "llm_call",
            json!({"node_config": {"provider": "codex", "model_config": []}}),
            "model_config: must be an object",
        ),
        (
            "rag_chat_completion",
            json!({"node_config": {"messages": [{"role": "robot", "content": "x"}]}}),
            "needs at least one",
        ),
    ];
    for (name, request, says) in table {
        let kind = NodeType::of_name(name).unwrap();
        let found = kind.problems(request.as_object().unwrap());
        assert!(
            found
                .iter()
                .any(|problem| problem.to_string().contains(says)),
            "{name} {request}: {found:?} lacks {says}"
        );
    }
}
