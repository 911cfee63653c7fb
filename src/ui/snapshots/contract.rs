//! A broken rule of the output contract is named wherever a run is told of (contract 5.7).

use super::super::stage::{Stage, Told};
use crate::domain::logs::LogEvent;
use crate::domain::runs::document::RunDocument;
use serde_json::{Value, json};

#[test]
fn every_broken_rule_is_named_on_the_card_in_the_result_and_in_the_document() {
    let fixture: Value = serde_json::from_str(include_str!(
        "../../../tests/it/fixtures/output-contract.json"
    ))
    .unwrap();
    for case in fixture["cases"].as_array().unwrap() {
        let name = &case["name"];
        let mut result = json!({
            "contract_version": "v1", "status": "success", "exit_code": 0,
            "provider_metadata": {"execution_mode": "node_execution"},
        });
        for key in ["output_state", "routing_state"] {
            if !case[key].is_null() {
                result[key] = case[key].clone();
            }
        }
        let told = Told {
            asked: Some(case["node_type"].as_str().unwrap().to_owned()),
            ..Told::new(208, "start-node", -10)
        };
        let mut stage = Stage::minikube();
        stage.running(&told);
        stage.print(
            &told,
            -2.0,
            &[format!("LLMCTL_EXECUTOR_RESULT_JSON={result}")],
        );
        stage.finish(&told, 9, 0, true);
        stage.log(&told, LogEvent::Whole).select(208);
        let card = stage.shot(120, 40);
        let tab = stage.press(&["]", "]"]).shot(120, 40);
        assert!(tab.contains("▸Result"), "{tab}");
        let run = stage.state.runs.current().unwrap();
        let document = RunDocument::new(run, &stage.state.target, stage.state.now);
        let document = serde_json::to_value(&document).unwrap();
        let rules = case["broken"].as_array().unwrap();
        let verdict = if rules.is_empty() {
            "success"
        } else {
            "failed"
        };
        assert_eq!(document["verdict"], verdict, "{name}: {document:#}");
        let violations = document["violations"].as_array().unwrap();
        assert_eq!(violations.len(), rules.len(), "{name}: {document:#}");
        for (rule, violation) in rules.iter().zip(violations) {
            let rule = rule.as_str().unwrap();
            let violation = violation.as_str().unwrap();
            assert!(
                violation.starts_with(&format!("{rule}: ")),
                "{name}: {violation}"
            );
            assert!(card.contains(&format!("{rule} ")), "{name}: {card}");
            assert!(tab.contains(&format!("✗ {rule} ")), "{name}: {tab}");
        }
    }
}
