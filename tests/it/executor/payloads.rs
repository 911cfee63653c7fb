//! The recorded payloads: status, exit code and error as Python's executor gave them.

use llmctl_dev::executor::payload::{Payload, Work};
use serde_json::{Value, json};

use super::{Executor, Finished, fixture};

#[test]
fn recorded_commands_end_as_recorded() {
    let fixture = fixture("payloads.json");
    let cases = fixture["command"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let finished = Executor::of(&case["payload"]).run();
        check(case, &finished, None);
        let result = finished.result();
        assert_eq!(result["provider_metadata"]["execution_mode"], "command");
        assert!(result["metrics"]["duration_seconds"].is_f64(), "{result}");
    }
}

#[test]
fn recorded_invalid_payloads_are_rejected_as_recorded() {
    let fixture = fixture("payloads.json");
    let cases = fixture["invalid"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        // Python names three providers; here only one is allowed, so the message names that one (W33).
        let differs = (case["name"] == "unknown_provider").then_some(
            "payload.provider must be 'kubernetes': it is the only provider, leave the field out or set it so.",
        );
        let finished = Executor::of(&case["payload"]).run();
        check(case, &finished, differs);
        let result = finished.result();
        assert_eq!(finished.stdout.lines().count(), 1, "{finished:?}");
        assert!(result.get("metrics").is_none(), "{result}");
    }
}

#[test]
fn w33_the_older_providers_are_refused_and_the_result_says_kubernetes() {
    for provider in ["workspace", "docker"] {
        let payload = json!({"contract_version": "v1", "provider": provider, "request_id": "r-1", "command": ["true"]});
        let result = Executor::of(&payload).run().ended("failed", 1);
        assert_eq!(result["error"]["code"], "validation_error");
        assert_eq!(
            result["provider_metadata"],
            json!({"executor": "llmctl-executor", "provider": "kubernetes", "request_id": "r-1"})
        );
    }
}

#[test]
fn every_recorded_node_payload_is_valid() {
    let fixture = fixture("payloads.json");
    let cases = fixture["node_execution"].as_array().unwrap();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let payload = Payload::parse(&case["payload"]).unwrap();
        assert_eq!(payload.warnings, Vec::<String>::new());
        let Work::Node(call) = payload.work else {
            panic!("{} is no node", case["name"]);
        };
        assert_eq!(
            call.node_type(),
            case["payload"]["node_execution"]["request"]["node_type"]
        );
    }
}

#[track_caller]
fn check(case: &Value, finished: &Finished, message: Option<&str>) {
    let (name, expect, result) = (&case["name"], &case["expect"], finished.result());
    assert_eq!(result["contract_version"], "v1");
    assert_eq!(result["status"], expect["status"], "{name}");
    assert_eq!(finished.code(), expect["process_exit"], "{name}");
    match expect.get("error_code") {
        None => assert_eq!(result["error"], Value::Null, "{name}"),
        Some(code) => {
            assert_eq!(result["error"]["code"], *code, "{name}");
            assert_eq!(result["error"]["retryable"], expect["retryable"], "{name}");
            let message = message.map_or_else(|| expect["message"].clone(), Value::from);
            assert_eq!(result["error"]["message"], message, "{name}");
        }
    }
    let mut lines = finished.stdout.lines();
    let marked = lines.next() == Some("LLMCTL_EXECUTOR_STARTED");
    assert_eq!(marked, expect["markers"], "{name}");
    if marked {
        let event: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!(event["event"], "executor_started");
        assert_eq!(event["contract_version"], "v1");
        let time: jiff::Timestamp = event["ts"].as_str().unwrap().parse().unwrap();
        assert!(time <= jiff::Timestamp::now());
    }
    for time in ["started_at", "finished_at"] {
        assert!(result[time].as_str().unwrap().ends_with("+00:00"), "{name}");
    }
}
