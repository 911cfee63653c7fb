//! The cluster's controllers and its node, running.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use super::controllers::{Controller, run};
use super::deployments::Deployments;
use super::events::{Events, Forgetting};
use super::faults::Faults;
use super::gc::Collector;
use super::health;
use super::jobs::Jobs;
use super::logs::Logs;
use super::namespaces::Namespaces;
use super::node::{self, Context};
use super::quotas::Quotas;
use super::replicas::Replicas;
use super::scheduler::Scheduler;
use super::store::Store;
use super::ttl::Ttl;
use super::warden::Warden;

/// What the node needs of the world.
#[derive(Clone, Debug, Default)]
pub struct NodeConfig {
    /// The program and the first arguments that a container of an executor image runs, such as `llmctl-dev executor`.
    pub executor: Vec<OsString>,
    /// Where the node's temporary directory is made; none for the system's own place.
    pub directory: Option<PathBuf>,
}

/// Everything that acts in the cluster by itself. Dropping it ends it, and every process that the node runs, at once.
#[derive(Debug)]
pub struct Daemons {
    tasks: JoinSet<()>,
    node: Option<tokio::task::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    logs: Logs,
    memory: broadcast::Sender<String>,
    directory: Option<TempDir>,
    warden: Option<Warden>,
}

impl Daemons {
    /// Starts them on a store, in the current tokio runtime.
    ///
    /// # Errors
    /// When the node's temporary directory cannot be made.
    pub fn start(store: &Store, config: NodeConfig, faults: &Faults) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("llmctl-sandbox-");
        let directory = match &config.directory {
            Some(place) => builder.tempdir_in(place)?,
            None => builder.tempdir()?,
        };
        let warden = Warden::post(&config.executor, directory.path());
        let logs = Logs::new(store.clone());
        let events = Events::new(store.clone());
        let mut tasks = JoinSet::new();
        spawn(&mut tasks, store, Namespaces(store.clone()));
        spawn(
            &mut tasks,
            store,
            Jobs::new(store.clone(), events.reporter("job-controller")),
        );
        spawn(
            &mut tasks,
            store,
            Scheduler::new(store.clone(), events.reporter("default-scheduler")),
        );
        spawn(&mut tasks, store, Ttl(store.clone()));
        spawn(&mut tasks, store, Collector::new(store.clone()));
        spawn(&mut tasks, store, Quotas::new(store.clone()));
        spawn(
            &mut tasks,
            store,
            Deployments::new(store.clone(), events.reporter("deployment-controller")),
        );
        spawn(
            &mut tasks,
            store,
            Replicas::new(store.clone(), events.reporter("replicaset-controller")),
        );
        spawn(&mut tasks, store, Forgetting(events.clone()));
        tasks.spawn(health::watch(
            store.clone(),
            events.reporter("node-controller"),
            faults.clone(),
        ));
        let context = Context::new(
            store.clone(),
            events.reporter("kubelet").heard_with(faults.clone()),
            faults.clone(),
            logs.clone(),
            config.executor,
            directory.path().to_owned(),
        );
        let memory = context.memory.clone();
        let stop = watch::Sender::new(false);
        let node = tokio::spawn(node::run(Arc::new(context), stop.subscribe()));
        Ok(Self {
            tasks,
            node: Some(node),
            stop,
            logs,
            memory,
            directory: Some(directory),
            warden,
        })
    }

    /// The logs of the node's containers.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Where the uids of pods are told that run out of memory.
    pub(super) fn memory(&self) -> &broadcast::Sender<String> {
        &self.memory
    }

    /// The fault "out of memory": kills what the pod with this uid runs, as the kernel would.
    pub fn run_out_of_memory(&self, pod_uid: &str) {
        // A node without a running container has none to kill.
        let _ = self.memory.send(pod_uid.to_owned());
    }

    /// Stops everything. When it comes back, no process and no file of the node is left.
    ///
    /// # Errors
    /// When the node's temporary directory cannot be removed.
    pub async fn stop(mut self) -> io::Result<()> {
        self.tasks.shutdown().await;
        self.stop.send_replace(true);
        if let Some(node) = self.node.take() {
            // A node that panicked has ended too, and dropped its processes on the way.
            let _ = node.await;
        }
        let closed = self.directory.take().map_or(Ok(()), TempDir::close);
        if let Some(warden) = self.warden.take() {
            warden.dismiss().await;
        }
        closed
    }
}

impl Drop for Daemons {
    fn drop(&mut self) {
        if let Some(node) = &self.node {
            node.abort();
        }
    }
}

fn spawn<C: Controller + 'static>(tasks: &mut JoinSet<()>, store: &Store, controller: C) {
    tasks.spawn(run(controller, store.clone()));
}
