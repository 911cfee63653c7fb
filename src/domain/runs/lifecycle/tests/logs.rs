//! Every pod log of the fixture through the reducer: our verdict beside Python's, and why where they differ.

use super::*;
use serde_json::Value;

/// Verdict, uncertain, dispatch.
type Told = (Verdict, bool, Dispatch);

const SUCCESS: Told = (Verdict::Success, false, Dispatch::DispatchConfirmed);
const FAILED: Told = (Verdict::Failed, false, Dispatch::DispatchConfirmed);
const NO_MARKER: Told = (Verdict::Uncertain, true, Dispatch::DispatchFailed);
const NO_RESULT: Told = (Verdict::Uncertain, true, Dispatch::DispatchConfirmed);

/// What we say where it is not what Python says, and a part of our sentence.
fn differs(name: &str) -> Option<(Told, &'static str)> {
    Some(match name {
        // W12: the good result stays; the broken line after it is only noted.
        "later_bad_result_erases_earlier" => (SUCCESS, "reports success"),
        // W7 and the extension of 2.7: it started, and what it did until it crashed is not known.
        "started_no_result" => (NO_RESULT, "without a result"),
        // W8: the executor refused the payload and says why; that is certain.
        "validation_failure_without_marker" => (
            FAILED,
            "refused the payload: payload.env must be a JSON object map",
        ),
        // A time-out is told as one; Python calls each status but success a failure.
        "timeout_command" => (
            (Verdict::Timeout, false, Dispatch::DispatchConfirmed),
            "timed out after 60 seconds",
        ),
        // W12: silence is no success, and a list is no result; what it did is not known.
        "result_without_status" => (NO_RESULT, "it has no status"),
        "result_is_json_array" => (NO_RESULT, "it is an array"),
        _ => return None,
    })
}

#[test]
fn every_log_has_its_verdict() {
    let fixture = include_str!("../../../../../tests/it/fixtures/executor-output.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    for case in fixture["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let python = &case["python"];
        let texts: Vec<&str> = case["log"].as_str().unwrap().lines().collect();
        // The process ends with 0 for the status success and for nothing else (5.6).
        let good =
            python["result_status"] == "success" || name == "later_bad_result_erases_earlier";
        let runs = lived(&texts, i32::from(!good));
        let run = runs.find(&id("a")).unwrap();
        let told = (run.verdict, run.uncertain, run.dispatch);

        if let Some((expected, part)) = differs(name) {
            assert_eq!(told, expected, "{name}");
            assert!(run.why.contains(part), "{name}: {}", run.why);
            continue;
        }
        let dispatcher = &python["dispatcher"];
        let expected = match (
            dispatcher["status"].as_str().unwrap(),
            dispatcher["dispatch_uncertain"].as_bool().unwrap(),
        ) {
            ("success", _) => SUCCESS,
            ("failed", true) => NO_MARKER,
            ("failed", false) => FAILED,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(told, expected, "{name}: {}", run.why);
        // The remote message reaches the person (it was lost in Python's wording for a missing marker); of a broken rule of the
        // output contract, its name.
        if expected == FAILED {
            let message = dispatcher["error"]["message"].as_str().unwrap();
            let tail = message.rsplit("status 'failed'. ").next().unwrap();
            let is_rule =
                |word: &&str| word.starts_with("output_state") || word.starts_with("routing_state");
            let told = tail.split(' ').find(is_rule).unwrap_or(tail);
            assert!(
                run.why.contains(told.trim_end_matches('.')),
                "{name}: {}",
                run.why
            );
        }
    }
}

#[test]
fn a_silent_payload_is_uncertain_by_its_own_choice() {
    let result = r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "success", "exit_code": 0, "provider_metadata": {"execution_mode": "command", "emit_start_markers": false}}"#;
    let runs = lived(&["working", result], 0);
    let run = runs.find(&id("a")).unwrap();
    assert_eq!((run.verdict, run.uncertain, run.dispatch), NO_MARKER);
    assert!(
        run.why.contains("switched the start marker off"),
        "{}",
        run.why
    );
    assert_eq!(run.disagreement, None);
}

#[test]
fn both_verdicts_can_contradict_each_other() {
    let failed = r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "failed", "exit_code": 3, "error": {"code": "execution_error", "message": "Command exited with non-zero code 3.", "retryable": false}}"#;
    let start = "LLMCTL_EXECUTOR_STARTED";
    let told = |texts: &[&str], exit| {
        let runs = lived(texts, exit);
        let run = runs.find(&id("a")).unwrap();
        (run.verdict, run.uncertain, run.disagreement.clone())
    };
    let (verdict, uncertain, disagreement) = told(&[start, failed], 0);
    assert_eq!(
        (verdict, uncertain),
        (Verdict::Failed, false),
        "a result that is no success is final"
    );
    assert_eq!(
        disagreement.unwrap(),
        "Kubernetes: complete; executor: failed."
    );
    let (verdict, uncertain, disagreement) = told(&[start, super::SUCCESS], 137);
    assert_eq!((verdict, uncertain), (Verdict::Uncertain, true));
    assert_eq!(
        disagreement.unwrap(),
        "Kubernetes: failed (BackoffLimitExceeded); executor: success."
    );
    let (verdict, _, disagreement) = told(&[start, failed], 3);
    assert_eq!((verdict, disagreement), (Verdict::Failed, None));
}

#[test]
fn a_deadline_is_a_time_out_with_and_without_a_result() {
    let cancelled =
        r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "cancelled", "exit_code": -15, "error": null}"#;
    let start = "LLMCTL_EXECUTOR_STARTED";
    for (texts, uncertain) in [(vec![start, cancelled], false), (vec![start], true)] {
        let mut runs = lived(&texts, 137);
        let mut pod = pod("a", "Failed", ended(137));
        pod.reason = "DeadlineExceeded".into();
        see_pod(&mut runs, pod, 6);
        let run = runs.find(&id("a")).unwrap();
        assert_eq!(
            (run.verdict, run.uncertain),
            (Verdict::Timeout, uncertain),
            "{}",
            run.why
        );
        assert_eq!(run.reason.word, "DeadlineExceeded");
    }
}
