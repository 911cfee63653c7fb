//! The reducer over made-up lives, over every state of the fixture, and over what a real cluster sent.

mod asked;
mod clocks;
mod logs;
mod recorded;
mod states;
mod weaknesses;

use super::*;
use crate::domain::logs::LogLine;
use crate::domain::manifest::OURS;
use crate::domain::observed::{ContainerSeen, ContainerState, JobFinish, PodSeen, Scheduling};
use crate::domain::runs::{Dispatch, RemovedBy, Step, Ttl};
use crate::domain::verdict::{Kubernetes, Verdict};
use std::collections::BTreeMap;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn id(uid: &str) -> RunId {
    RunId(uid.into())
}

pub(super) fn job(uid: &str) -> JobSeen {
    JobSeen {
        name: "llmctl-exec-1-7-task-none-78963e23f0".into(),
        namespace: "llmctl".into(),
        uid: uid.into(),
        labels: BTreeMap::from([
            ("llmctl.executor".into(), "true".into()),
            ("llmctl.flowchart.execution_id".into(), "7".into()),
            ("llmctl.flowchart.node_id".into(), "1".into()),
            (OURS.0.into(), OURS.1.into()),
        ]),
        annotations: BTreeMap::from([("llmctl.dev/sample".into(), "hello".into())]),
        created: at(0),
        started: None,
        finish: None,
        finishing: false,
        suspended: false,
        active: 0,
        ended: 1,
        ttl: Some(Ttl(60)),
        deadline: Some(2160),
        deleting: None,
        image: "executor:1".into(),
    }
}

pub(super) fn finished(uid: &str, second: i64, complete: bool) -> JobSeen {
    JobSeen {
        finish: Some(JobFinish {
            at: at(second),
            complete,
            reason: if complete {
                "CompletionsReached"
            } else {
                "BackoffLimitExceeded"
            }
            .into(),
            message: String::new(),
        }),
        ..job(uid)
    }
}

pub(super) fn pod(job_uid: &str, phase: &str, state: ContainerState) -> PodSeen {
    let made = !matches!(state, ContainerState::Waiting { .. });
    PodSeen {
        name: format!("pod-of-{job_uid}"),
        namespace: "llmctl".into(),
        uid: format!("pod-{job_uid}"),
        job: job(job_uid).name,
        job_uid: job_uid.into(),
        created: at(0),
        started: Some(at(1)),
        node: "llmctl".into(),
        phase: phase.into(),
        reason: String::new(),
        message: String::new(),
        scheduling: Some(Scheduling {
            done: true,
            at: Some(at(1)),
            reason: String::new(),
            message: String::new(),
        }),
        ready: None,
        container: Some(ContainerSeen {
            id: if made {
                format!("containerd://{job_uid}")
            } else {
                String::new()
            },
            image: "executor:1".into(),
            image_id: String::new(),
            restarts: 0,
            state,
        }),
        deleting: None,
    }
}

pub(super) fn waiting(reason: &str) -> ContainerState {
    ContainerState::Waiting {
        reason: reason.into(),
        message: String::new(),
    }
}

pub(super) fn running() -> ContainerState {
    ContainerState::Running { since: at(2) }
}

pub(super) fn ended(exit: i32) -> ContainerState {
    ContainerState::Terminated {
        started: Some(at(2)),
        finished: Some(at(4)),
        exit,
        signal: None,
        reason: if exit == 0 { "Completed" } else { "Error" }.into(),
        message: String::new(),
    }
}

pub(super) const SUCCESS: &str = r#"LLMCTL_EXECUTOR_RESULT_JSON={"contract_version": "v1", "status": "success", "exit_code": 0, "error": null, "provider_metadata": {"execution_mode": "command"}}"#;
pub(super) fn lines(texts: &[&str]) -> LogEvent {
    LogEvent::Lines(
        texts
            .iter()
            .map(|text| LogLine {
                at: Some(at(3)),
                text: (*text).into(),
            })
            .collect(),
    )
}

pub(super) fn opened(uid: &str) -> LogEvent {
    LogEvent::Opened {
        container_id: format!("containerd://{uid}"),
    }
}

