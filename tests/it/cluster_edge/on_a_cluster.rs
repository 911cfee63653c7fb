//! Against a real cluster: a Job's whole life, a cancel, a refusal, an outage of the API server.

use crate::support::real::{Real, Use};
use futures::{Stream, StreamExt};
use llmctl_dev::cluster::Cluster;
use llmctl_dev::cluster::error::Kind;
use llmctl_dev::cluster::jobs::Propagation;
use llmctl_dev::cluster::watch::Observation;
use llmctl_dev::domain::cancel::{CancelPlan, CancelStep};
use llmctl_dev::domain::guard::Wanted;
use llmctl_dev::domain::logs::LogEvent;
use llmctl_dev::domain::manifest::{RunOptions, RunPlan, RunSettings, plan_run};
use llmctl_dev::domain::observed::{ContainerState, JobSeen, PodSeen, Seen};
use llmctl_dev::domain::profile::ProfileState;
use llmctl_dev::domain::runs::Ttl;
use llmctl_dev::domain::samples::Sample;
use llmctl_dev::domain::target::TargetKind;
use llmctl_dev::minikube::Minikube;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_mins(2);

/// A run of a shell script in the one image that is there.
fn script(real: &Real, execution: u64, script: &str) -> RunPlan {
    script_in(&real.namespace, execution, script)
}

pub(super) fn script_in(namespace: &str, execution: u64, script: &str) -> RunPlan {
    let sample: Sample = serde_json::from_value(serde_json::json!({
        "name": "script", "summary": "runs a script", "command": ["true"], "image": "docker.io/library/busybox:local",
        "container_command": ["/bin/sh", "-c", script],
    }))
    .unwrap();
    plan_in(namespace, execution, &sample)
}

/// A run of a sample with settings that every cluster takes.
pub(super) fn plan_in(namespace: &str, execution: u64, sample: &Sample) -> RunPlan {
    let settings = RunSettings {
        namespace: namespace.to_owned(),
        workspace_identity: "default".into(),
        frontier_image: "none".into(),
        vllm_image: "none".into(),
        service_account: None,
        image_pull_secrets: Vec::new(),
        gpu_limit: 0,
        ttl_seconds: 1800,
        dispatch_timeout_seconds: 300,
        execution_timeout_seconds: 300,
        cancel_grace_seconds: 15,
        agent_runtime_cutover: false,
        argocd_app: None,
        live_code_path: None,
    };
    plan_run(sample, execution, &settings, &RunOptions::default()).unwrap()
}

/// Facts about one Job, in the order in which they came.
struct Story<S> {
    watch: S,
    job: String,
    told: Vec<Observation>,
}

impl<S: Stream<Item = Observation> + Unpin> Story<S> {
    fn new(watch: S, job: &str) -> Self {
        Self {
            watch,
            job: job.to_owned(),
            told: Vec::new(),
        }
    }

    /// Goes on until a fact fits.
    async fn until<T>(
        &mut self,
        what: &str,
        mut fits: impl FnMut(&Observation, &str) -> Option<T>,
    ) -> T {
        let wait = async {
            loop {
                let observation = self.watch.next().await.expect("a watch does not end");
                let found = fits(&observation, &self.job);
                self.told.push(observation);
                if let Some(found) = found {
                    return found;
                }
            }
        };
        let found = timeout(PATIENCE, wait).await.ok();
        found.unwrap_or_else(|| panic!("no {what}; seen: {:#?}", self.told))
    }

    async fn begun(&mut self) -> (PodSeen, String) {
        self.until("container that runs", |o, job| match pod_of(o) {
            Some(pod) if pod.job == job => match &pod.container {
                Some(c) if !matches!(c.state, ContainerState::Waiting { .. }) => {
                    Some((pod.clone(), c.id.clone()))
                }
                _ => None,
            },
            _ => None,
        })
        .await
    }

    async fn finished(&mut self) -> JobSeen {
        self.until("final condition", |o, job| match o {
            Observation::Seen(Seen::Job(seen)) if seen.name == job && seen.finish.is_some() => {
                Some((**seen).clone())
            }
            Observation::Seen(Seen::JobsPage(page)) => page
                .iter()
                .find(|s| s.name == job && s.finish.is_some())
                .cloned(),
            _ => None,
        })
        .await
    }

    async fn gone(&mut self) -> JobSeen {
        self.until("deletion", |o, job| match o {
            Observation::Seen(Seen::JobGone(seen)) if seen.name == job => Some((**seen).clone()),
            _ => None,
        })
        .await
    }
}

