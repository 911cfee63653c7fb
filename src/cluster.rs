//! Kubernetes: the only place with kube. Plain domain types go in and come out.
//!
//! Every request has a time limit and is made once: a cluster that does not answer is reported and not waited for.
//! What goes on by itself (watches, followed logs) retries with growing pauses and says so.

pub mod apply;
pub mod connect;
pub mod error;
pub mod forward;
mod giving_up;
pub mod jobs;
pub mod kubeconfig;
pub mod logs;
pub mod orphans;
pub mod preflight;
pub mod settings;
pub mod studio;
pub mod watch;

mod cancel;
mod convert;
mod ending;
mod pauses;
mod rest;
mod sieve;
mod task;
mod wire;

use crate::domain::target::Target;
use ending::Endings;
use error::Error;
use http::{Request, Response};
use rest::{Asked, Resource};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Longest wait for the answer to one request.
const PATIENCE: Duration = Duration::from_secs(15);

/// A connection to one cluster; cheap to clone, each clone is the same connection.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    /// How messages name the cluster: `MINIKUBE llmctl`.
    label: Arc<str>,
    /// Ends the pause before the next try of whoever waits.
    wake: Arc<Notify>,
    /// Containers that the watch saw ended; log streams ask for them when their pod is gone.
    endings: Arc<Endings>,
    /// The kinds that the cluster serves, once somebody asked.
    kinds: Arc<apply::Cache>,
}

impl Cluster {
    /// A cluster behind an HTTP service in this process: the sandbox, or a fake in a test. Needs a tokio runtime around it.
    pub fn from_service<S, B>(service: S, target: &Target) -> Self
    where
        S: tower::Service<Request<kube::client::Body>, Response = Response<B>> + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<tower::BoxError>,
        B: http_body_util::BodyExt<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<tower::BoxError>,
    {
        Self::new(kube::Client::new(service, "default"), target)
    }

    fn new(client: kube::Client, target: &Target) -> Self {
        Self {
            client,
            label: target.badge().into(),
            wake: Arc::default(),
            endings: Arc::default(),
            kinds: Arc::default(),
        }
    }

    /// Version of the API server, such as `v1.34.4`.
    ///
    /// # Errors
    /// When the cluster does not answer within 15 s or refuses.
    pub async fn version(&self) -> Result<String, Error> {
        let asked = Asked::path("read", "the version", "/version");
        let version: wire::Version = self.request(&asked, rest::get("/version")?).await?;
        Ok(version.git_version)
    }

    /// The API server is up and says that it can serve (`/readyz`).
    ///
    /// # Errors
    /// When the cluster does not answer within 15 s, or is not ready.
    pub async fn ping(&self) -> Result<(), Error> {
        let asked = Asked::path("read", "the readiness", "/readyz");
        match self.request_text(&asked, rest::get("/readyz")?).await {
            // Somebody who may not see the readiness may still be served.
            Err(error) if error.kind() == error::Kind::Denied => Ok(()),
            other => other.map(drop),
        }
    }

    /// Whether the namespace is there and not going away.
    ///
    /// # Errors
    /// When the cluster does not answer or does not let us look.
    pub async fn namespace_exists(&self, namespace: &str) -> Result<bool, Error> {
        match self
            .get::<wire::Bare>(Resource::Namespaces, "", namespace)
            .await
        {
            Ok(found) => Ok(found.metadata.deletion_timestamp.is_none()),
            Err(error) if error.kind() == error::Kind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends all pauses before a next try at once: somebody asked for it, or the cluster was just seen alive.
    pub fn retry_now(&self) {
        self.wake.notify_waiters();
    }

    /// The client, for the rest of this edge.
    pub(in crate::cluster) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// How messages name this cluster.
    pub(in crate::cluster) fn label(&self) -> &str {
        &self.label
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cluster").field(&self.label).finish()
    }
}