pub(super) fn see(runs: &mut Runs, seen: Seen, second: i64) -> Vec<Want> {
    runs.observe(seen, at(second))
}

pub(super) fn see_job(runs: &mut Runs, job: JobSeen, second: i64) -> Vec<Want> {
    see(runs, Seen::Job(Box::new(job)), second)
}

pub(super) fn see_pod(runs: &mut Runs, pod: PodSeen, second: i64) -> Vec<Want> {
    see(runs, Seen::Pod(Box::new(pod)), second)
}

/// A run that printed these lines and whose container ended with this code; the Job finished at second 5.
pub(super) fn lived(texts: &[&str], exit: i32) -> Runs {
    let mut runs = Runs::of("llmctl");
    see_job(&mut runs, job("a"), 0);
    see_pod(&mut runs, pod("a", "Running", running()), 2);
    runs.log(&id("a"), opened("a"), at(2));
    runs.log(&id("a"), lines(texts), at(3));
    let phase = if exit == 0 { "Succeeded" } else { "Failed" };
    see_pod(&mut runs, pod("a", phase, ended(exit)), 4);
    runs.log(&id("a"), LogEvent::Whole, at(4));
    see_job(&mut runs, finished("a", 5, exit == 0), 5);
    runs
}

#[test]
fn a_life_from_queue_to_tombstone() {
    let mut runs = Runs::of("llmctl");
    let phase = |runs: &Runs| runs.find(&id("a")).unwrap().phase;
    assert_eq!(see_job(&mut runs, job("a"), 0), [Want::Record(id("a"))]);
    assert_eq!(phase(&runs), Phase::Queued);
    see_pod(
        &mut runs,
        pod("a", "Pending", waiting("ContainerCreating")),
        1,
    );
    assert_eq!(phase(&runs), Phase::Pending);

    let wants = see_pod(&mut runs, pod("a", "Running", running()), 2);
    let follow = Want::FollowLog {
        run: id("a"),
        pod: "pod-of-a".into(),
        container_id: "containerd://a".into(),
    };
    assert_eq!(wants, [follow, Want::Record(id("a"))]);
    assert_eq!(phase(&runs), Phase::Running);
    // The same again: nothing new.
    assert_eq!(see_pod(&mut runs, pod("a", "Running", running()), 2), []);

    runs.log(&id("a"), opened("a"), at(2));
    let wants = runs.log(
        &id("a"),
        lines(&["LLMCTL_EXECUTOR_STARTED", "hello"]),
        at(3),
    );
    assert_eq!(wants, [Want::Record(id("a"))]);
    assert_eq!(phase(&runs), Phase::Started);
    assert_eq!(
        runs.log(&id("a"), lines(&["more"]), at(3)),
        [],
        "lines alone are nothing to record"
    );
    runs.log(&id("a"), lines(&[SUCCESS]), at(3));

    see_pod(&mut runs, pod("a", "Succeeded", ended(0)), 4);
    let wants = see_job(&mut runs, finished("a", 5, true), 5);
    assert_eq!(wants, [Want::Record(id("a"))], "the log is not whole yet");
    let wants = runs.log(&id("a"), LogEvent::Whole, at(6));
    assert_eq!(wants, [Want::Record(id("a")), Want::Ended(id("a"))]);

    let run = runs.find(&id("a")).unwrap();
    assert_eq!(
        (run.phase, run.kubernetes),
        (Phase::Retained, Kubernetes::Complete)
    );
    assert_eq!((run.verdict, run.uncertain), (Verdict::Success, false));
    assert_eq!(run.dispatch, Dispatch::DispatchConfirmed);
    assert_eq!(
        (run.execution, run.node_id, run.ours),
        (Some(7), Some(1), true)
    );
    assert_eq!(run.sample.as_deref(), Some("hello"));
    assert_eq!(run.marker_at, Some(at(3)));
    assert_eq!(run.expires_at(), Some(at(65)));
    let steps: Vec<Step> = run.timeline.iter().map(|stretch| stretch.step).collect();
    assert_eq!(
        steps,
        [
            Step::Queued,
            Step::Starting,
            Step::Running,
            Step::Collecting,
            Step::Retained
        ]
    );

    let deleting = JobSeen {
        deleting: Some(at(65)),
        ..finished("a", 5, true)
    };
    see_job(&mut runs, deleting.clone(), 65);
    assert_eq!(phase(&runs), Phase::Deleting);
    let wants = see(&mut runs, Seen::JobGone(Box::new(deleting)), 66);
    assert_eq!(wants, [Want::Record(id("a")), Want::Removed(id("a"))]);
    let run = runs.find(&id("a")).unwrap();
    assert_eq!(run.removal.unwrap().by, RemovedBy::Ttl);
    assert_eq!((run.verdict, run.log.total()), (Verdict::Success, 4));
    assert_eq!(run.timeline.last().unwrap().to, Some(at(66)));
}

