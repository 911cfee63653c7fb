//! From the global options to an open session: paths, configuration, settings, target.

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::output;
use crate::cluster::error::{Error as ClusterError, Kind};
use crate::domain::guard::Wanted;
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::{Layered, Origin};
use crate::files::config::{self, ToolConfig};
use crate::files::paths::Paths;
use crate::files::settings;
use crate::runtime::World;
use crate::runtime::open::{Choice, OpenError, Place};
use std::path::PathBuf;

/// Namespace of the executor Jobs when nothing names one: the one of llmctl's manifests.
pub const NAMESPACE: &str = "llmctl";

/// What every command starts from: files read, nothing opened.
#[derive(Debug)]
pub struct Setup {
    pub paths: Paths,
    pub config: ToolConfig,
    pub settings: Layered,
}

impl Setup {
    /// Reads the configuration and the settings that `globals` name.
    ///
    /// # Errors
    /// When a file cannot be read, or the configuration has a problem. Problems of the settings are in the settings.
    pub fn read(globals: &Globals) -> Result<Self, Failure> {
        let paths = Paths::discover().map_err(|error| Failure::invalid(error.to_string()))?;
        let loaded = config::load(&paths.tool_config())
            .map_err(|error| Failure::invalid(error.to_string()))?;
        for remark in &loaded.remarks {
            output::progress(remark);
        }
        let named = globals.settings.is_some();
        let path = globals
            .settings
            .clone()
            .unwrap_or_else(|| paths.settings_file());
        let settings =
            settings::layered(&path, named).map_err(|error| Failure::invalid(error.to_string()))?;
        Ok(Self {
            paths,
            config: loaded.config,
            settings,
        })
    }

    /// The Minikube profile to work on.
    pub fn profile(&self, globals: &Globals) -> String {
        globals
            .profile
            .clone()
            .unwrap_or_else(|| self.config.profile.clone())
    }

    /// Namespace of the executor Jobs: the option, the setting when somebody set it, the configuration, `llmctl`.
    pub fn namespace(&self, globals: &Globals) -> String {
        let set = self.settings.origin(Key::K8sNamespace) != Origin::Default;
        let setting = set.then(|| self.settings.effective().namespace.clone());
        globals
            .namespace
            .clone()
            .or(setting)
            .or_else(|| self.config.namespace.clone())
            .unwrap_or_else(|| NAMESPACE.into())
    }

    /// What to open for a session on `place`.
    ///
    /// # Errors
    /// When this program cannot find itself.
    pub fn choice(&self, globals: &Globals, place: Place) -> Result<Choice, Failure> {
        let program = std::env::current_exe().map_err(|error| {
            Failure::other(format!("cannot find the program's own file: {error}"))
        })?;
        Ok(Choice {
            place,
            kubeconfig: globals.kubeconfig.clone(),
            allowed: self.config.allowed_contexts.clone(),
            namespace: self.namespace(globals),
            paths: self.paths.clone(),
            overlays: self.overlays(globals),
            program,
            bounds: self.config.history,
            on_event: globals
                .on_event
                .clone()
                .or_else(|| self.config.notify.command.clone()),
        })
    }

    /// Directory of overlays instead of those inside the program.
    pub fn overlays(&self, globals: &Globals) -> Option<PathBuf> {
        globals
            .overlays
            .clone()
            .or_else(|| self.config.overlays.clone())
    }

    /// Where `globals` point: the sandbox when asked for, a named context, else the Minikube profile.
    pub fn place(&self, globals: &Globals) -> Place {
        if globals.sandbox {
            return Place::Sandbox;
        }
        Place::Cluster(match &globals.context {
            Some(context) => Wanted::Context(context.clone()),
            None => Wanted::Profile(self.profile(globals)),
        })
    }

    /// The settings for something that is about to run.
    ///
    /// # Errors
    /// Every problem of the settings.
    pub fn usable(&self) -> Result<(), Failure> {
        self.settings.usable().map(drop).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failure::invalid(lines.join("\n"))
        })
    }
}

/// Opens the session that `globals` ask for, on a cluster that answers.
///
/// # Errors
/// When there is none, it is refused for safety, or does not answer.
pub async fn open(globals: &Globals, setup: &Setup) -> Result<World, Failure> {
    let choice = setup.choice(globals, setup.place(globals))?;
    let world = World::open(choice).await?;
    world.cluster().version().await?;
    Ok(world)
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Cluster(error) => error.into(),
            OpenError::Sandbox(_) => Self::other(error.to_string()),
        }
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        Self::new(Exit::of_cluster(&error), error.to_string())
    }
}

impl Exit {
    /// The exit of a cluster's error.
    pub fn of_cluster(error: &ClusterError) -> Self {
        match error.kind() {
            Kind::Refused => Self::Refused,
            Kind::Unreachable => Self::Unreachable,
            Kind::Invalid => Self::InvalidInput,
            Kind::Unknown => Self::Uncertain,
            _ => Self::Failed,
        }
    }
}
