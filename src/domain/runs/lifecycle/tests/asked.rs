//! What the user of this tool asked for, and what the API server answered.

use super::*;
use crate::domain::manifest::{PASS_ANNOTATION, RunOptions, RunPlan, RunSettings, plan_run};
use crate::domain::target::Target;
use crate::domain::why::Why;

const CANCELLED: &str = r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "cancelled", "exit_code": -15, "error": {"code": "cancelled", "message": "Command was cancelled (exit code -15).", "retryable": false}}"#;

fn plan() -> RunPlan {
    let settings = RunSettings {
        namespace: "llmctl".into(),
        workspace_identity: "default".into(),
        frontier_image: "executor:1".into(),
        vllm_image: "executor:1".into(),
        service_account: None,
        image_pull_secrets: Vec::new(),
        gpu_limit: 0,
        ttl_seconds: 60,
        dispatch_timeout_seconds: 300,
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

/// The kubelet leaves it a second; what the executor says then is no word of a person.
#[test]
fn an_eviction_that_the_executor_survives_for_a_moment_is_told_as_one() {
    let mut runs = Runs::of("llmctl");
    see_job(&mut runs, job("a"), 0);
    see_pod(&mut runs, pod("a", "Running", running()), 2);
    runs.log(&id("a"), opened("a"), at(2));
    let texts = ["LLMCTL_EXECUTOR_STARTED", CANCELLED];
    runs.log(&id("a"), lines(&texts), at(3));
    let evicted = PodSeen {
        reason: "Evicted".into(),
        message: "The node was low on resource: memory.".into(),
        ..pod("a", "Failed", ended(130))
    };
    see_pod(&mut runs, evicted, 4);
    runs.log(&id("a"), LogEvent::Whole, at(4));
    see_job(&mut runs, finished("a", 5, false), 5);
    let run = runs.find(&id("a")).unwrap();
    assert_eq!((run.verdict, run.uncertain), (Verdict::Cancelled, false));
    assert!(
        run.why
            .contains("Evicted: The node was low on resource: memory"),
        "{}",
        run.why
    );
    let fix = Why::of(run, &Target::sandbox(), at(6)).fix.unwrap();
    assert!(fix.ends_with("describe node llmctl"), "{fix}");
}

#[test]
fn a_dispatched_run_keeps_its_first_id_as_another_name() {
    for watch_first in [false, true] {
        let mut runs = Runs::of("llmctl");
        let (asked, wants) = runs.dispatching(&plan(), at(0));
        assert_eq!(wants, [], "not worth a record before anything exists");
        assert_eq!(runs.find(&asked).unwrap().phase, Phase::Dispatching);
        assert_eq!(runs.find(&asked).unwrap().dispatch_id(), None);
        if watch_first {
            see_job(&mut runs, job("a"), 1);
            see_pod(&mut runs, pod("a", "Running", running()), 2);
        }
        runs.accepted(&asked, job("a"), at(3));
        assert_eq!(runs.iter().count(), 1);
        let run = runs.find(&asked).unwrap();
        assert_eq!((&run.id, run.sample.as_deref()), (&id("a"), Some("hello")));
        assert_eq!(run.dispatch, Dispatch::DispatchSubmitted);
        assert_eq!(
            run.phase,
            if watch_first {
                Phase::Running
            } else {
                Phase::Queued
            },
            "an older answer takes nothing back"
        );
        assert_eq!(run.dispatch_id().unwrap(), plan().dispatch_id);
        // A list that was read before the Job was made does not hold it.
        if !watch_first {
            see(&mut runs, Seen::JobsListed(BTreeSet::new()), 4);
            assert_eq!(runs.find(&asked).unwrap().phase, Phase::Queued);
        }
        assert_eq!(runs.next_execution(), 8);
    }
}

#[test]
fn passes_of_one_second_stand_in_their_order() {
    let mut runs = Runs::of("llmctl");
    // The order of the UIDs is the opposite of that of the passes.
    for (uid, pass) in [("c", "1"), ("b", "2"), ("a", "10")] {
        let mut pass_of = job(uid);
        pass_of.name = format!("{}-{pass}", pass_of.name);
        let told = (PASS_ANNOTATION.to_owned(), pass.to_owned());
        pass_of.annotations.extend([told]);
        see_job(&mut runs, pass_of, 1);
    }
    let passes: Vec<_> = runs.iter().map(|run| run.pass).collect();
    assert_eq!(passes, [Some(10), Some(2), Some(1)], "the newest first");
}

#[test]
fn a_refused_run_stays_with_its_reason() {
    let mut runs = Runs::default();
    let (asked, _) = runs.dispatching(&plan(), at(0));
    let wants = runs.refused(&asked, "quota is used up".into(), at(1));
    assert_eq!(
        wants,
        [Want::Record(asked.clone()), Want::Ended(asked.clone())]
    );
    let run = runs.find(&asked).unwrap();
    assert_eq!(
        (run.phase, run.verdict),
        (Phase::NotDispatched, Verdict::NotDispatched)
    );
    assert_eq!(
        (run.why.as_str(), run.uncertain),
        ("quota is used up", false)
    );
    assert!(run.timeline.is_empty());
    // A later Job of that name is another run.
    see_job(&mut runs, job("b"), 9);
    assert_eq!(runs.find(&asked).unwrap().phase, Phase::NotDispatched);
    assert_eq!(runs.iter().count(), 2);
}

#[test]
fn a_job_whose_config_map_failed_was_not_dispatched() {
    let mut runs = Runs::default();
    let (asked, _) = runs.dispatching(&plan(), at(0));
    runs.accepted(&asked, job("a"), at(1));
    runs.refused(&asked, "the payload ConfigMap was refused".into(), at(1));
    see(&mut runs, Seen::JobGone(Box::new(job("a"))), 2);
    let run = runs.find(&asked).unwrap();
    assert_eq!(
        (run.phase, run.verdict),
        (Phase::Removed, Verdict::NotDispatched)
    );
    assert_eq!(run.why, "the payload ConfigMap was refused");
    assert_eq!(run.removal.unwrap().by, RemovedBy::You);
}

#[test]
fn a_cancel_is_told_apart_from_a_failure() {
    let start = "LLMCTL_EXECUTOR_STARTED";
    // What the log holds, how the container ended, where anybody saw it, and what follows.
    let table = [
        (
            vec![start, CANCELLED],
            Some(130),
            (Verdict::Cancelled, false),
            "ended its work and said so",
        ),
        // It ended before it could say how (6.2 e).
        (
            vec![start],
            Some(130),
            (Verdict::Cancelled, true),
            "it ended with exit code 130, without a result",
        ),
        (
            vec![start],
            Some(137),
            (Verdict::Cancelled, true),
            "it did not end by itself and was killed (exit code 137)",
        ),
        (
            vec![start],
            None,
            (Verdict::Uncertain, true),
            "its end was not observed",
        ),
    ];
    for (texts, exit, expected, part) in table {
        let mut runs = Runs::of("llmctl");
        see_job(&mut runs, job("a"), 0);
        see_pod(&mut runs, pod("a", "Running", running()), 2);
        runs.log(&id("a"), opened("a"), at(2));
        runs.cancel_asked(&id("a"), at(3));
        runs.log(&id("a"), lines(&texts), at(3));
        let last = match exit {
            Some(exit) => pod("a", "Failed", ended(exit)),
            None => pod("a", "Running", running()),
        };
        see(&mut runs, Seen::PodGone(Box::new(last)), 4);
        runs.log(&id("a"), LogEvent::Whole, at(4));
        see_job(&mut runs, finished("a", 5, false), 5);
        let run = runs.find(&id("a")).unwrap();
        assert_eq!((run.verdict, run.uncertain), expected, "{}", run.why);
        assert!(run.why.contains(part), "{part}: {}", run.why);
    }
}
