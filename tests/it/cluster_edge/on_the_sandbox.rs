//! The same edge on the embedded sandbox, whose faults come on demand and whose time is tokio's.

use super::on_a_cluster::{plan_in, script_in};
use futures::{Stream, StreamExt};
use llmctl_dev::cluster::Cluster;
use llmctl_dev::cluster::error::Kind;
use llmctl_dev::cluster::watch::Observation;
use llmctl_dev::domain::cancel::{CancelPlan, CancelStep};
use llmctl_dev::domain::logs::LogEvent;
use llmctl_dev::domain::manifest::RunPlan;
use llmctl_dev::domain::observed::{PodSeen, Seen};
use llmctl_dev::domain::samples::Sample;
use llmctl_dev::domain::target::Target;
use llmctl_dev::sandbox::faults::{Faults, Refusal};
use llmctl_dev::sandbox::{Config, Sandbox};
use std::time::Duration;
use tokio::time::{Instant, timeout};

const NAMESPACE: &str = "default";

fn sandbox(faults: &Faults) -> (Sandbox, Cluster) {
    let sandbox = Sandbox::start(Config {
        executor: vec![env!("CARGO_BIN_EXE_llmctl-dev").into(), "executor".into()],
        base: "2026-11-24T08:00:00Z".parse().unwrap(),
        faults: faults.clone(),
    })
    .unwrap();
    let cluster = Cluster::from_service(sandbox.service(), &Target::sandbox());
    (sandbox, cluster)
}

async fn until<T>(
    watch: &mut (impl Stream<Item = Observation> + Unpin),
    mut fits: impl FnMut(Observation) -> Option<T>,
) -> T {
    let wait = async {
        loop {
            if let Some(found) = fits(watch.next().await.expect("a watch does not end")) {
                return found;
            }
        }
    };
    timeout(Duration::from_mins(10), wait)
        .await
        .expect("in time")
}

