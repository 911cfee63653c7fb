//! One pod on the node, from the moment it is assigned until nothing of it is left.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::container::Runner;
use super::status::{Container, Ended, PodState, State};
use super::volumes::{Volumes, private_dir};
use super::{Context, IP};
use crate::sandbox::controllers::sleep_until;
use crate::sandbox::events::Tone;
use crate::sandbox::kinds::Kind;
use crate::sandbox::object::{is_deleting, meta, uid};
use crate::sandbox::store::DeleteOptions;

/// How long a pod's network and mounts take to be set up, and to be taken down.
const SETUP: Duration = Duration::from_millis(100);
const TEARDOWN: Duration = Duration::from_millis(50);

/// The wait before a volume is tried again, doubled up to the limit.
const MOUNT_BACK_OFF: Duration = Duration::from_millis(500);
const MOUNT_BACK_OFF_LIMIT: Duration = Duration::from_secs(122);

/// How long containers get when the whole node stops.
const LAST_GRACE: Duration = Duration::from_millis(500);

const EVICTED: (&str, &str) = (
    "DeadlineExceeded",
    "Pod was active on the node longer than the specified deadline",
);

/// What the node tells a pod's worker.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// The pod as it is now.
    Pod(Arc<Value>),
    /// The pod was taken out of the store.
    Gone,
    /// The node stops.
    Shutdown,
}

/// What came between a pod and its work.
enum Interrupt {
    Deleted,
    Deadline,
    Gone,
    Shutdown,
}

/// How the pod is being ended, if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    No,
    Deleted,
    Deadline,
    /// Nobody is left to tell.
    Silent,
}

/// Works on one pod.
pub(crate) struct Worker {
    context: Arc<Context>,
    pod: Arc<Value>,
    dir: PathBuf,
    state: PodState,
    ending: Ending,
    news: watch::Receiver<News>,
    deadline: Option<Instant>,
    stop: watch::Sender<Option<Instant>>,
}

impl Worker {
    pub(crate) fn new(context: Arc<Context>, pod: Arc<Value>, news: watch::Receiver<News>) -> Self {
        let list = |field: &str, init: bool| {
            let all = pod["spec"][field].as_array().cloned().unwrap_or_default();
            all.into_iter().map(move |spec| Container::new(spec, init))
        };
        let mut containers: Vec<Container> = list("initContainers", true).collect();
        let waits = !containers.is_empty();
        containers.extend(list("containers", false).map(|mut container| {
            if waits {
                container.state = State::waiting("PodInitializing");
            }
            container
        }));
        let started = context.store.clock().now();
        let deadline = pod["spec"]["activeDeadlineSeconds"]
            .as_u64()
            .map(|seconds| Instant::now() + Duration::from_secs(seconds));
        Self {
            dir: context.dir.join("pods").join(uid(&pod)),
            state: PodState {
                containers,
                started,
                sandbox: false,
                ip: None,
                settled: false,
                unseen: false,
                evicted: None,
            },
            ending: Ending::No,
            news,
            deadline,
            stop: watch::Sender::new(None),
            context,
            pod,
        }
    }

    /// Does everything, and gives the pod's uid.
    pub(crate) async fn run(mut self) -> String {
        self.write();
        if let Some(volumes) = self.mount().await {
            let volumes = Arc::new(volumes);
            let (init, main): (Vec<usize>, Vec<usize>) =
                (0..self.state.containers.len()).partition(|at| self.state.containers[*at].init);
            for one in init {
                self.stage(&[one], &volumes).await;
                if !matches!(&self.state.containers[one].state, State::Terminated(ended) if ended.exit_code == 0)
                {
                    break;
                }
            }
            let ready =
                self.state.containers.iter().filter(|one| one.init).all(
                    |one| matches!(&one.state, State::Terminated(ended) if ended.exit_code == 0),
                );
            if self.ending == Ending::No && ready {
                self.stage(&main, &volumes).await;
            }
        }
        self.finish().await;
        // A directory that stays is a matter for the whole node's directory.
        let _ = std::fs::remove_dir_all(&self.dir);
        uid(&self.pod).to_owned()
    }

