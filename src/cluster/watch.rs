//! What goes on in a namespace, as one stream: executor Jobs, their pods and the events about both, over one connection state.
//!
//! The stream never ends. While the cluster does not answer it asks again with growing pauses and says when; once it
//! answers, everything is listed anew, so that what was deleted meanwhile is noticed.

pub(super) mod kind;

use super::convert;
use super::error::{Error, Kind};
use super::pauses::Pauses;
use super::rest::Resource;
use super::sieve::Sieve;
use super::{Cluster, task, wire};
use crate::domain::observed::{ContainerState, EventSeen, PodSeen, Seen};
use futures::Stream;
use kind::{Change, Take};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// Selects the executor's Jobs and pods (contract 4.2), and the Jobs that a person keeps from Studio's pruner.
pub(super) const EXECUTOR_LABEL: &str = "llmctl.executor in (true,kept)";
/// A connection that held that long starts the next outage with the shortest pause.
const STABLE: Duration = Duration::from_secs(30);
/// Pause before events are asked for again by somebody who may not see them.
const DENIED_PAUSE: Duration = Duration::from_mins(5);

/// One piece of news from a namespace.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    Seen(Seen),
    /// The cluster answers; comes first, and again after each loss. Full lists follow.
    Connected {
        version: String,
    },
    /// The cluster does not answer or refuses. Nothing shown is certain until the next `Connected`.
    Lost {
        /// One sentence, ready to show.
        reason: String,
        /// Time to the next try.
        retry_in: Duration,
        /// How many tries failed in a row.
        attempt: u32,
    },
    /// Jobs and pods are seen, the events about them may not be.
    NoEvents {
        reason: String,
    },
}

impl Cluster {
    /// Watches the executor's Jobs and pods in `namespace` and the events about them, for as long as the stream is polled.
    pub fn watch(&self, namespace: &str) -> impl Stream<Item = Observation> + Send + Unpin + use<> {
        let (cluster, namespace) = (self.clone(), namespace.to_owned());
        task::stream(move |out| drive(cluster, namespace, out))
    }

    /// Lists once what [`watch`](Self::watch) would list first: Jobs, pods, then the events about them (none, when they may not be seen).
    ///
    /// # Errors
    /// When the cluster does not answer or refuses Jobs or pods.
    pub async fn snapshot(&self, namespace: &str) -> Result<Vec<Seen>, Error> {
        let (sender, mut receiver) = mpsc::channel(1);
        let desk = Desk::new(self, sender);
        let lists = async {
            kind::list::<wire::Job>(self, Resource::Jobs, namespace, Some(EXECUTOR_LABEL), &desk)
                .await?;
            kind::list::<wire::Pod>(self, Resource::Pods, namespace, Some(EXECUTOR_LABEL), &desk)
                .await?;
            match kind::list::<wire::Event>(self, Resource::Events, namespace, None, &desk).await {
                Err(error) if error.kind() != Kind::Denied => Err(error),
                _ => Ok(()),
            }
        };
        let mut lists = std::pin::pin!(lists);
        let mut seen = Vec::new();
        loop {
            tokio::select! {
                biased;
                Some(observation) = receiver.recv() => if let Observation::Seen(fact) = observation { seen.push(fact) },
                done = &mut lists => {
                    done?;
                    break;
                }
            }
        }
        while let Ok(Observation::Seen(fact)) = receiver.try_recv() {
            seen.push(fact);
        }
        Ok(seen)
    }
}

async fn drive(cluster: Cluster, namespace: String, out: mpsc::Sender<Observation>) {
    let mut pauses = Pauses::new();
    let mut attempt = 0;
    loop {
        let lost = match greet(&cluster).await {
            Ok(version) => {
                attempt = 0;
                let since = Instant::now();
                // Nobody listens any more only when the stream is dropped, and this future with it.
                let _ = out.send(Observation::Connected { version }).await;
                cluster.retry_now();
                let lost = observe(&cluster, &namespace, &out).await;
                if since.elapsed() >= STABLE {
                    pauses.reset();
                }
                lost
            }
            Err(error) => error,
        };
        attempt += 1;
        let retry_in = pauses.next();
        let reason = lost.to_string();
        let _ = out
            .send(Observation::Lost {
                reason,
                retry_in,
                attempt,
            })
            .await;
        tokio::select! {
            () = tokio::time::sleep(retry_in) => {}
            () = cluster.wake.notified() => {}
        }
    }
}

/// A server that is just starting answers `/version` before it can serve anything.
async fn greet(cluster: &Cluster) -> Result<String, Error> {
    cluster.ping().await?;
    cluster.version().await
}

