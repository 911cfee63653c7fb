//! The watches of a real cluster over six Jobs (TTL 5 s), in whatever order the three streams are read.

use super::*;
use crate::domain::observed::from_json;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::VecDeque;

const JOBS: &str = include_str!("../../../../../tests/it/fixtures/observed/jobs.watch.ndjson");
const PODS: &str = include_str!("../../../../../tests/it/fixtures/observed/pods.watch.ndjson");
const EVENTS: &str = include_str!("../../../../../tests/it/fixtures/observed/events.watch.ndjson");

fn stream(text: &str, fact: impl Fn(bool, &Value) -> Seen) -> VecDeque<Seen> {
    text.lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            fact(event["type"] == "DELETED", &event["object"])
        })
        .collect()
}

fn streams() -> [VecDeque<Seen>; 3] {
    [
        stream(JOBS, |gone, object| {
            let job = Box::new(from_json::job(object));
            if gone {
                Seen::JobGone(job)
            } else {
                Seen::Job(job)
            }
        }),
        stream(PODS, |gone, object| {
            let pod = Box::new(from_json::pod(object));
            if gone {
                Seen::PodGone(pod)
            } else {
                Seen::Pod(pod)
            }
        }),
        stream(EVENTS, |_, object| {
            Seen::Event(Box::new(from_json::event(object)))
        }),
    ]
}

/// Nobody knows our clock then; the deletion times in the recording decide.
fn now() -> Timestamp {
    "2026-11-24T07:31:00Z".parse().unwrap()
}

/// Reads the streams in the order of `picks`; a container's log is read as soon as it is asked for.
fn replay(picks: &[usize]) -> (Runs, Vec<Want>) {
    let mut runs = Runs::of("observed");
    let mut all = Vec::new();
    let mut streams = streams();
    // All six Jobs are known before any of their pods has ended; a pod whose whole life passes before its Job is heard of has no log.
    for seen in streams[0].drain(..11) {
        runs.observe(seen, now());
    }
    let mut picks = picks.iter().copied().cycle();
    while streams.iter().any(|stream| !stream.is_empty()) {
        let pick = picks.next().unwrap_or(0) % 3;
        let Some(seen) = (0..3).find_map(|n| streams[(pick + n) % 3].pop_front()) else {
            break;
        };
        let mut wants: VecDeque<Want> = runs.observe(seen, now()).into();
        while let Some(want) = wants.pop_front() {
            if let Want::FollowLog {
                run, container_id, ..
            } = &want
            {
                let name = runs.find(run).unwrap().job.clone();
                let opened = LogEvent::Opened {
                    container_id: container_id.clone(),
                };
                let mut events = vec![opened, lines(&["LLMCTL_EXECUTOR_STARTED"])];
                match name.as_str() {
                    "succeeds" => events.push(lines(&[super::SUCCESS])),
                    "fails" => events.push(lines(&[
                        r#"LLMCTL_EXECUTOR_RESULT_JSON={"status": "failed", "exit_code": 3}"#,
                    ])),
                    _ => {}
                }
                events.push(LogEvent::Whole);
                for event in events {
                    wants.extend(runs.log(run, event, now()));
                }
            }
            all.push(want);
        }
    }
    (runs, all)
}

fn check(picks: &[usize]) {
    let (runs, wants) = replay(picks);
    let told = |job: &str| {
        let run = runs.iter().find(|run| run.job == job).unwrap();
        assert_eq!(run.phase, Phase::Removed, "{job}");
        (
            run.verdict,
            run.uncertain,
            run.reason.word.clone(),
            run.removal.unwrap().by,
        )
    };
    let is = |verdict, uncertain, word: &str, by| (verdict, uncertain, word.to_owned(), by);
    assert_eq!(
        told("succeeds"),
        is(Verdict::Success, false, "", RemovedBy::Ttl)
    );
    assert_eq!(
        told("fails"),
        is(
            Verdict::Failed,
            false,
            "BackoffLimitExceeded",
            RemovedBy::Ttl
        )
    );
    // Its container ran and printed no result before it was killed.
    assert_eq!(
        told("too-slow"),
        is(Verdict::Timeout, true, "DeadlineExceeded", RemovedBy::Ttl)
    );
    // Nothing ran, and why is remembered although the kubelet forgot it.
    assert_eq!(
        told("no-image"),
        is(Verdict::Timeout, false, "ErrImagePull", RemovedBy::Ttl)
    );
    assert_eq!(
        told("never-image"),
        is(Verdict::Timeout, false, "ErrImageNeverPull", RemovedBy::Ttl)
    );
    // Deleted by hand while it ran; its pod ended later. Without a TTL deadline, `now` decides.
    let (verdict, uncertain, _, by) = told("deleted");
    assert_eq!(
        (verdict, uncertain, by),
        (Verdict::Gone, true, RemovedBy::SomeoneElse)
    );

    for run in runs.iter() {
        let count = |want: &Want| wants.iter().filter(|other| *other == want).count();
        assert_eq!(count(&Want::Removed(run.id.clone())), 1, "{}", run.job);
        assert!(count(&Want::Ended(run.id.clone())) >= 1, "{}", run.job);
        let follows =
            |want: &&Want| matches!(want, Want::FollowLog { run: id, .. } if *id == run.id);
        let expected = usize::from(!run.job.ends_with("-image"));
        assert_eq!(
            wants.iter().filter(follows).count(),
            expected,
            "{}",
            run.job
        );
        assert!(!run.events.is_empty(), "{}", run.job);
        for pair in run.timeline.windows(2) {
            assert_eq!(
                pair[0].to,
                Some(pair[1].from),
                "{}: {:?}",
                run.job,
                run.timeline
            );
        }
    }
    // What is counted at each change is what a count over all says.
    let counts = runs.counts(now());
    assert_eq!((counts.total, counts.gone, counts.expiring), (6, 6, 0));
    assert_eq!((counts.running, counts.pending, counts.retained), (0, 0, 0));
}

#[test]
fn in_the_order_of_the_recording_s_files() {
    check(&[0, 1, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn in_any_order_the_outcome_is_the_same(picks in prop::collection::vec(0_usize..3, 1..60)) {
        check(&picks);
    }
}
