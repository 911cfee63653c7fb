//! Cancel a run (contract 6.2): its pods are asked to end within the grace, so that the executor can print its result; by
//! force only when the grace ran out. The Job then fails by itself and stays, with its evidence, until its TTL.
//!
//! A pod's log goes with the pod: whoever wants it whole follows it meanwhile.

use super::error::{Error, Kind};
use super::jobs::Propagation;
use super::rest::Resource;
use super::watch::kind::{self, Change, Take};
use super::{Cluster, PATIENCE, convert, task, wire};
use crate::domain::cancel::{CancelPlan, CancelStep};
use crate::domain::observed::{ContainerState, JobSeen, PodSeen};
use futures::Stream;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// The node kills what still runs when the grace ends; it needs a moment to tell.
const NODE_LAG: Duration = Duration::from_secs(10);
/// How long the Job controller may take to give its verdict once the pods are gone.
const CONTROLLER_LAG: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(300);

impl Cluster {
    /// Cancels the run of `job`, telling each step; the last one says how it ended. The work goes on while the stream is polled.
    pub fn cancel(
        &self,
        namespace: &str,
        job: &str,
        plan: CancelPlan,
    ) -> impl Stream<Item = CancelStep> + Send + Unpin + use<> {
        let cancel = Cancel {
            cluster: self.clone(),
            namespace: namespace.to_owned(),
            job: job.to_owned(),
            plan,
        };
        task::stream(move |out| async move {
            let last = match cancel.run(&out).await {
                Ok(step) => step,
                Err(error) => CancelStep::Failed {
                    reason: error.to_string(),
                },
            };
            let _ = out.send(last).await;
        })
    }
}

struct Cancel {
    cluster: Cluster,
    namespace: String,
    job: String,
    plan: CancelPlan,
}

/// How a pod ended that was asked to.
enum PodEnd {
    Ended(Option<i32>),
    Vanished,
    StillThere,
}

impl Cancel {
    async fn run(&self, out: &mpsc::Sender<CancelStep>) -> Result<CancelStep, Error> {
        let Some(job) = self.look().await? else {
            return Ok(CancelStep::AlreadyGone);
        };
        if job.finish.is_some() {
            return Ok(CancelStep::AlreadyFinished);
        }
        let pods = self.living_pods().await?;
        if pods.is_empty() {
            return self.remove_unstarted(&job).await;
        }
        let mut doubt = None;
        for pod in &pods {
            doubt = self.end_pod(pod, out).await?.or(doubt);
        }
        let finished = self.await_finish().await?;
        Ok(match (doubt, finished) {
            (Some(reason), _) => CancelStep::Uncertain { reason },
            (
                None,
                Some(JobSeen {
                    finish: Some(finish),
                    ..
                }),
            ) => CancelStep::Kept {
                reason: finish.reason,
            },
            (None, Some(_)) => CancelStep::Uncertain {
                reason: format!(
                    "the pods of job {} ended, but the Job got no final condition",
                    self.job
                ),
            },
            (None, None) => CancelStep::AlreadyGone,
        })
    }