#[test]
fn one_job_of_a_name_follows_another() {
    let mut runs = lived(&["LLMCTL_EXECUTOR_STARTED", SUCCESS], 0);
    // The delete event was lost; the pod of the new Job comes first.
    see_pod(&mut runs, pod("b", "Running", running()), 20);
    let wants = see_job(
        &mut runs,
        JobSeen {
            created: at(20),
            ..job("b")
        },
        20,
    );
    assert!(wants.contains(&Want::Removed(id("a"))), "{wants:?}");
    let (a, b) = (runs.find(&id("a")).unwrap(), runs.find(&id("b")).unwrap());
    assert_eq!(a.removal.unwrap().by, RemovedBy::Unobserved);
    assert_eq!(b.pod.as_ref().unwrap().name, "pod-of-b");
    assert_eq!(
        runs.iter().map(|run| run.id.0.as_str()).collect::<Vec<_>>(),
        ["b", "a"]
    );
    // Late news of the first does not touch the second.
    see(
        &mut runs,
        Seen::PodGone(Box::new(pod("a", "Succeeded", ended(0)))),
        21,
    );
    assert!(!runs.find(&id("b")).unwrap().pod.as_ref().unwrap().gone);
}

#[test]
fn what_a_full_list_does_not_hold_is_gone() {
    let mut runs = lived(&["LLMCTL_EXECUTOR_STARTED", SUCCESS], 0);
    let other = JobSeen {
        name: "other".into(),
        namespace: "elsewhere".into(),
        ..job("c")
    };
    see_job(&mut runs, other, 5);
    let page = vec![JobSeen {
        name: "kept".into(),
        ..job("b")
    }];
    see(&mut runs, Seen::JobsPage(page), 200);
    assert_eq!(
        runs.find(&id("a")).unwrap().phase,
        Phase::Retained,
        "a page says nothing of others"
    );
    let wants = see(&mut runs, Seen::JobsListed(["b".to_owned()].into()), 200);
    assert_eq!(wants, [Want::Record(id("a")), Want::Removed(id("a"))]);
    let removal = runs.find(&id("a")).unwrap().removal.unwrap();
    assert_eq!(
        (removal.by, removal.at),
        (RemovedBy::Ttl, at(65)),
        "due meanwhile"
    );
    assert_eq!(
        runs.find(&id("c")).unwrap().phase,
        Phase::Queued,
        "another namespace was not listed"
    );
    // Should it be there after all, the cluster is right.
    see_job(&mut runs, finished("a", 5, true), 201);
    assert_eq!(runs.find(&id("a")).unwrap().phase, Phase::Retained);
}

#[test]
fn an_early_end_by_others_before_a_verdict_is_gone() {
    let mut runs = Runs::default();
    see_job(&mut runs, job("a"), 0);
    see_pod(
        &mut runs,
        pod("a", "Pending", waiting("ImagePullBackOff")),
        1,
    );
    let last = pod("a", "Pending", waiting("ContainerCreating"));
    see(&mut runs, Seen::PodGone(Box::new(last)), 2);
    let wants = see(&mut runs, Seen::JobGone(Box::new(job("a"))), 3);
    assert!(wants.contains(&Want::Ended(id("a"))) && wants.contains(&Want::Removed(id("a"))));
    let run = runs.find(&id("a")).unwrap();
    assert_eq!(
        (run.verdict, run.uncertain),
        (Verdict::Gone, false),
        "nothing ran"
    );
    assert_eq!(run.removal.unwrap().by, RemovedBy::SomeoneElse);
    assert_eq!(run.reason.word, "ImagePullBackOff");
}