/// Follows all three kinds until the connection is lost; gives the reason.
async fn observe(cluster: &Cluster, namespace: &str, out: &mpsc::Sender<Observation>) -> Error {
    let desk = Desk::new(cluster, out.clone());
    let jobs = kind::follow::<wire::Job>(
        cluster,
        Resource::Jobs,
        namespace,
        Some(EXECUTOR_LABEL),
        &desk,
    );
    let pods = kind::follow::<wire::Pod>(
        cluster,
        Resource::Pods,
        namespace,
        Some(EXECUTOR_LABEL),
        &desk,
    );
    let events = async {
        desk.jobs_listed.notified().await;
        loop {
            let end =
                kind::follow::<wire::Event>(cluster, Resource::Events, namespace, None, &desk)
                    .await;
            if end.kind() != Kind::Denied {
                return end;
            }
            let _ = out
                .send(Observation::NoEvents {
                    reason: end.to_string(),
                })
                .await;
            tokio::time::sleep(DENIED_PAUSE).await;
        }
    };
    tokio::select! {
        end = jobs => end,
        end = pods => end,
        end = events => end,
    }
}

/// Where the three kinds come together.
struct Desk<'a> {
    cluster: &'a Cluster,
    out: mpsc::Sender<Observation>,
    sieve: Mutex<Sieve>,
    jobs_listed: Notify,
}

impl<'a> Desk<'a> {
    fn new(cluster: &'a Cluster, out: mpsc::Sender<Observation>) -> Self {
        Self {
            cluster,
            out,
            sieve: Mutex::default(),
            jobs_listed: Notify::new(),
        }
    }

    async fn know<'n>(&self, jobs: impl IntoIterator<Item = &'n str>) {
        let waited: Vec<EventSeen> =
            self.with_sieve(|sieve| jobs.into_iter().flat_map(|job| sieve.know(job)).collect());
        for event in waited {
            self.tell(Seen::Event(Box::new(event))).await;
        }
    }

    fn with_sieve<T>(&self, work: impl FnOnce(&mut Sieve) -> T) -> T {
        work(&mut self.sieve.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_ending(&self, pod: &PodSeen) {
        if let Some(container) = &pod.container
            && matches!(container.state, ContainerState::Terminated { .. })
        {
            self.cluster.endings.saw(&container.id);
        }
    }

    async fn tell(&self, seen: Seen) {
        let _ = self.out.send(Observation::Seen(seen)).await;
    }
}

impl Take<wire::Job> for Desk<'_> {
    async fn take(&self, change: Change<wire::Job>) {
        match change {
            Change::Page(page) => {
                let page: Vec<_> = page.into_iter().map(convert::job).collect();
                let names: Vec<_> = page.iter().map(|job| job.name.clone()).collect();
                self.tell(Seen::JobsPage(page)).await;
                self.know(names.iter().map(String::as_str)).await;
            }
            Change::Listed(uids) => {
                self.tell(Seen::JobsListed(uids)).await;
                self.jobs_listed.notify_one();
            }
            Change::Put(job) => {
                let job = convert::job(job);
                let name = job.name.clone();
                self.tell(Seen::Job(Box::new(job))).await;
                self.know([name.as_str()]).await;
            }
            Change::Removed(job) => self.tell(Seen::JobGone(Box::new(convert::job(job)))).await,
        }
    }
}

impl Take<wire::Pod> for Desk<'_> {
    async fn take(&self, change: Change<wire::Pod>) {
        match change {
            Change::Page(page) => {
                let page: Vec<_> = page.into_iter().map(convert::pod).collect();
                for pod in &page {
                    self.note_ending(pod);
                }
                self.tell(Seen::PodsPage(page)).await;
            }
            Change::Listed(uids) => self.tell(Seen::PodsListed(uids)).await,
            Change::Put(pod) => {
                let pod = convert::pod(pod);
                self.note_ending(&pod);
                self.tell(Seen::Pod(Box::new(pod))).await;
            }
            Change::Removed(pod) => {
                let pod = convert::pod(pod);
                self.note_ending(&pod);
                self.tell(Seen::PodGone(Box::new(pod))).await;
            }
        }
    }
}

impl Take<wire::Event> for Desk<'_> {
    async fn take(&self, change: Change<wire::Event>) {
        let events = match change {
            Change::Page(page) => page,
            Change::Put(event) => vec![event],
            // Events expire by themselves; what they told stays true.
            Change::Listed(_) | Change::Removed(_) => return,
        };
        for event in events.into_iter().filter_map(convert::event) {
            let passed = self.with_sieve(|sieve| sieve.pass(event));
            if let Some(event) = passed {
                self.tell(Seen::Event(Box::new(event))).await;
            }
        }
    }
}

/// UIDs of a full list.
pub(super) type Uids = BTreeSet<String>;