    async fn look(&self) -> Result<Option<JobSeen>, Error> {
        match self
            .cluster
            .get::<wire::Job>(Resource::Jobs, &self.namespace, &self.job)
            .await
        {
            Ok(job) => Ok(Some(convert::job(job))),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn selector(&self) -> String {
        format!("job-name={}", self.job)
    }

    async fn pods(&self) -> Result<Vec<PodSeen>, Error> {
        let found = Found::default();
        kind::list::<wire::Pod>(
            &self.cluster,
            Resource::Pods,
            &self.namespace,
            Some(&self.selector()),
            &found,
        )
        .await?;
        Ok(found.0.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    async fn living_pods(&self) -> Result<Vec<PodSeen>, Error> {
        let mut pods = self.pods().await?;
        pods.retain(|pod| !matches!(pod.phase.as_str(), "Succeeded" | "Failed"));
        Ok(pods)
    }

    /// Foreground: the controller makes no pod for a Job that is going.
    async fn remove_unstarted(&self, job: &JobSeen) -> Result<CancelStep, Error> {
        match self
            .cluster
            .delete_job(
                &self.namespace,
                &self.job,
                Some(&job.uid),
                Propagation::Foreground,
            )
            .await
        {
            Ok(()) => {}
            Err(error) if error.kind() == Kind::NotFound => return Ok(CancelStep::AlreadyGone),
            Err(error) => return Err(error),
        }
        let started = self
            .pods()
            .await?
            .into_iter()
            .find(|pod| pod.container.as_ref().is_some_and(|c| !c.id.is_empty()));
        Ok(match started {
            Some(pod) => CancelStep::Uncertain {
                reason: format!("pod {} began while the Job was being removed", pod.name),
            },
            None => CancelStep::RemovedUnstarted,
        })
    }

    /// Ends one pod; gives the reason for doubt, if its end was not observed.
    async fn end_pod(
        &self,
        pod: &PodSeen,
        out: &mpsc::Sender<CancelStep>,
    ) -> Result<Option<String>, Error> {
        let name = || pod.name.clone();
        let grace = self.plan.grace;
        let (ends, mut end) = mpsc::channel(1);
        let watched = Watched {
            uid: &pod.uid,
            ends,
            listed: Notify::new(),
        };
        let watch = self.watch_pod(&watched);
        let mut watch = std::pin::pin!(watch);
        let deadline = Instant::now() + Duration::from_secs(grace.into()) + NODE_LAG;
        let ask = async {
            // The pod is watched before it is asked, so that a quick end is not missed. Without a watch it is asked all the same.
            let _ = timeout(PATIENCE, watched.listed.notified()).await;
            match self
                .cluster
                .delete_pod(&self.namespace, &pod.name, Some(&pod.uid), grace)
                .await
            {
                Err(error) if error.kind() != Kind::NotFound => Err(error),
                _ => {
                    let _ = out.send(CancelStep::Asked { pod: name(), grace }).await;
                    Ok(timeout_at(deadline, end.recv()).await.ok().flatten())
                }
            }
        };
        let ended = tokio::select! {
            ended = ask => ended?,
            never = &mut watch => match never {},
        };
        let (step, doubt) = match ended.unwrap_or(PodEnd::StillThere) {
            PodEnd::Ended(exit) => (CancelStep::Ended { pod: name(), exit }, None),
            PodEnd::Vanished => (
                CancelStep::Vanished { pod: name() },
                Some(format!("pod {} went before its end was seen", pod.name)),
            ),
            PodEnd::StillThere => {
                let _ = out.send(CancelStep::GraceOver { pod: name() }).await;
                if !self.plan.force {
                    let reason = format!(
                        "pod {} still runs after its grace, and removing it by force is switched off",
                        pod.name
                    );
                    return Ok(Some(reason));
                }
                self.cluster
                    .delete_pod(&self.namespace, &pod.name, Some(&pod.uid), 0)
                    .await?;
                (
                    CancelStep::Forced { pod: name() },
                    Some(format!(
                        "pod {} was removed by force while it still ran",
                        pod.name
                    )),
                )
            }
        };
        let _ = out.send(step).await;
        Ok(doubt)
    }

    /// Tells the end of one pod, over lost connections; never returns.
    async fn watch_pod(&self, watched: &Watched<'_>) -> std::convert::Infallible {
        let selector = self.selector();
        loop {
            kind::follow::<wire::Pod>(
                &self.cluster,
                Resource::Pods,
                &self.namespace,
                Some(&selector),
                watched,
            )
            .await;
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits for the final condition; gives the Job as it is then, or nothing when it is gone.
    async fn await_finish(&self) -> Result<Option<JobSeen>, Error> {
        let deadline = Instant::now() + CONTROLLER_LAG;
        loop {
            let job = self.look().await?;
            let waits = job.as_ref().is_some_and(|job| job.finish.is_none());
            if !waits || Instant::now() >= deadline {
                return Ok(job);
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// The pods of one list.
#[derive(Default)]
struct Found(Mutex<Vec<PodSeen>>);

impl Take<wire::Pod> for Found {
    async fn take(&self, change: Change<wire::Pod>) {
        if let Change::Page(page) = change {
            let mut pods = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            pods.extend(page.into_iter().map(convert::pod));
        }
    }
}

/// One pod, whose end is told.
struct Watched<'a> {
    uid: &'a str,
    ends: mpsc::Sender<PodEnd>,
    listed: Notify,
}

impl Take<wire::Pod> for Watched<'_> {
    async fn take(&self, change: Change<wire::Pod>) {
        let is_it = |pod: &wire::Pod| pod.metadata.uid == self.uid;
        let end = match change {
            Change::Page(pods) => pods
                .into_iter()
                .find(is_it)
                .and_then(|pod| end_of(&convert::pod(pod))),
            Change::Listed(uids) => {
                self.listed.notify_one();
                (!uids.contains(self.uid)).then_some(PodEnd::Vanished)
            }
            Change::Put(pod) if is_it(&pod) => end_of(&convert::pod(pod)),
            Change::Removed(pod) if is_it(&pod) => Some(end_of_removed(&convert::pod(pod))),
            Change::Put(_) | Change::Removed(_) => None,
        };
        if let Some(end) = end {
            // There is room for one: the first that is told counts.
            let _ = self.ends.try_send(end);
        }
    }
}

/// The end of a pod, as far as it can be read from it.
fn end_of(pod: &PodSeen) -> Option<PodEnd> {
    match pod.container.as_ref().map(|c| &c.state) {
        Some(ContainerState::Terminated { exit, .. }) => Some(PodEnd::Ended(Some(*exit))),
        _ if matches!(pod.phase.as_str(), "Succeeded" | "Failed") => Some(PodEnd::Ended(None)),
        _ => None,
    }
}

/// The end of a pod that is gone, from its last state: a container that never got an id never ran.
fn end_of_removed(pod: &PodSeen) -> PodEnd {
    let never_ran = pod.container.as_ref().is_none_or(|c| c.id.is_empty());
    end_of(pod).unwrap_or(if never_ran {
        PodEnd::Ended(None)
    } else {
        PodEnd::Vanished
    })
}