fn pod_of(observation: &Observation) -> Option<&PodSeen> {
    match observation {
        Observation::Seen(Seen::Pod(pod)) => Some(pod),
        Observation::Seen(Seen::PodsPage(page)) => page.last(),
        _ => None,
    }
}

async fn whole_log(
    cluster: &Cluster,
    pod: &PodSeen,
    container: &str,
) -> (Vec<String>, Vec<LogEvent>) {
    let events = timeout(
        PATIENCE,
        cluster
            .follow_log(&pod.namespace, &pod.name, container)
            .collect::<Vec<_>>(),
    );
    let events = events.await.expect("the log ends");
    let (mut lines, mut others) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            LogEvent::Lines(some) => lines.extend(some.into_iter().map(|line| line.text)),
            LogEvent::Opened { .. } => {}
            other => others.push(other),
        }
    }
    (lines, others)
}

#[tokio::test]
async fn without_a_name_only_a_profile_that_minikube_made_is_taken() {
    let Some(real) = Real::find("bare", Use::Shared).await else {
        return;
    };
    let bare = real
        .connect(Wanted::Profile(real.target.name.clone()))
        .await;
    if real.target.kind == TargetKind::Minikube {
        assert_eq!(bare.unwrap().1, real.target);
        let minikube = Minikube::find(None).expect("minikube is on PATH beside its cluster");
        assert_eq!(
            minikube.profile_status(&real.target.name).await,
            ProfileState::Running
        );
        assert_eq!(
            minikube.profile_status("no-such-profile").await,
            ProfileState::NoProfile
        );
    } else {
        let refused = bare.unwrap_err();
        assert!(
            refused.kind() == Kind::Refused && refused.to_string().contains("--context"),
            "{refused}"
        );
    }
    real.clean().await;
}

