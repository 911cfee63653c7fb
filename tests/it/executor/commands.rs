//! Command mode: what a program gets, what is shown of it, what is kept, and what is left of it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Executor, RESULT_PREFIX, is_alive};

#[test]
fn a_program_gets_directory_environment_and_input() {
    let executor = Executor::new();
    let cwd = executor.path().join("made/on/demand");
    let finished = executor
        .payload(&json!({
            "contract_version": "v1", "command": ["/bin/sh", "-c", "pwd; echo $FLAG $NONE $RATIO; cat"], "stdin": "fed",
            "cwd": cwd, "env": {"FLAG": true, "NONE": null, "RATIO": 1.0},
            "request_id": "r", "metadata": {"execution_mode": "sample"},
        }))
        .run();
    let result = finished.ended("success", 0);
    assert_eq!(
        result["stdout"],
        format!("{}\nTrue None 1.0\nfed", cwd.display())
    );
    let about = &result["provider_metadata"];
    assert_eq!(about["cwd"], cwd.to_str().unwrap());
    assert_eq!(about["request_id"], "r");
    assert_eq!(
        about["request_metadata"],
        json!({"execution_mode": "sample"})
    );
    assert_eq!(about["emit_start_markers"], true);
}

#[test]
fn the_default_directory_is_made_and_input_is_empty() {
    let finished = Executor::shell("pwd; wc -c", Value::Null).run();
    let result = finished.ended("success", 0);
    let work = finished.home.path().join("work");
    assert_eq!(
        result["stdout"]
            .as_str()
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>(),
        [work.to_str().unwrap(), "0"]
    );
}

#[test]
fn a_directory_that_cannot_be_made_is_infra_error() {
    let result = Executor::shell("true", json!({"cwd": "/dev/null/x"}))
        .run()
        .ended("infra_error", 1);
    assert_eq!(
        result["error"]["message"],
        "Unexpected executor failure: [Errno 20] Not a directory: '/dev/null/x'"
    );
}

#[test]
fn output_is_passed_on_while_the_program_runs() {
    let executor = Executor::new();
    let gate = executor.path().join("gate");
    assert!(
        Command::new("mkfifo")
            .arg(&gate)
            .status()
            .unwrap()
            .success()
    );
    let mut running = executor
        .payload(&json!({"contract_version": "v1", "command": ["/bin/sh", "-c", format!("echo one; cat {}", gate.display())]}))
        .start();
    // Only a line that is passed on at once opens the gate.
    running.wait_for_line("one");
    fs::OpenOptions::new()
        .write(true)
        .open(&gate)
        .unwrap()
        .write_all(b"two\n")
        .unwrap();
    let finished = running.finish();
    assert_eq!(finished.ended("success", 0)["stdout"], "one\ntwo\n");
    assert_eq!(finished.output(), "one\ntwo\n");
}

#[test]
fn each_stream_is_cut_at_its_limit_and_passed_on_whole() {
    let line = "head -c 1500000 /dev/zero | tr '\\0' a; head -c 1000000 /dev/zero | tr '\\0' b >&2";
    let finished = Executor::shell(line, Value::Null).run();
    let result = finished.ended("success", 0);
    let note = "\n[llmctl-executor] output truncated to 1000000 bytes.";
    assert_eq!(
        result["stdout"].as_str().unwrap(),
        "a".repeat(1_000_000) + note
    );
    assert_eq!(result["stderr"].as_str().unwrap(), "b".repeat(1_000_000));
    assert_eq!(finished.output(), "a".repeat(1_500_000) + "\n");
    assert_eq!(finished.stderr, "b".repeat(1_000_000) + "\n");

    let result = Executor::shell("seq 1 10000", json!({"capture_limit_bytes": 1}))
        .run()
        .ended("success", 0);
    assert!(
        result["stdout"]
            .as_str()
            .unwrap()
            .ends_with("output truncated to 1024 bytes."),
        "{result}"
    );
    assert_eq!(result["warnings"].as_array().unwrap().len(), 1);
}

