//! The embedded cluster: an in-process Kubernetes API, its controllers and its one node.
//!
//! The service is given to `kube::Client::new` as it is, or served on a loopback port for `kubectl`. All time is tokio's.
//!
//! # What is imitated, and what is not
//! A test holds these tables to the code. Every group has the one version `v1`; `events.k8s.io` shows the core events. What a real
//! server of this version has and this one has not is answered 501 with its verb and path, anything else 404.
//!
//! | kind | group | verbs | subresources | 501 |
//! |---|---|---|---|---|
//! | Namespace | core | all but deletecollection | status, finalize | - |
//! | ConfigMap | core | all | - | - |
//! | Secret | core | all | - | - |
//! | ServiceAccount | core | all | - | token |
//! | Event | core | all | - | - |
//! | Node | core | all | status | proxy |
//! | Pod | core | all | status, log | attach, binding, ephemeralcontainers, eviction, exec, portforward, proxy, resize |
//! | Service | core | all | status | proxy |
//! | Endpoints | core | all | - | - |
//! | PersistentVolumeClaim | core | all | status | - |
//! | ResourceQuota | core | all | status | - |
//! | LimitRange | core | get, list, watch | - | - |
//! | Deployment | apps | all | status, scale | - |
//! | ReplicaSet | apps | all | status, scale | - |
//! | Job | batch | all | status | - |
//! | Lease | coordination.k8s.io | all | - | - |
//! | Ingress | networking.k8s.io | all | status | - |
//! | ClusterRole | rbac.authorization.k8s.io | all | - | - |
//! | ClusterRoleBinding | rbac.authorization.k8s.io | all | - | - |
//! | Role | rbac.authorization.k8s.io | all | - | - |
//! | RoleBinding | rbac.authorization.k8s.io | all | - | - |
//!
//! Resources that are answered 501: bindings, componentstatuses, persistentvolumes, podtemplates, replicationcontrollers, controllerrevisions.apps, daemonsets.apps, statefulsets.apps, cronjobs.batch, ingressclasses.networking.k8s.io, ipaddresses.networking.k8s.io, networkpolicies.networking.k8s.io, servicecidrs.networking.k8s.io, *.admissionregistration.k8s.io, *.apiextensions.k8s.io, *.apiregistration.k8s.io, *.authentication.k8s.io, *.authorization.k8s.io, *.autoscaling, *.certificates.k8s.io, *.discovery.k8s.io, *.flowcontrol.apiserver.k8s.io, *.node.k8s.io, *.policy, *.resource.k8s.io, *.scheduling.k8s.io, *.storage.k8s.io.
//!
//! | controller | does | does not |
//! |---|---|---|
//! | deployments | one ReplicaSet per template, rolling and recreating, old ones pruned | pausing, rolling back, `minReadySeconds`, the progress deadline |
//! | events | repetitions counted in one event, forgotten after an hour | rate limits |
//! | gc | background, foreground and orphaning deletion by owner references | owners of kinds that are not imitated |
//! | health | the fault of a silent node: unreachable after 50 s, its pods given up after 5 min | heartbeats, tolerations of another time |
//! | jobs | counts, back-off, deadlines, suspension, verdicts in two steps | indexed completion, success and pod failure policies, adoption |
//! | namespaces | the default account and root certificate, emptying before the end | |
//! | quotas | objects, containers' requests and limits, storage and scopes measured at creation, given back at the end | changes of what is there, events, scopes by priority |
//! | replicas | as many pods as asked for | adoption |
//! | scheduler | requests, node selectors, claims that are there, the unreachable taint | affinity, priorities, preemption, tolerations |
//! | ttl | finished Jobs after `ttlSecondsAfterFinished` | |
//!
//! Roles are stored and everybody who has the token may do everything; services have no
//! network, ingresses no controller, claims no volume behind them but a directory of the node. The node's own table is in its module.
//!
//! What a real server refuses and this one takes: a status that breaks the rules of a Job's conditions and counts, the rules of an
//! Ingress, a Service with an address of another network or a port twice. Labels in a write to a status are not taken. Answers are
//! JSON and tables; who accepts only YAML or protobuf is answered 406.

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
pub mod warden;

mod controllers;
mod defaults;
mod deployments;
mod discovery;
mod events;
mod events_v1;
mod form;
mod gc;
mod health;
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
mod quotas;
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
use faults::{Fault, Faults, Injector};
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
        let daemons = Daemons::start(&store, node, &faults).map_err(|error| {
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

    /// A hand on everything that can go wrong here.
    pub fn injector(&self) -> Injector {
        Injector {
            store: self.store.clone(),
            faults: self.faults.clone(),
            memory: self.daemons.memory().clone(),
        }
    }

    /// Makes something go wrong, and says what was done.
    pub fn inject(&self, fault: Fault) -> String {
        self.injector().inject(fault)
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
