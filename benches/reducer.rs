//! The reducer with 10 000 runs: reading them all, one fact more, and what a frame asks.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use llmctl_dev::domain::observed::{
    ContainerSeen, ContainerState, JobFinish, JobSeen, PodSeen, Scheduling, Seen,
};
use llmctl_dev::domain::runs::{Runs, Ttl};
use std::collections::{BTreeMap, BTreeSet};

const RUNS: usize = 10_000;

fn main() {
    divan::main();
}

fn at(second: usize) -> Timestamp {
    let second = i64::try_from(second).unwrap_or(0);
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_800_000_000 + second)
}

fn job(n: usize, finished: bool) -> JobSeen {
    JobSeen {
        name: format!("llmctl-exec-1-{n}-task-none"),
        namespace: "llmctl".into(),
        uid: format!("uid-{n}"),
        labels: BTreeMap::from([
            ("llmctl.executor".into(), "true".into()),
            ("llmctl.flowchart.execution_id".into(), n.to_string()),
        ]),
        annotations: BTreeMap::new(),
        created: at(n),
        started: Some(at(n)),
        finish: finished.then(|| JobFinish {
            at: at(n + 5),
            complete: !n.is_multiple_of(3),
            reason: "BackoffLimitExceeded".into(),
            message: "Job has reached the specified backoff limit".into(),
        }),
        finishing: false,
        suspended: false,
        active: 0,
        ended: 0,
        ttl: Some(Ttl(1800)),
        deadline: None,
        deleting: None,
        image: "executor:1".into(),
    }
}

fn pod(n: usize) -> PodSeen {
    PodSeen {
        name: format!("llmctl-exec-1-{n}-task-none-x7k2p"),
        namespace: "llmctl".into(),
        uid: format!("pod-{n}"),
        job: format!("llmctl-exec-1-{n}-task-none"),
        job_uid: format!("uid-{n}"),
        created: at(n),
        started: Some(at(n)),
        node: "llmctl".into(),
        phase: "Succeeded".into(),
        reason: String::new(),
        message: String::new(),
        scheduling: Some(Scheduling {
            done: true,
            at: Some(at(n)),
            reason: String::new(),
            message: String::new(),
        }),
        ready: None,
        container: Some(ContainerSeen {
            id: format!("containerd://{n}"),
            image: "executor:1".into(),
            image_id: "sha256:0".into(),
            restarts: 0,
            state: ContainerState::Terminated {
                started: Some(at(n + 1)),
                finished: Some(at(n + 4)),
                exit: 0,
                signal: None,
                reason: "Completed".into(),
                message: String::new(),
            },
        }),
        deleting: None,
    }
}

fn pages() -> [Seen; 4] {
    [
        Seen::JobsPage((0..RUNS).map(|n| job(n, n % 5 != 0)).collect()),
        Seen::JobsListed(
            (0..RUNS)
                .map(|n| format!("uid-{n}"))
                .collect::<BTreeSet<_>>(),
        ),
        Seen::PodsPage((0..RUNS).map(pod).collect()),
        Seen::PodsListed(
            (0..RUNS)
                .map(|n| format!("pod-{n}"))
                .collect::<BTreeSet<_>>(),
        ),
    ]
}

fn full() -> Runs {
    let mut runs = Runs::of("llmctl");
    for seen in pages() {
        runs.observe(seen, at(RUNS));
    }
    runs
}

/// Two full lists: 20 000 objects.
#[divan::bench]
fn list(bencher: Bencher) {
    bencher
        .counter(ItemsCount::new(2 * RUNS))
        .with_inputs(pages)
        .bench_values(|pages| {
            let mut runs = Runs::of("llmctl");
            for seen in pages {
                runs.observe(seen, at(RUNS));
            }
            runs
        });
}

/// One update of a Job among all.
#[divan::bench]
fn one_fact(bencher: Bencher) {
    let mut runs = full();
    let mut n = 0;
    bencher
        .with_inputs(|| {
            n = (n + 7) % RUNS;
            Seen::Job(Box::new(job(n, true)))
        })
        .bench_local_values(|seen| runs.observe(seen, at(RUNS)));
}

/// What the list asks once a frame.
#[divan::bench]
fn one_frame(bencher: Bencher) {
    let runs = full();
    bencher.bench_local(|| {
        black_box(runs.counts(at(RUNS)));
        black_box(runs.iter().filter(|run| run.verdict.is_final()).count())
    });
}
