//! A look around for something to work on, before any session is open.

use crate::cluster::Cluster;
use crate::cluster::connect::{Connect, contexts};
use crate::cluster::error::Error;
use crate::domain::guard::{Context, Refusal, Wanted, decide};
use crate::domain::profile::{ProfileState, StartOptions, StartStep};
use crate::minikube::Minikube;
use futures::Stream;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// Longest wait for the first answer of a cluster before the start screen says that there is none.
const FIRST_ANSWER: Duration = Duration::from_secs(3);

/// Where to look.
#[derive(Clone, Debug)]
pub struct Around {
    pub profile: String,
    pub kubeconfig: Option<PathBuf>,
    pub allowed: Vec<String>,
    /// The `minikube` program: a name or a path.
    pub minikube: PathBuf,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    pub profile: ProfileState,
    /// Every context with why it is not worked on.
    pub contexts: Vec<(Context, Option<Refusal>)>,
    /// The kubeconfig could not be read.
    pub kubeconfig: Option<String>,
    /// The context of the profile is there and its cluster does not answer.
    pub silent: Option<String>,
}

impl Around {
    /// Looks for the program, the profile and the contexts.
    pub async fn look(&self) -> Found {
        let profile = match Minikube::find(Some(&self.minikube)) {
            Some(minikube) => minikube.profile_status(&self.profile).await,
            None => ProfileState::NoProgram,
        };
        let (all, kubeconfig) = match contexts(self.kubeconfig.as_deref()) {
            Ok(all) => (all, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let refusal = |context: &Context| {
            decide(&all, &Wanted::Context(context.name.clone()), &self.allowed).err()
        };
        Found {
            contexts: all
                .iter()
                .map(|context| (context.clone(), refusal(context)))
                .collect(),
            profile,
            kubeconfig,
            silent: self.ready().await.err().flatten(),
        }
    }

    /// The cluster of the profile can be worked on now.
    ///
    /// # Errors
    /// Why not, in one sentence; none when the kubeconfig has no such context.
    pub async fn ready(&self) -> Result<(), Option<String>> {
        let connect = Connect {
            kubeconfig: self.kubeconfig.clone(),
            wanted: Wanted::Profile(self.profile.clone()),
            allowed: self.allowed.clone(),
        };
        let (cluster, target) = match Cluster::connect(&connect).await {
            Ok(connected) => connected,
            Err(Error::Refused(Refusal::NoContext { .. })) => return Err(None),
            Err(error) => return Err(Some(error.to_string())),
        };
        match timeout(FIRST_ANSWER, cluster.version()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Some(error.to_string())),
            Err(_) => Err(Some(format!(
                "{} at {} does not answer",
                target.badge(),
                target.server
            ))),
        }
    }

    /// Starts the profile; none when there is no program. Dropping the stream ends minikube.
    pub fn start(&self) -> Option<impl Stream<Item = StartStep> + Send + Unpin + use<>> {
        let minikube = Minikube::find(Some(&self.minikube))?;
        Some(minikube.start(&self.profile, &defaults()))
    }
}

/// How a new profile is made (contract 7.6); one that exists keeps what it has.
pub fn defaults() -> StartOptions {
    StartOptions {
        driver: Some("docker".into()),
        cpus: Some(4),
        memory_mb: Some(8192),
        ..StartOptions::default()
    }
}
