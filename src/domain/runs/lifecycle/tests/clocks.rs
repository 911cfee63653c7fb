//! The dispatch clock (contract 6.1): what it stops, and what it leaves alone.

use super::weaknesses::plan;
use super::*;
use crate::domain::observed::ContainerState;
use crate::domain::runs::lifecycle::GivenUp;

/// Dispatched at 0 and accepted at 1; the plan's dispatch may take 60 s.
fn dispatched() -> Runs {
    let mut runs = Runs::of("llmctl");
    let (asked, _) = runs.dispatching(&plan(), at(0));
    runs.accepted(
        &asked,
        JobSeen {
            name: plan().job_name,
            ..job("a")
        },
        at(1),
    );
    runs
}

fn unpullable() -> PodSeen {
    PodSeen {
        job: plan().job_name,
        ..pod("a", "Pending", waiting("ImagePullBackOff"))
    }
}

fn fails(runs: &mut Runs, reason: &str, ended: u32, second: i64) {
    let mut job = JobSeen {
        name: plan().job_name,
        ended,
        ..finished("a", second, false)
    };
    if let Some(finish) = &mut job.finish {
        finish.reason = reason.to_owned();
    }
    see_job(runs, job, second);
}

#[test]
fn what_does_not_start_in_time_is_given_up_once_and_its_job_stays() {
    let mut runs = dispatched();
    see_pod(&mut runs, unpullable(), 3);
    assert_eq!(runs.tick(at(60)), []);
    let wants = runs.tick(at(61));
    assert!(wants.contains(&Want::GiveUp(id("a"))), "{wants:?}");
    assert_eq!(runs.tick(at(62)), []);
    runs.given_up(&id("a"), &GivenUp::Stopped, at(62));
    assert_eq!(runs.find(&id("a")).unwrap().verdict, Verdict::Pending);
    see(&mut runs, Seen::PodGone(Box::new(unpullable())), 63);
    fails(&mut runs, "BackoffLimitExceeded", 1, 64);
    let run = runs.find(&id("a")).unwrap();
    let told = (run.verdict, run.uncertain, run.dispatch, run.phase);
    let expected = (
        Verdict::Timeout,
        false,
        Dispatch::DispatchFailed,
        Phase::Retained,
    );
    assert_eq!(told, expected, "{}", run.why);
    for part in [
        "did not start within its dispatch time-out",
        "cannot be pulled",
        "Nothing ran.",
    ] {
        assert!(run.why.contains(part), "{} lacks {part}", run.why);
    }
}

#[test]
fn w1_a_container_that_started_is_never_given_up() {
    for started in [2, 60] {
        let mut runs = dispatched();
        let state = ContainerState::Running { since: at(started) };
        let running = PodSeen {
            job: plan().job_name,
            ..pod("a", "Running", state)
        };
        see_pod(&mut runs, running, started);
        for second in [61, 300, 1700] {
            let wants = runs.tick(at(second));
            assert!(!wants.contains(&Want::GiveUp(id("a"))), "{wants:?}");
        }
        assert_eq!(runs.find(&id("a")).unwrap().verdict, Verdict::Pending);
    }
}

#[test]
fn one_that_starts_in_the_last_moment_goes_on_and_one_that_cannot_be_asked_is_asked_again() {
    let mut runs = dispatched();
    runs.tick(at(61));
    runs.given_up(&id("a"), &GivenUp::Started, at(62));
    assert_eq!(runs.find(&id("a")).unwrap().gave_up, None);
    assert_eq!(runs.tick(at(200)), []);

    let mut runs = dispatched();
    runs.tick(at(61));
    let why = "no route".to_owned();
    runs.given_up(&id("a"), &GivenUp::Failed { why }, at(62));
    assert_eq!(runs.tick(at(71)), []);
    assert!(runs.tick(at(72)).contains(&Want::GiveUp(id("a"))));
}

#[test]
fn runs_of_others_and_those_that_are_cancelled_have_their_own_ends() {
    let mut runs = Runs::of("llmctl");
    see_job(&mut runs, job("a"), 0);
    assert_eq!(runs.tick(at(5000)), []);
    let mut runs = dispatched();
    runs.cancel_asked(&id("a"), at(30));
    assert_eq!(runs.tick(at(61)), []);
}

#[test]
fn a_job_that_never_had_a_pod_did_nothing_for_certain() {
    let mut runs = dispatched();
    runs.tick(at(61));
    fails(&mut runs, "DeadlineExceeded", 0, 63);
    let run = runs.find(&id("a")).unwrap();
    assert_eq!(
        (run.verdict, run.uncertain),
        (Verdict::Timeout, false),
        "{}",
        run.why
    );
    assert!(run.why.ends_with("Nothing ran."), "{}", run.why);
}
