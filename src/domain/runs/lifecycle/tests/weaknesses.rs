//! What the Python dispatcher misjudged while it waited, each as a test that it would fail (contract 6.5).

use super::*;
use crate::domain::manifest::{RunOptions, RunPlan, RunSettings, plan_run};

const START: &str = "LLMCTL_EXECUTOR_STARTED";

pub(super) fn plan() -> RunPlan {
    let settings = RunSettings {
        namespace: "llmctl".into(),
        workspace_identity: "default".into(),
        frontier_image: "executor:1".into(),
        vllm_image: "executor:1".into(),
        service_account: None,
        image_pull_secrets: Vec::new(),
        gpu_limit: 0,
        ttl_seconds: 60,
        dispatch_timeout_seconds: 60,
        execution_timeout_seconds: 1800,
        cancel_grace_seconds: 15,
        agent_runtime_cutover: false,
        argocd_app: None,
        live_code_path: None,
    };
    let sample = r#"{"name": "hello", "summary": "s", "command": ["true"]}"#;
    let sample = serde_json::from_str(sample).unwrap();
    plan_run(&sample, 7, &settings, &RunOptions::default()).unwrap()
}

/// A run that started, with its marker read.
fn started() -> Runs {
    let mut runs = Runs::of("llmctl");
    see_job(&mut runs, job("a"), 0);
    see_pod(&mut runs, pod("a", "Running", running()), 2);
    runs.log(&id("a"), opened("a"), at(2));
    runs.log(&id("a"), lines(&[START]), at(3));
    runs
}

#[test]
fn w1_a_started_run_outlives_the_dispatch_time_out() {
    let mut runs = started();
    // Long after the 60 s that a dispatch may take.
    for second in [61, 300, 1700] {
        assert_eq!(runs.tick(at(second)), []);
        let run = runs.find(&id("a")).unwrap();
        assert_eq!((run.phase, run.verdict), (Phase::Started, Verdict::Pending));
        assert_eq!(run.dispatch, Dispatch::DispatchConfirmed);
        let dispatch = run.clocks().dispatch.unwrap();
        assert_eq!(dispatch.to, Some(at(2)), "it stands still");
    }
}

#[test]
fn w2_each_clock_has_its_own_beginning() {
    let mut runs = started();
    see_pod(&mut runs, pod("a", "Succeeded", ended(0)), 4);
    see_job(&mut runs, finished("a", 5, true), 5);
    let clocks = runs.find(&id("a")).unwrap().clocks();
    let dispatch = clocks.dispatch.unwrap();
    assert_eq!((dispatch.from, dispatch.to), (at(0), Some(at(2))));
    let execution = clocks.execution.unwrap();
    assert_eq!((execution.from, execution.to), (at(3), Some(at(4))));
    let collection = clocks.collection.unwrap();
    assert_eq!((collection.from, collection.to), (at(5), None));
    runs.log(&id("a"), LogEvent::Whole, at(9));
    let run = runs.find(&id("a")).unwrap();
    assert_eq!(run.clocks().collection.unwrap().to, Some(at(9)));
    // Its own deadline holds both time-outs.
    assert_eq!(plan().deadline_seconds, 60 + 1800 + 60);
}

#[test]
fn w3_a_log_that_is_slow_to_come_ends_no_wait_early() {
    let mut runs = started();
    see_pod(&mut runs, pod("a", "Succeeded", ended(0)), 4);
    see_job(&mut runs, finished("a", 5, true), 5);
    runs.tick(at(20));
    assert_eq!(runs.find(&id("a")).unwrap().verdict, Verdict::Pending);
    runs.log(&id("a"), lines(&[SUCCESS]), at(25));
    runs.log(&id("a"), LogEvent::Whole, at(25));
    assert_eq!(runs.find(&id("a")).unwrap().verdict, Verdict::Success);
}

#[test]
fn w6_lines_are_there_as_they_come() {
    let mut runs = started();
    assert_eq!(runs.find(&id("a")).unwrap().log.total(), 1);
    runs.log(&id("a"), lines(&["half of it"]), at(4));
    let run = runs.find(&id("a")).unwrap();
    assert_eq!((run.log.total(), run.verdict), (2, Verdict::Pending));
}

#[test]
fn w7_a_started_run_that_dies_without_a_result_is_uncertain_and_confirmed() {
    for (word, exit) in [("OOMKilled", 137), ("Error", 1)] {
        let mut runs = started();
        let mut state = ended(exit);
        if let ContainerState::Terminated { reason, .. } = &mut state {
            *reason = word.into();
        }
        see_pod(&mut runs, pod("a", "Failed", state), 4);
        runs.log(&id("a"), LogEvent::Whole, at(4));
        see_job(&mut runs, finished("a", 5, false), 5);
        let run = runs.find(&id("a")).unwrap();
        let told = (run.verdict, run.uncertain, run.dispatch);
        assert_eq!(
            told,
            (Verdict::Uncertain, true, Dispatch::DispatchConfirmed)
        );
        assert_eq!(run.verdict.exit_code(), Some(8));
    }
}