#[test]
fn a_bound_pod_that_vanishes_while_it_is_made_may_have_run() {
    let mut runs = Runs::default();
    see_job(&mut runs, job("a"), 0);
    let last = pod("a", "Pending", waiting("ContainerCreating"));
    see_pod(&mut runs, last.clone(), 1);
    see(&mut runs, Seen::PodGone(Box::new(last)), 2);
    see(&mut runs, Seen::JobGone(Box::new(job("a"))), 3);
    let run = runs.find(&id("a")).unwrap();
    assert!(run.uncertain, "{:?}", run.verdict);

    // One that no node had did nothing.
    see_job(&mut runs, job("b"), 0);
    let mut last = pod("b", "Pending", waiting("ContainerCreating"));
    last.node = String::new();
    see(&mut runs, Seen::PodGone(Box::new(last)), 2);
    see(&mut runs, Seen::JobGone(Box::new(job("b"))), 3);
    assert!(!runs.find(&id("b")).unwrap().uncertain);
}

#[test]
fn a_log_that_does_not_come_is_given_up() {
    let mut runs = Runs::default();
    runs.set_patience(10);
    see_job(&mut runs, job("a"), 0);
    see_pod(&mut runs, pod("a", "Running", running()), 2);
    see_job(&mut runs, finished("a", 5, true), 5);
    assert_eq!(runs.tick(at(14)), []);
    assert_eq!(runs.find(&id("a")).unwrap().verdict, Verdict::Pending);
    let wants = runs.tick(at(15));
    assert!(wants.contains(&Want::Ended(id("a"))), "{wants:?}");
    assert_eq!(runs.find(&id("a")).unwrap().verdict, Verdict::Uncertain);
    assert_eq!(runs.tick(at(16)), [], "once");
    // When it comes after all, the verdict follows.
    runs.log(&id("a"), opened("a"), at(20));
    let wants = runs.log(
        &id("a"),
        lines(&["LLMCTL_EXECUTOR_STARTED", SUCCESS]),
        at(20),
    );
    assert!(wants.contains(&Want::Ended(id("a"))));
    assert_eq!(runs.find(&id("a")).unwrap().verdict, Verdict::Success);
}

#[test]
fn an_earlier_session_is_continued() {
    let before = lived(&["LLMCTL_EXECUTOR_STARTED", SUCCESS], 0);
    let record = serde_json::to_string(&before.find(&id("a")).unwrap().record()).unwrap();
    let record: Run = serde_json::from_str(&record).unwrap();
    for cluster_first in [false, true] {
        let mut runs = Runs::of("llmctl");
        if cluster_first {
            see_job(&mut runs, finished("a", 5, true), 30);
        }
        runs.restore(vec![record.clone()], at(30));
        let mut wants = see_job(&mut runs, finished("a", 5, true), 31);
        wants.extend(see_pod(&mut runs, pod("a", "Succeeded", ended(0)), 31));
        let follows = |want: &Want| matches!(want, Want::FollowLog { .. });
        assert!(
            !wants.iter().any(follows),
            "the log is whole already: {wants:?}"
        );
        let run = runs.find(&id("a")).unwrap();
        assert_eq!(
            (run.verdict, run.phase),
            (Verdict::Success, Phase::Retained)
        );
        assert_eq!(run.log.total(), 2);
        assert_eq!(run.marker_at, Some(at(3)));
    }
    // And when it went meanwhile, before it was due, whichever is read first.
    for list_first in [false, true] {
        let mut runs = Runs::of("llmctl");
        let list = |runs: &mut Runs| see(runs, Seen::JobsListed(BTreeSet::new()), 40);
        if list_first {
            list(&mut runs);
        }
        let wants = runs.restore(vec![record.clone()], at(40));
        assert_eq!(wants.contains(&Want::Removed(id("a"))), list_first);
        if !list_first {
            list(&mut runs);
        }
        let run = runs.find(&id("a")).unwrap();
        assert_eq!(run.removal.unwrap().by, RemovedBy::Unobserved);
        assert_eq!(run.verdict, Verdict::Success);
    }
}