#[tokio::test]
async fn a_job_lives_ends_and_goes_with_its_payload() {
    let Some(real) = Real::find("life", Use::Shared).await else {
        return;
    };
    let cluster = &real.cluster;
    assert!(cluster.version().await.unwrap().starts_with("v1."));
    cluster.ping().await.unwrap();
    assert!(cluster.namespace_exists(&real.namespace).await.unwrap());

    let mut plan = script(
        &real,
        1,
        "echo one; sleep 1; printf 'two\\nthree without end'",
    );
    plan.job["spec"]["ttlSecondsAfterFinished"] = 3.into();
    let mut story = Story::new(cluster.watch(&real.namespace), &plan.job_name);
    let created = cluster.create_run(&plan).await.unwrap();
    assert_eq!(
        (created.name.as_str(), created.ttl),
        (plan.job_name.as_str(), Some(Ttl(3)))
    );
    assert!(real.has_configmap(&plan.configmap_name).await);
    let payload = cluster
        .payload(&real.namespace, &plan.configmap_name)
        .await
        .unwrap()
        .unwrap();
    assert!(payload.contains("\"contract_version\""), "{payload}");

    let again = cluster.create_run(&plan).await.unwrap_err();
    assert!(
        again.kind() == Kind::Conflict && again.to_string().contains(&plan.job_name),
        "{again}"
    );
    assert!(
        real.job(&plan.job_name).await.is_some(),
        "a refused second creation leaves the first run alone"
    );

    let (pod, container) = story.begun().await;
    assert_eq!(pod.job_uid, created.uid);
    let (log, job) = tokio::join!(whole_log(cluster, &pod, &container), story.finished());
    assert_eq!(
        log,
        (
            vec!["one".into(), "two".into(), "three without end".into()],
            vec![LogEvent::Whole]
        )
    );
    let finish = job.finish.clone().unwrap();
    assert!(finish.complete, "{job:?}");
    let yaml = cluster
        .manifest(&real.namespace, &plan.job_name)
        .await
        .unwrap();
    assert!(
        yaml.contains("kind: Job") && !yaml.contains("fieldsV1"),
        "{yaml}"
    );

    let last = story.gone().await;
    assert!(
        last.deleting
            .is_some_and(|at| at.duration_since(finish.at).as_secs() >= 3),
        "{last:?}"
    );
    let kinds: Vec<_> = story
        .told
        .iter()
        .filter_map(|o| {
            if let Observation::Seen(Seen::Event(e)) = o {
                Some(e.reason.as_str())
            } else {
                None
            }
        })
        .collect();
    for reason in ["SuccessfulCreate", "Scheduled", "Started", "Completed"] {
        assert!(kinds.contains(&reason), "{reason} is missing in {kinds:?}");
    }
    let deadline = Instant::now() + PATIENCE;
    while real.has_configmap(&plan.configmap_name).await {
        assert!(Instant::now() < deadline, "the payload stays after its Job");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    real.clean().await;
}

async fn cancel(real: &Real, job: &str, plan: CancelPlan) -> Vec<CancelStep> {
    timeout(
        PATIENCE,
        real.cluster.cancel(&real.namespace, job, plan).collect(),
    )
    .await
    .expect("a cancel ends")
}

#[tokio::test]
async fn a_cancelled_run_says_its_last_words_and_keeps_its_job() {
    let Some(real) = Real::find("cancel", Use::Shared).await else {
        return;
    };
    let cluster = &real.cluster;
    let plan = script(
        &real,
        1,
        "trap 'echo last words; exit 143' TERM; echo started; while :; do sleep 0.1; done",
    );
    let mut story = Story::new(cluster.watch(&real.namespace), &plan.job_name);
    cluster.create_run(&plan).await.unwrap();
    let (pod, container) = story.begun().await;
    let log = whole_log(cluster, &pod, &container);
    let steps = async {
        // The trap must be set before the signal comes.
        tokio::time::sleep(Duration::from_secs(1)).await;
        cancel(
            &real,
            &plan.job_name,
            CancelPlan {
                grace: 20,
                force: true,
            },
        )
        .await
    };
    // The end of the log is told by the watch, so it is polled on.
    let (log, steps, job) = tokio::join!(log, steps, async {
        let job = story.finished().await;
        let _ = timeout(Duration::from_secs(5), story.gone_pod()).await;
        job
    });
    assert_eq!(
        log,
        (
            vec!["started".into(), "last words".into()],
            vec![LogEvent::Whole]
        )
    );
    let pod = pod.name.clone();
    assert_eq!(
        steps,
        [
            CancelStep::Asked {
                pod: pod.clone(),
                grace: 20
            },
            CancelStep::Ended {
                pod,
                exit: Some(143)
            },
            CancelStep::Kept {
                reason: "BackoffLimitExceeded".into()
            },
        ]
    );
    assert!(job.finish.as_ref().is_some_and(|finish| !finish.complete));

    keep_and_miss(&real, &job).await;

    assert_eq!(
        cancel(
            &real,
            &plan.job_name,
            CancelPlan {
                grace: 1,
                force: true
            }
        )
        .await,
        [CancelStep::AlreadyFinished]
    );
    cluster
        .delete_job(
            &real.namespace,
            &plan.job_name,
            Some(&job.uid),
            Propagation::Background,
        )
        .await
        .unwrap();
    story.gone().await;
    assert_eq!(
        cancel(
            &real,
            &plan.job_name,
            CancelPlan {
                grace: 1,
                force: true
            }
        )
        .await,
        [CancelStep::AlreadyGone]
    );
    real.clean().await;
}

impl<S: Stream<Item = Observation> + Unpin> Story<S> {
    async fn gone_pod(&mut self) {
        self.until("end of the pod", |o, job| match o {
            Observation::Seen(Seen::PodGone(pod)) if pod.job == job => Some(()),
            _ => None,
        })
        .await;
    }
}

/// Keeps a Job longer, and leaves another one of the same name alone.
async fn keep_and_miss(real: &Real, job: &JobSeen) {
    let cluster = &real.cluster;
    let kept = cluster
        .keep_job(&real.namespace, &job.name, Some(&job.uid), Ttl(7200))
        .await
        .unwrap();
    assert_eq!(kept.ttl, Some(Ttl(7200)));
    let other = cluster
        .keep_job(&real.namespace, &job.name, Some("another-uid"), Ttl(60))
        .await
        .unwrap_err();
    assert_eq!(other.kind(), Kind::Conflict, "{other}");
    let other = cluster
        .delete_job(
            &real.namespace,
            &job.name,
            Some("another-uid"),
            Propagation::Background,
        )
        .await
        .unwrap_err();
    assert_eq!(other.kind(), Kind::Conflict, "{other}");
}

#[tokio::test]
async fn who_ignores_the_signal_is_killed_when_the_grace_ends() {
    let Some(real) = Real::find("kill", Use::Shared).await else {
        return;
    };
    let cluster = &real.cluster;
    let plan = script(
        &real,
        1,
        "trap '' TERM; echo started; while :; do sleep 1; done",
    );
    let mut story = Story::new(cluster.watch(&real.namespace), &plan.job_name);
    cluster.create_run(&plan).await.unwrap();
    let (pod, _) = story.begun().await;
    let steps = cancel(
        &real,
        &plan.job_name,
        CancelPlan {
            grace: 2,
            force: false,
        },
    )
    .await;
    assert_eq!(
        steps[1..],
        [
            CancelStep::Ended {
                pod: pod.name,
                exit: Some(137)
            },
            CancelStep::Kept {
                reason: "BackoffLimitExceeded".into()
            }
        ]
    );
    real.clean().await;
}

#[tokio::test]
async fn what_never_began_is_cancelled_too() {
    let Some(real) = Real::find("pending", Use::Shared).await else {
        return;
    };
    let cluster = &real.cluster;
    let mut plan = script(&real, 1, "true");
    plan.job["spec"]["template"]["spec"]["containers"][0]["image"] =
        "docker.io/library/nosuch:1".into();
    let mut story = Story::new(cluster.watch(&real.namespace), &plan.job_name);
    cluster.create_run(&plan).await.unwrap();
    story
        .until("waiting for the image", |o, _| {
            match pod_of(o)?.container.as_ref()?.state {
                ContainerState::Waiting { ref reason, .. } if reason.contains("Image") => Some(()),
                _ => None,
            }
        })
        .await;
    let steps = cancel(
        &real,
        &plan.job_name,
        CancelPlan {
            grace: 5,
            force: true,
        },
    )
    .await;
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

    // No pod at all: a Job that is suspended.
    let mut plan = script(&real, 2, "true");
    plan.job["spec"]["suspend"] = true.into();
    cluster.create_run(&plan).await.unwrap();
    assert_eq!(
        cancel(
            &real,
            &plan.job_name,
            CancelPlan {
                grace: 5,
                force: true
            }
        )
        .await,
        [CancelStep::RemovedUnstarted]
    );
    real.clean().await;
}

#[tokio::test]
async fn a_run_that_the_cluster_refuses_leaves_nothing() {
    let Some(real) = Real::find("refused", Use::Shared).await else {
        return;
    };
    let cluster = &real.cluster;
    let mut plan = script(&real, 1, "true");
    plan.job["spec"]["template"]["spec"]["restartPolicy"] = "Always".into();
    let error = cluster.create_run(&plan).await.unwrap_err();
    assert!(
        error.kind() == Kind::Invalid && error.to_string().contains("restartPolicy"),
        "{error}"
    );
    assert!(!real.has_configmap(&plan.configmap_name).await);
    real.clean().await;
}

async fn part(scripts: &Path, script: &str, arguments: &[&str]) {
    let output = Command::new(scripts.join(script))
        .args(arguments)
        .output()
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{script} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn an_outage_of_the_api_server_loses_nothing() {
    let Some(scripts) = Real::scripts("outage") else {
        return;
    };
    let Some(real) = Real::find("outage", Use::Alone).await else {
        return;
    };
    let cluster = &real.cluster;
    let plan = script(
        &real,
        1,
        "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); sleep 0.2; done",
    );
    let mut short = script(&real, 2, "sleep 8; echo short");
    short.job["spec"]["ttlSecondsAfterFinished"] = 600.into();
    let mut story = Story::new(cluster.watch(&real.namespace), &plan.job_name);
    cluster.create_run(&plan).await.unwrap();
    cluster.create_run(&short).await.unwrap();
    let (pod, container) = story.begun().await;
    let outage = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        part(&scripts, "restart", &["--stop", "kube-apiserver"]).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        part(&scripts, "up", &[]).await;
    };
    let watching = async {
        let mut attempts = 0;
        let lost = story
            .until("loss", |o, _| {
                if let Observation::Lost { reason, .. } = o {
                    Some(reason.clone())
                } else {
                    None
                }
            })
            .await;
        let lists = story
            .until("connection and full lists", |o, _| {
                match o {
                    Observation::Lost { attempt, .. } => attempts = *attempt,
                    Observation::Seen(Seen::JobsListed(uids)) => return Some(uids.len()),
                    _ => {}
                }
                None
            })
            .await;
        (lost, attempts, lists, story.finished().await)
    };
    let (log, (), (lost, attempts, lists, job)) =
        tokio::join!(whole_log(cluster, &pod, &container), outage, watching);
    let expected: Vec<_> = (0..300).map(|n| format!("line {n}")).collect();
    assert_eq!(log.0, expected);
    assert_eq!(log.1.last(), Some(&LogEvent::Whole));
    assert!(
        log.1
            .iter()
            .any(|event| matches!(event, LogEvent::Broken { .. })),
        "{:?}",
        log.1
    );
    assert!(lost.contains(&real.target.badge()), "{lost}");
    assert!(
        (3..=12).contains(&attempts),
        "{attempts} tries in half a minute"
    );
    assert_eq!(lists, 2);
    assert!(job.finish.unwrap().complete);
    real.clean().await;
}