    /// Sets the volumes up; none when the pod ends before they are.
    async fn mount(&mut self) -> Option<Volumes> {
        let mut wait = MOUNT_BACK_OFF;
        let mut configuration = self.context.configuration.subscribe();
        if let Err(error) = private_dir(&self.dir) {
            self.context.events.tell(
                &self.pod,
                Tone::Warning,
                "FailedCreatePodSandBox",
                &format!("Failed to create pod sandbox: {error}"),
            );
        }
        // A kubelet looks at the volumes some time after the pod came: a ConfigMap made right behind its Job is there by then.
        tokio::select! {
            biased;
            interrupt = interrupted(&mut self.news, &self.pod, self.ending, self.deadline) => {
                self.interrupt(interrupt);
                return None;
            }
            () = tokio::time::sleep(SETUP) => {}
        }
        let volumes = loop {
            configuration.mark_unchanged();
            let pause = match Volumes::read(
                &self.context.store,
                &self.pod,
                &self.dir,
                &self.context.dir.join("claims"),
            ) {
                Ok(volumes) => break volumes,
                Err(error) => {
                    self.context.events.tell(
                        &self.pod,
                        Tone::Warning,
                        "FailedMount",
                        &error.to_string(),
                    );
                    let pause = wait;
                    wait = (wait * 2).min(MOUNT_BACK_OFF_LIMIT);
                    pause
                }
            };
            tokio::select! {
                biased;
                interrupt = interrupted(&mut self.news, &self.pod, self.ending, self.deadline) => {
                    self.interrupt(interrupt);
                    return None;
                }
                // What it waits for may have come.
                _ = configuration.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        };
        self.state.sandbox = true;
        self.state.ip = Some(self.context.address());
        Some(volumes)
    }

    /// Runs some of the containers side by side until all of them have ended for good.
    async fn stage(&mut self, indices: &[usize], volumes: &Arc<Volumes>) {
        let (sender, mut changes) = mpsc::unbounded_channel();
        let mut runners = FuturesUnordered::new();
        for &index in indices {
            let runner = Runner {
                context: Arc::clone(&self.context),
                pod: Arc::clone(&self.pod),
                volumes: Arc::clone(volumes),
                dir: self.dir.clone(),
                index,
                container: self.state.containers[index].clone(),
                news: sender.clone(),
                stop: self.stop.subscribe(),
            };
            runners.push(runner.run());
        }
        drop(sender);
        let faults = self.context.faults.clone();
        let mut switched = faults.switched();
        loop {
            let silent = faults.is_silent();
            tokio::select! {
                biased;
                _ = switched.changed() => {}
                () = faults.node_reports(), if silent => self.write(),
                Some((index, container)) = changes.recv() => self.take(index, container),
                interrupt = interrupted(&mut self.news, &self.pod, self.ending, self.deadline) => self.interrupt(interrupt),
                done = runners.next() => if done.is_none() { break },
            }
        }
        while let Ok((index, container)) = changes.try_recv() {
            self.take(index, container);
        }
    }

    fn take(&mut self, index: usize, container: Container) {
        self.state.containers[index] = container;
        // While the pod is being ended, only the end is told.
        if self.ending == Ending::No {
            self.write();
        }
    }

    fn interrupt(&mut self, interrupt: Interrupt) {
        let grace =
            |seconds: Option<u64>| Instant::now() + Duration::from_secs(seconds.unwrap_or(30));
        let limit = match interrupt {
            Interrupt::Deleted => {
                if let News::Pod(pod) = &*self.news.borrow() {
                    self.pod = Arc::clone(pod);
                }
                if self.ending == Ending::No {
                    self.ending = Ending::Deleted;
                    for container in &mut self.state.containers {
                        if matches!(container.state, State::Waiting { .. })
                            && container.last.is_none()
                        {
                            container.state = State::waiting("ContainerCreating");
                        }
                    }
                    self.write();
                }
                self.ending = Ending::Deleted;
                grace(self.pod["metadata"]["deletionGracePeriodSeconds"].as_u64())
            }
            Interrupt::Deadline => {
                self.ending = Ending::Deadline;
                self.state.evicted = Some(EVICTED);
                self.context
                    .events
                    .tell(&self.pod, Tone::Normal, EVICTED.0, EVICTED.1);
                self.write();
                grace(self.pod["spec"]["terminationGracePeriodSeconds"].as_u64())
            }
            Interrupt::Gone => {
                self.ending = Ending::Silent;
                Instant::now()
            }
            Interrupt::Shutdown => {
                self.ending = Ending::Silent;
                Instant::now() + LAST_GRACE
            }
        };
        self.stop
            .send_modify(|stop| *stop = Some(stop.map_or(limit, |before| before.min(limit))));
    }

    /// Tells the end, and finishes a deletion.
    async fn finish(&mut self) {
        if self.ending == Ending::Silent {
            return;
        }
        if self.ending == Ending::No {
            tokio::time::sleep(TEARDOWN).await;
        }
        let over = |news: &News| matches!(news, News::Gone | News::Shutdown);
        tokio::select! {
            biased;
            () = self.context.faults.node_reports() => {}
            _ = self.news.wait_for(over) => return,
        }
        self.state.sandbox = false;
        let unseen = |container: &Container| matches!(container.state, State::Waiting { .. });
        if self.ending != Ending::No && self.state.containers.iter().any(unseen) {
            self.write();
            self.state.unseen = true;
            for container in self.state.containers.iter_mut().filter(|one| unseen(one)) {
                container.state =
                    State::Terminated(container.last.take().unwrap_or_else(Ended::unknown));
            }
        }
        self.state.settled = true;
        self.write();
        self.finish_deletion();
    }

    /// The last word on a pod that is being deleted: its grace period is over.
    fn finish_deletion(&self) {
        let store = &self.context.store;
        let (namespace, name) = (meta(&self.pod, "namespace"), meta(&self.pod, "name"));
        let marked = store.find(Kind::Pod, namespace, name);
        if marked.is_none_or(|pod| uid(&pod) != uid(&self.pod) || !is_deleting(&pod)) {
            return;
        }
        let mut now = DeleteOptions {
            grace: Some(0),
            ..DeleteOptions::default()
        };
        now.preconditions.uid = Some(uid(&self.pod).to_owned());
        // Gone in between is what was wanted.
        let _ = store.delete(Kind::Pod, namespace, name, &now);
    }

    fn write(&self) {
        if self.context.faults.is_silent() {
            return;
        }
        let now = self.context.store.clock().now();
        let (namespace, name) = (meta(&self.pod, "namespace"), meta(&self.pod, "name"));
        // A pod that is gone has nobody to tell.
        let _ = self
            .context
            .store
            .modify(Kind::Pod, namespace, name, |pod| {
                if uid(pod) == uid(&self.pod) {
                    self.state.write(pod, IP, now);
                }
            });
    }
}

/// Waits for something that comes between the pod and its work, and that is not known yet.
async fn interrupted(
    news: &mut watch::Receiver<News>,
    pod: &Value,
    ending: Ending,
    deadline: Option<Instant>,
) -> Interrupt {
    let deadline = deadline.filter(|_| ending == Ending::No);
    // A second deletion may shorten the time of the first.
    let known = pod["metadata"]["deletionGracePeriodSeconds"].as_u64();
    let seen = |news: &News| match news {
        News::Gone | News::Shutdown => ending != Ending::Silent,
        News::Pod(pod) => {
            is_deleting(pod)
                && ending != Ending::Silent
                && (ending != Ending::Deleted
                    || pod["metadata"]["deletionGracePeriodSeconds"].as_u64() < known)
        }
    };
    tokio::select! {
        biased;
        found = news.wait_for(seen) => match found.as_deref() {
            Ok(News::Pod(_)) => Interrupt::Deleted,
            Ok(News::Gone) => Interrupt::Gone,
            Ok(News::Shutdown) | Err(_) => Interrupt::Shutdown,
        },
        () = sleep_until(deadline) => Interrupt::Deadline,
    }
}
