//! Jobs that live two seconds, many at once: of each the whole log is read, every line once and in its order.

use crate::cluster_edge::on_a_cluster::script_in;
use crate::support::real::{Real, Use};
use futures::StreamExt as _;
use llmctl_dev::cluster::Cluster;
use llmctl_dev::cluster::watch::Observation;
use llmctl_dev::domain::logs::LogEvent;
use llmctl_dev::domain::runs::lifecycle::Want;
use llmctl_dev::domain::runs::{RunId, Runs};
use llmctl_dev::domain::target::Target;
use llmctl_dev::sandbox::faults::Faults;
use llmctl_dev::sandbox::{Config, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Lines that each Job prints, in bursts over two seconds.
const LINES: usize = 200;
const PATIENCE: Duration = Duration::from_mins(3);

/// Two seconds of lines; the last ones come right before the end, when a reader that is late finds nothing any more.
const SCRIPT: &str = "i=0; for burst in 1 2 3 4; do for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50; do i=$((i+1)); echo \"line $i\"; done; [ $burst = 4 ] || sleep 0.66; done";

/// What was read of one run.
#[derive(Default)]
struct Read {
    lines: Vec<String>,
    whole: bool,
    gaps: usize,
}

/// Starts `count` runs, `parallel` at a time, follows each as the program does, and gives those whose log is not whole.
async fn broken(cluster: &Cluster, namespace: &str, count: usize, parallel: usize) -> Vec<String> {
    let mut watch = cluster.watch(namespace);
    let mut runs = Runs::of(namespace);
    let (out, mut logs) = mpsc::channel(1024);
    let mut reads: BTreeMap<RunId, Read> = BTreeMap::new();
    let mut started: BTreeSet<RunId> = BTreeSet::new();
    let mut over = 0;
    while over < count {
        while started.len() < count && started.len() - over < parallel {
            let plan = script_in(namespace, started.len() as u64 + 1, SCRIPT);
            let job = cluster.create_run(&plan).await.unwrap();
            started.insert(RunId(job.uid));
        }
        let wants = tokio::select! {
            seen = watch.next() => match seen.unwrap() {
                Observation::Seen(seen) => runs.observe(seen, jiff::Timestamp::now()),
                _ => continue,
            },
            read = logs.recv() => {
                let (run, event): (RunId, LogEvent) = read.unwrap();
                let log = reads.entry(run).or_default();
                match event {
                    LogEvent::Lines(lines) => log.lines.extend(lines.into_iter().map(|line| line.text)),
                    LogEvent::Gap { .. } => log.gaps += 1,
                    LogEvent::Whole => { log.whole = true; over += 1; }
                    LogEvent::Gone { .. } => over += 1,
                    _ => {}
                }
                continue;
            }
        };
        for want in wants {
            let Want::FollowLog {
                run,
                pod,
                container_id,
            } = want
            else {
                continue;
            };
            if !started.contains(&run) {
                continue;
            }
            let mut events = cluster.follow_log(namespace, &pod, &container_id);
            let out = out.clone();
            tokio::spawn(async move {
                while let Some(event) = events.next().await {
                    if out.send((run.clone(), event)).await.is_err() {
                        return;
                    }
                }
            });
        }
    }
    let expected: Vec<String> = (1..=LINES).map(|n| format!("line {n}")).collect();
    started
        .iter()
        .filter_map(|run| {
            let read = reads.get(run)?;
            let right = read.whole && read.gaps == 0 && read.lines == expected;
            (!right).then(|| {
                let (lines, whole, gaps) = (read.lines.len(), read.whole, read.gaps);
                format!("{}: {lines} lines, whole {whole}, gaps {gaps}", run.0)
            })
        })
        .collect()
}

/// So many runs: `LLMCTL_DEV_WHOLE_LOGS=200` for the full measure, a few in the suite.
fn count(usual: usize) -> usize {
    let asked = std::env::var("LLMCTL_DEV_WHOLE_LOGS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::test(flavor = "multi_thread")]
async fn w06_a_two_second_jobs_log_is_whole_on_the_sandbox() {
    let sandbox = Sandbox::start(Config {
        executor: vec![env!("CARGO_BIN_EXE_llmctl-dev").into(), "executor".into()],
        base: jiff::Timestamp::now(),
        faults: Faults::default(),
    })
    .unwrap();
    let cluster = Cluster::from_service(sandbox.service(), &Target::sandbox());
    let count = count(16);
    let patience = PATIENCE * u32::try_from(count / 16 + 1).unwrap();
    let broken = timeout(patience, broken(&cluster, "default", count, 16))
        .await
        .unwrap();
    assert!(
        broken.is_empty(),
        "{} of {count}: {broken:#?}",
        broken.len()
    );
    println!("{count} of {count} logs whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn w06_a_two_second_jobs_log_is_whole_on_a_cluster() {
    let Some(real) = Real::find("whole", Use::Shared).await else {
        return;
    };
    let count = count(20);
    let broken = timeout(PATIENCE, broken(&real.cluster, &real.namespace, count, 5))
        .await
        .unwrap();
    real.clean().await;
    assert!(
        broken.is_empty(),
        "{} of {count}: {broken:#?}",
        broken.len()
    );
    println!("{count} of {count} logs whole");
}