fn listed(observation: Observation) -> Option<usize> {
    match observation {
        Observation::Seen(Seen::JobsListed(uids)) => Some(uids.len()),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_is_seen_and_gone() {
    let (_sandbox, cluster) = sandbox(&Faults::default());
    cluster.ping().await.unwrap();
    assert!(cluster.namespace_exists(NAMESPACE).await.unwrap());
    assert!(!cluster.namespace_exists("nosuch").await.unwrap());
    let mut watch = cluster.watch(NAMESPACE);
    assert_eq!(until(&mut watch, listed).await, 0);
    let plan = script_in(NAMESPACE, 1, "true");
    let created = cluster.create_run(&plan).await.unwrap();
    let seen = until(&mut watch, |o| {
        if let Observation::Seen(Seen::Job(job)) = o {
            Some(job)
        } else {
            None
        }
    })
    .await;
    assert_eq!((&seen.uid, seen.ttl), (&created.uid, created.ttl));
    assert_eq!(
        cluster.create_run(&plan).await.unwrap_err().kind(),
        Kind::Conflict
    );
    let yaml = cluster.manifest(NAMESPACE, &plan.job_name).await.unwrap();
    assert!(
        yaml.contains("kind: Job") && !yaml.contains("fieldsV1"),
        "{yaml}"
    );
    let propagation = llmctl_dev::cluster::jobs::Propagation::Background;
    assert_eq!(
        cluster
            .delete_job(NAMESPACE, &plan.job_name, Some("other"), propagation)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    cluster
        .delete_job(NAMESPACE, &plan.job_name, Some(&created.uid), propagation)
        .await
        .unwrap();
    let gone = until(&mut watch, |o| {
        if let Observation::Seen(Seen::JobGone(job)) = o {
            Some(job.uid)
        } else {
            None
        }
    })
    .await;
    assert_eq!(gone, created.uid);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_noticed_at_once_and_over_within_the_longest_pause() {
    let faults = Faults::default();
    let (_sandbox, cluster) = sandbox(&faults);
    let mut watch = cluster.watch(NAMESPACE);
    until(&mut watch, listed).await;
    let start = Instant::now();
    faults.api_down(Duration::from_secs(30));
    let mut attempts = 0;
    let jobs = until(&mut watch, |o| match o {
        Observation::Lost { attempt, .. } => {
            attempts = attempt;
            None
        }
        other => listed(other),
    })
    .await;
    let took = start.elapsed();
    assert!((4..=7).contains(&attempts), "{attempts} tries");
    assert!(
        took >= Duration::from_secs(30) && took < Duration::from_mins(1),
        "{took:?}"
    );
    assert_eq!(jobs, 0);
}

#[tokio::test(start_paused = true)]
async fn watches_that_end_are_resumed_without_a_loss_being_told() {
    let faults = Faults::default();
    let (_sandbox, cluster) = sandbox(&faults);
    let mut watch = cluster.watch(NAMESPACE);
    until(&mut watch, listed).await;
    for n in 1..=3 {
        faults.drop_watches();
        let plan = script_in(NAMESPACE, n, "true");
        cluster.create_run(&plan).await.unwrap();
        until(&mut watch, |o| match o {
            Observation::Lost { reason, .. } => panic!("{reason}"),
            Observation::Seen(Seen::Job(job)) if job.name == plan.job_name => Some(()),
            _ => None,
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_reported_and_asked_once() {
    let faults = Faults::default();
    let (_sandbox, cluster) = sandbox(&faults);
    for refusal in [
        Refusal::TooManyRequests(1),
        Refusal::InternalError,
        Refusal::Unavailable(1),
    ] {
        faults.refuse(refusal, 1);
        let error = cluster.version().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable, "{error}");
        cluster.version().await.unwrap();
    }
    faults.slow(Duration::from_mins(1));
    assert!(
        cluster
            .version()
            .await
            .unwrap_err()
            .to_string()
            .contains("no answer within 15 s")
    );
}

/// A run of a shell command by the executor, in the image that has it.
fn executed(namespace: &str, execution: u64, command: &str) -> RunPlan {
    let sample: Sample = serde_json::from_value(serde_json::json!({
        "name": "shell", "summary": "runs a command", "command": ["/bin/sh", "-c", command], "image": "llmctl-executor-frontier:0.1.0",
    }))
    .unwrap();
    plan_in(namespace, execution, &sample)
}

async fn begun(watch: &mut (impl Stream<Item = Observation> + Unpin)) -> PodSeen {
    until(watch, |o| match o {
        Observation::Seen(Seen::Pod(pod))
            if pod.container.as_ref().is_some_and(|c| !c.id.is_empty()) =>
        {
            Some(*pod)
        }
        _ => None,
    })
    .await
}

async fn log_of(cluster: &Cluster, pod: &PodSeen) -> (Vec<String>, Option<LogEvent>) {
    let id = &pod.container.as_ref().unwrap().id;
    let events = timeout(
        Duration::from_mins(10),
        cluster
            .follow_log(NAMESPACE, &pod.name, id)
            .collect::<Vec<_>>(),
    );
    let (mut lines, mut last) = (Vec::new(), None);
    for event in events.await.expect("the log ends") {
        match event {
            LogEvent::Lines(some) => lines.extend(some.into_iter().map(|line| line.text)),
            other => last = Some(other),
        }
    }
    (lines, last)
}

#[tokio::test]
async fn a_short_run_leaves_a_whole_log() {
    let (_sandbox, cluster) = sandbox(&Faults::default());
    let mut watch = cluster.watch(NAMESPACE);
    cluster
        .create_run(&executed(
            NAMESPACE,
            1,
            "for i in 1 2 3; do echo line $i; done",
        ))
        .await
        .unwrap();
    let pod = begun(&mut watch).await;
    let (log, last) = log_of(&cluster, &pod).await;
    let said: Vec<_> = log
        .iter()
        .filter(|line| line.starts_with("line "))
        .collect();
    assert_eq!((said.len(), last), (3, Some(LogEvent::Whole)), "{log:?}");
    assert!(
        log.last().unwrap().contains("\"status\": \"success\""),
        "{log:?}"
    );
}

#[tokio::test]
async fn a_cancelled_run_prints_its_result_and_its_job_stays() {
    let (_sandbox, cluster) = sandbox(&Faults::default());
    let mut watch = cluster.watch(NAMESPACE);
    let plan = executed(NAMESPACE, 1, "echo started; exec sleep 600");
    cluster.create_run(&plan).await.unwrap();
    let pod = begun(&mut watch).await;
    let steps = cluster.cancel(
        NAMESPACE,
        &plan.job_name,
        CancelPlan {
            grace: 20,
            force: true,
        },
    );
    let steps = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        steps.collect::<Vec<_>>().await
    };
    let watching = async { while watch.next().await.is_some() {} };
    let ((log, last), steps) = tokio::select! {
        both = async { tokio::join!(log_of(&cluster, &pod), steps) } => both,
        () = watching => panic!("a watch does not end"),
    };
    assert!(
        matches!(
            &steps[..],
            [
                CancelStep::Asked { .. },
                CancelStep::Ended { .. },
                CancelStep::Kept { .. }
            ]
        ),
        "{steps:?}"
    );
    assert!(
        log.last().unwrap().contains("\"status\": \"cancelled\""),
        "{log:?}"
    );
    assert_eq!(last, Some(LogEvent::Whole));
}
