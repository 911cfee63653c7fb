//! Opening a session: which cluster, and the edges around it.

use super::announce::OnEvent;
use super::checks::Checks;
use super::records::Records;
use super::{WAITING, World};
use crate::app::Msg;
use crate::app::notices::Notice;
use crate::cluster::Cluster;
use crate::cluster::connect::Connect;
use crate::cluster::error::Error as ClusterError;
use crate::domain::guard::Wanted;
use crate::domain::target::Target;
use crate::files::history::{Bounds, History};
use crate::files::paths::Paths;
use crate::sandbox::faults::Faults;
use crate::sandbox::{self, Sandbox};
use jiff::Timestamp;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Which cluster to work on; chosen once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A fresh sandbox inside this program, asked for by `demo` or `--sandbox`.
    Sandbox,
    /// A cluster of the kubeconfig: the Minikube profile, or a context by name.
    Cluster(Wanted),
}

/// What a session is opened with.
#[derive(Clone, Debug)]
pub struct Choice {
    pub place: Place,
    pub kubeconfig: Option<PathBuf>,
    /// Contexts that the configuration allows wherever they are.
    pub allowed: Vec<String>,
    pub namespace: String,
    pub paths: Paths,
    /// Directory of overlays instead of those inside the program.
    pub overlays: Option<PathBuf>,
    /// This program: the sandbox runs `<program> executor` as an executor image would.
    pub program: PathBuf,
    /// How much history is kept.
    pub bounds: Bounds,
    /// Command line for `/bin/sh` that is run when something happened to a run.
    pub on_event: Option<String>,
}

/// Why a session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("the sandbox could not be prepared: {0}")]
    Sandbox(String),
}

impl World {
    /// Opens a session. A sandbox is started and gets the overlay `executor`, so that runs find their namespace and
    /// account; nothing is asked of another cluster yet.
    ///
    /// # Errors
    /// When there is no such cluster in the kubeconfig, or it is refused for safety.
    pub async fn open(choice: Choice) -> Result<Self, OpenError> {
        let (cluster, target, sandbox) = match &choice.place {
            Place::Sandbox => {
                let sandbox = Sandbox::start(sandbox::Config {
                    executor: vec![choice.program.clone().into(), OsString::from("executor")],
                    base: Timestamp::now(),
                    faults: Faults::default(),
                })
                .map_err(|status| OpenError::Sandbox(status.to_string()))?;
                let target = Target::sandbox();
                let cluster = Cluster::from_service(sandbox.service(), &target);
                (cluster, target, Some(sandbox))
            }
            Place::Cluster(wanted) => {
                let (cluster, target) = Cluster::connect(&Connect {
                    kubeconfig: choice.kubeconfig.clone(),
                    wanted: wanted.clone(),
                    allowed: choice.allowed.clone(),
                })
                .await?;
                (cluster, target, None)
            }
        };
        let (out, inbox) = mpsc::channel::<Msg>(WAITING);
        let mut world = Self {
            namespace: choice.namespace,
            cluster,
            sandbox,
            paths: choice.paths,
            overlays: choice.overlays,
            history: None,
            records: Records::default(),
            on_event: choice.on_event.map(OnEvent::new),
            checks: Checks::default(),
            seeks: super::logs::Seeks::default(),
            out,
            inbox,
            streams: JoinSet::new(),
            writes: JoinSet::new(),
            target,
        };
        world.open_history(choice.bounds);
        if world.sandbox.is_some() {
            world.prepare_sandbox().await?;
        }
        Ok(world)
    }

    fn open_history(&mut self, bounds: Bounds) {
        let folder = format!("{}-{}", self.target.kind, self.target.name);
        let folder: String = folder
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        match History::open(self.paths.history_dir().join(folder), bounds) {
            Ok(history) => self.history = Some(Arc::new(history)),
            Err(error) => self.tell(Notice::bad(format!(
                "runs of this session will not be kept: {error}"
            ))),
        }
    }
}