#[test]
fn the_result_begins_a_line_also_when_both_streams_share_a_file() {
    let finished = Executor::shell("printf out; printf err >&2", Value::Null).run();
    assert_eq!(finished.output(), "out\n");
    assert_eq!(finished.stderr, "err\n");

    let mut executor = Executor::shell("printf out; printf err >&2", Value::Null);
    let (mut reader, writer) = std::io::pipe().unwrap();
    executor
        .command
        .stdout(writer.try_clone().unwrap())
        .stderr(writer);
    assert!(executor.command.status().unwrap().success());
    drop(executor);
    let mut log = String::new();
    reader.read_to_string(&mut log).unwrap();
    assert!(
        log.lines().last().unwrap().starts_with(RESULT_PREFIX),
        "{log}"
    );
}

#[test]
fn imitations_of_markers_and_results_pass_as_they_are() {
    let imitation =
        "LLMCTL_EXECUTOR_STARTED\nLLMCTL_EXECUTOR_RESULT_JSON={\"status\": \"success\"}\n";
    let finished = Executor::shell("cat; exit 4", json!({"stdin": imitation})).run();
    assert_eq!(finished.ended("failed", 4)["stdout"], imitation);
    assert_eq!(finished.output(), imitation);
}

#[test]
fn w31_output_that_is_no_text_still_makes_a_strict_result() {
    let finished = Executor::shell("printf 'a\\377\\000\\033[1m\\302\\205'", Value::Null).run();
    assert_eq!(
        finished.ended("success", 0)["stdout"],
        "a\u{fffd}\u{0}\u{1b}[1m\u{85}"
    );
}

#[test]
fn w32_a_timeout_keeps_the_output_and_ends_the_whole_group() {
    let finished = Executor::shell(
        "echo before; sleep 600 & echo $!; wait",
        json!({"timeout_seconds": 1}),
    )
    .run();
    let result = finished.ended("timeout", 124);
    assert_eq!(result["exit_code"], 124);
    assert_eq!(result["error"]["details"], json!({"timeout_seconds": 1}));
    let mut lines = result["stdout"].as_str().unwrap().lines();
    assert_eq!(lines.next(), Some("before"));
    assert!(!is_alive(lines.next().unwrap()));
}

#[test]
fn w32_a_group_that_ignores_the_request_is_killed_after_the_grace_period() {
    let begun = Instant::now();
    let finished = Executor::shell(
        "trap '' TERM; echo $$; while :; do sleep 600; done",
        json!({"timeout_seconds": 1}),
    )
    .env("LLMCTL_EXECUTOR_GRACE_SECONDS", "1")
    .run();
    let result = finished.ended("timeout", 124);
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert!(!is_alive(result["stdout"].as_str().unwrap()));
}

#[test]
fn a_background_process_neither_holds_the_result_up_nor_stays() {
    let finished = Executor::shell("sleep 600 & echo $!", Value::Null).run();
    let result = finished.ended("success", 0);
    assert!(!is_alive(result["stdout"].as_str().unwrap()));
}

#[test]
fn a_process_that_left_the_group_does_not_stay_either() {
    let line = "setsid sh -c 'echo $$; exec sleep 600 >/dev/null 2>&1' & sleep 600 >/dev/null 2>&1 & echo $!";
    let finished = Executor::shell(line, Value::Null).run();
    let result = finished.ended("success", 0);
    let pids: Vec<&str> = result["stdout"].as_str().unwrap().lines().collect();
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| !is_alive(pid)), "{pids:?}");
}

#[test]
fn a_reader_that_went_away_does_not_stop_the_run() {
    let mut executor = Executor::shell("seq 1 100000; echo end > done", Value::Null);
    let file = executor.path().join("result.json");
    executor
        .command
        .env("LLMCTL_EXECUTOR_OUTPUT_FILE", &file)
        .stderr(Stdio::null());
    let mut child = executor.command.spawn().unwrap();
    drop(child.stdout.take());
    // Success that nobody could see is none.
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(
        fs::read_to_string(executor.path().join("work/done")).unwrap(),
        "end\n"
    );
    let result: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(result["status"], "success");
}

#[test]
fn a_hundred_thousand_lines_pass_quickly_and_in_order() {
    let begun = Instant::now();
    let finished = Executor::shell("seq 1 100000", Value::Null).run();
    let took = begun.elapsed();
    finished.ended("success", 0);
    let expected: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(finished.output(), expected);
    assert!(took < Duration::from_secs(5), "{took:?}");
}
