//! Where the payload comes from, and where the result goes.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use super::Executor;

fn echo(word: &str) -> String {
    json!({"contract_version": "v1", "command": ["echo", word]}).to_string()
}

fn piped() -> Executor {
    let mut executor = Executor::new();
    executor.command.stdin(Stdio::piped());
    executor
}

#[test]
fn w34_the_file_variable_beats_the_json_option_and_the_file_option_beats_both() {
    let executor = Executor::new();
    let file = executor.path().join("option.json");
    fs::write(&file, echo("file-option")).unwrap();
    let variable = executor.path().join("variable.json");
    fs::write(&variable, echo("file-variable")).unwrap();
    let finished = executor
        .args(&[
            "--payload-file",
            file.to_str().unwrap(),
            "--payload-json",
            &echo("json-option"),
        ])
        .env("LLMCTL_EXECUTOR_PAYLOAD_FILE", &variable)
        .run();
    assert_eq!(finished.output(), "file-option\n");

    let executor = Executor::new().args(&["--payload-json", &echo("json-option")]);
    let file = executor.path().join("p.json");
    fs::write(&file, echo("file-variable")).unwrap();
    let finished = executor
        .env("LLMCTL_EXECUTOR_PAYLOAD_FILE", file)
        .env("LLMCTL_EXECUTOR_PAYLOAD_JSON", echo("json-variable"))
        .run();
    assert_eq!(finished.output(), "file-variable\n");

    let executor = Executor::new().args(&["--payload-json", &echo("json-option")]);
    let finished = executor
        .env("LLMCTL_EXECUTOR_PAYLOAD_JSON", echo("json-variable"))
        .run();
    assert_eq!(finished.output(), "json-option\n");
}

#[test]
fn a_missing_file_is_infra_error_and_bad_json_is_validation_error() {
    let result = Executor::new()
        .args(&["--payload-file", "/no/such/file"])
        .run()
        .ended("infra_error", 1);
    assert!(
        result["error"]["message"]
            .as_str()
            .unwrap()
            .contains("/no/such/file"),
        "{result}"
    );
    let result = Executor::new()
        .args(&["--payload-json", "{"])
        .run()
        .ended("failed", 1);
    assert_eq!(result["error"]["code"], "validation_error");
    assert_eq!(result["provider_metadata"]["request_id"], "executor-error");
}

#[test]
fn nothing_at_all_is_infra_error() {
    let result = Executor::new().run().ended("infra_error", 1);
    assert!(
        result["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("No payload"),
        "{result}"
    );
    let result = piped().run().ended("infra_error", 1);
    assert!(
        result["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("No payload"),
        "{result}"
    );
}

#[test]
fn w58_a_long_payload_from_a_late_writer_arrives_whole() {
    let long = "x".repeat(200 * 1024);
    let payload =
        json!({"contract_version": "v1", "command": ["wc", "-c"], "stdin": long}).to_string();
    let mut running = piped().start();
    running.wait_until_reading();
    let (first, rest) = payload.as_bytes().split_at(100_000);
    running.write(first);
    running.write(rest);
    let finished = running.finish();
    finished.ended("success", 0);
    assert_eq!(finished.output().trim(), (200 * 1024).to_string());
}

#[test]
fn w58_standard_input_has_a_stated_limit() {
    let mut running = piped().start();
    let mut payload = echo("never").into_bytes();
    payload.resize(10_000_001, b' ');
    running.write(&payload);
    let result = running.finish().ended("failed", 1);
    assert!(
        result["error"]["message"]
            .as_str()
            .unwrap()
            .contains("10000000 bytes"),
        "{result}"
    );
}

#[test]
fn the_result_file_has_the_result_with_indentation_and_its_directories() {
    let executor = Executor::shell("echo hello", Value::Null);
    let file = executor.path().join("deep/er/result.json");
    let finished = executor.env("LLMCTL_EXECUTOR_OUTPUT_FILE", &file).run();
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("{\n  \"contract_version\": \"v1\",\n"),
        "{text}"
    );
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        finished.result()
    );
    let beside: Vec<_> = fs::read_dir(file.parent().unwrap())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(beside, ["result.json"]);
}

#[test]
fn a_result_file_that_cannot_be_written_is_a_warning() {
    let executor = Executor::shell("true", Value::Null);
    let blocked = executor.path().join("payload.json/result.json");
    let finished = executor
        .args(&["--output-file", blocked.to_str().unwrap()])
        .run();
    let result = finished.ended("success", 0);
    assert!(
        result["warnings"][0]
            .as_str()
            .unwrap()
            .contains("result.json"),
        "{result}"
    );
    assert!(finished.stderr.contains("result.json"), "{finished:?}");
}
