//! The embedded cluster: an in-process Kubernetes API, its controllers and its one node.
//!
//! The service is given to `kube::Client::new` as it is, or served on a loopback port for `kubectl`. All time is tokio's.

pub mod access;
pub mod admission;
pub mod clock;
pub mod daemons;
pub mod faults;
pub mod kinds;
pub mod logs;
pub mod serve;
pub mod service;
pub mod status;
pub mod store;

mod controllers;
mod defaults;
mod deployments;
mod discovery;
mod events;
mod events_v1;
mod form;
mod gc;
mod images;
mod jobs;
mod list;
mod namespaces;
mod node;
mod object;
mod openapi;
mod packed;
mod patch;
mod podlog;
mod protobuf;
mod quantity;
mod replicas;
mod requests;
mod respond;
mod scale;
mod scheduler;
mod seeds;
mod selectors;
mod table;
mod ttl;
mod validate;
mod view;
mod watch;
mod work;
mod write;
mod writer;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use clock::Clock;
use daemons::{Daemons, NodeConfig};
use faults::Faults;
use serve::Served;
use service::Service;
use status::Status;
use store::Store;

/// How a sandbox begins.
#[derive(Debug, Clone)]
pub struct Config {
    /// The program that runs a pod's payload, with its first arguments: such as this binary and `executor`.
    pub executor: Vec<OsString>,
    /// The wall time at the start.
    pub base: Timestamp,
    /// The fault switches; a clone kept outside switches them later.
    pub faults: Faults,
}

/// A running cluster. It ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Sandbox {
    store: Store,
    faults: Faults,
    service: Service,
    daemons: Daemons,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Sandbox {
    /// Starts an empty cluster with the namespaces and the node that every cluster has. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the first objects cannot be made.
    pub fn start(config: Config) -> Result<Self, Status> {
        let Config {
            executor,
            base,
            faults,
        } = config;
        let store = Store::new(Clock::new(base));
        let tasks = JoinSet::new();
        seeds::plant(&store)?;
        let node = NodeConfig {
            executor,
            directory: None,
        };
        let daemons = Daemons::start(&store, node).map_err(|error| {
            Status::new(
                500,
                "InternalError",
                format!("the node has no temporary directory: {error}"),
            )
        })?;
        let service = Service::new(store.clone(), faults.clone(), daemons.logs().clone());
        Ok(Self {
            store,
            faults,
            service,
            daemons,
            tasks: Arc::new(Mutex::new(tasks)),
        })
    }

    /// The API, to be given to a client or a server.
    pub fn service(&self) -> Service {
        self.service.clone()
    }

    /// Serves the API on a loopback port (0 for any free one) until the sandbox is stopped.
    ///
    /// # Errors
    /// When the address is not a loopback one, or cannot be bound.
    pub async fn serve(&self, listen: SocketAddr) -> io::Result<Served> {
        let (served, task) = serve::bind(self.service(), listen).await?;
        self.tasks.lock().await.spawn(task);
        Ok(served)
    }

    /// The cluster's clock.
    pub fn clock(&self) -> &Clock {
        self.store.clock()
    }

    /// The objects, for a look from inside.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The fault switches.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The fault "out of memory": kills what the pod with this uid runs, as the kernel would.
    pub fn run_out_of_memory(&self, pod_uid: &str) {
        self.daemons.run_out_of_memory(pod_uid);
    }

    /// Ends every task, stream and child process.
    pub async fn stop(self) {
        self.faults.drop_watches();
        self.tasks.lock().await.shutdown().await;
        // A temporary directory that cannot be removed is the system's to clean.
        let _ = self.daemons.stop().await;
    }
}