#[test]
fn w8_the_message_of_a_refused_payload_is_told() {
    let result = r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "failed", "exit_code": 1, "error": {"code": "validation_error", "message": "payload.env must be a JSON object map.", "retryable": false}}"#;
    let runs = lived(&[result], 1);
    let run = runs.find(&id("a")).unwrap();
    assert_eq!((run.verdict, run.uncertain), (Verdict::Failed, false));
    assert!(run.why.contains("payload.env must be a JSON object map"));
}

#[test]
fn w9_why_it_waits_is_kept() {
    let mut runs = Runs::of("llmctl");
    see_job(&mut runs, job("a"), 0);
    see_pod(
        &mut runs,
        pod("a", "Pending", waiting("ImagePullBackOff")),
        3,
    );
    let run = runs.find(&id("a")).unwrap();
    assert_eq!(run.reason.word, "ImagePullBackOff");
    assert!(run.why.contains("cannot be pulled"), "{}", run.why);
}

#[test]
fn w10_a_run_is_submitted_as_soon_as_the_server_has_it() {
    let mut runs = Runs::of("llmctl");
    let (asked, _) = runs.dispatching(&plan(), at(0));
    let of = |runs: &Runs| runs.find(&asked).unwrap().dispatch;
    assert_eq!(of(&runs), Dispatch::DispatchPending);
    runs.accepted(&asked, job("a"), at(1));
    assert_eq!(of(&runs), Dispatch::DispatchSubmitted);
    see_pod(&mut runs, pod("a", "Running", running()), 2);
    assert_eq!(of(&runs), Dispatch::DispatchSubmitted);
    runs.log(&id("a"), opened("a"), at(2));
    runs.log(&id("a"), lines(&[START]), at(3));
    assert_eq!(of(&runs), Dispatch::DispatchConfirmed);
}

#[test]
fn w12_what_has_no_status_is_no_success_and_a_later_broken_line_erases_nothing() {
    let without = r#"LLMCTL_EXECUTOR_RESULT_JSON={"output_state": {"node_type": "start"}, "routing_state": {}}"#;
    let verdict = |texts: &[&str]| lived(texts, 0).find(&id("a")).unwrap().verdict;
    assert_eq!(verdict(&[START, without]), Verdict::Uncertain);
    assert_eq!(
        verdict(&[START, "LLMCTL_EXECUTOR_RESULT_JSON=[1]"]),
        Verdict::Uncertain
    );
    let broken = "LLMCTL_EXECUTOR_RESULT_JSON={\"status\": ";
    assert_eq!(verdict(&[START, SUCCESS, broken]), Verdict::Success);
}

#[test]
fn w14_a_retained_job_is_no_new_outcome() {
    let mut runs = Runs::of("llmctl");
    see_job(&mut runs, finished("a", 5, true), 5);
    let found = runs.duplicate(&plan(), at(60)).unwrap();
    assert!(found.known_already().contains("its Job is still there"));
    // Gone for less than a day, then for more.
    see(
        &mut runs,
        Seen::JobGone(Box::new(finished("a", 5, true))),
        100,
    );
    let day = 24 * 3600;
    assert!(runs.duplicate(&plan(), at(99 + day)).is_some());
    assert!(runs.duplicate(&plan(), at(100 + day)).is_none());
}

#[test]
fn w18_a_failed_job_has_an_end_to_count_from() {
    let runs = lived(&[START], 1);
    let run = runs.find(&id("a")).unwrap();
    assert_eq!(run.expires_at(), Some(at(65)));
}

#[test]
fn a_job_that_shows_up_after_all_takes_its_uncertain_run_on() {
    let mut runs = Runs::of("llmctl");
    let (asked, _) = runs.dispatching(&plan(), at(0));
    runs.unanswered(&asked, "nobody knows".into(), at(1));
    let run = runs.find(&asked).unwrap();
    assert_eq!((run.verdict, run.uncertain), (Verdict::Uncertain, true));
    see_job(&mut runs, job("a"), 4);
    let run = runs.find(&asked).unwrap();
    assert_eq!(
        (run.phase, run.verdict, run.uncertain),
        (Phase::Queued, Verdict::Pending, false)
    );
    assert_eq!(run.dispatch, Dispatch::DispatchSubmitted);
}