#[test]
fn a_log_that_is_read_late_was_not_collected_all_the_while() {
    let mut runs = Runs::of("llmctl");
    see_job(&mut runs, finished("a", 5, true), 6);
    see_pod(&mut runs, pod("a", "Succeeded", ended(0)), 6);
    let record = runs.find(&id("a")).unwrap().record();
    assert_eq!(record.verdict, Verdict::Pending, "nobody read its log");
    let mut runs = Runs::of("llmctl");
    runs.restore(vec![record], at(600));
    see_job(&mut runs, finished("a", 5, true), 600);
    see_pod(&mut runs, pod("a", "Succeeded", ended(0)), 600);
    runs.log(&id("a"), opened("a"), at(601));
    runs.log(
        &id("a"),
        lines(&["LLMCTL_EXECUTOR_STARTED", SUCCESS]),
        at(601),
    );
    runs.log(&id("a"), LogEvent::Whole, at(601));
    let run = runs.find(&id("a")).unwrap();
    assert_eq!(run.verdict, Verdict::Success);
    let collecting = run
        .timeline
        .iter()
        .find(|stretch| stretch.step == Step::Collecting);
    let took = collecting.map(|stretch| stretch.to.unwrap().duration_since(stretch.from));
    assert!(took <= Some(SignedDuration::from_secs(2)), "{took:?}");
}

#[test]
fn the_history_of_other_namespaces_stays_there() {
    let mut runs = Runs::of("llmctl");
    let here = Run::new(id("a"), "j", "llmctl", at(0));
    let other = Run::new(id("b"), "j", "another", at(0));
    runs.restore(vec![here, other], at(1));
    let known: Vec<&str> = runs.iter().map(|run| run.namespace.as_str()).collect();
    assert_eq!(known, ["llmctl"]);
}

#[test]
fn texts_change_by_the_second_only_while_something_counts() {
    let mut runs = Runs::default();
    assert_eq!(runs.next_change(at(0)), None);
    let mut old = Run::new(id("a"), "j", "n", at(0));
    old.phase = Phase::Removed;
    runs.restore(vec![old], at(0));
    assert_eq!(runs.next_change(at(10)), Some(at(11)), "young");
    let minute = runs.next_change(at(1000)).unwrap();
    assert_eq!(minute.as_second() % 60, 0);
    assert!(minute > at(1000) && minute <= at(1060));
    see_job(&mut runs, finished("b", 5, true), 1000);
    assert_eq!(
        runs.next_change(at(1000)),
        Some(at(1001)),
        "a TTL counts down"
    );
}

#[test]
fn old_logs_leave_the_memory_first() {
    let mut runs = Runs::default();
    for n in 0..40 {
        let uid = format!("r{n:02}");
        let mut seen = finished(&uid, 5, true);
        seen.name.clone_from(&uid);
        seen.created = at(n);
        see_job(&mut runs, seen, 50);
        runs.log(&id(&uid), opened(&uid), at(50));
        let text = "x".repeat(200_000);
        runs.log(&id(&uid), lines(&[text.as_str(); 18]), at(50));
        runs.log(&id(&uid), LogEvent::Whole, at(50));
    }
    let memory: usize = runs.iter().map(|run| run.log.memory()).sum();
    assert_eq!(memory, runs.memory);
    assert!(memory <= MEMORY, "{memory}");
    assert_eq!(runs.find(&id("r00")).unwrap().log.lines().len(), 0);
    assert_eq!(runs.find(&id("r00")).unwrap().log.total(), 18);
    assert_eq!(runs.find(&id("r39")).unwrap().log.lines().len(), 18);
}
