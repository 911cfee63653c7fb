//! The Minikube profile: its state, and how its start goes on.

use serde::{Deserialize, Serialize};

/// State of a profile, as far as work on it is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "detail")]
pub enum ProfileState {
    /// The program `minikube` was not found.
    NoProgram,
    /// There is no such profile; starting makes it.
    NoProfile,
    Stopped,
    Paused,
    Running,
    /// Neither of these, in one sentence with the next step.
    Broken(String),
}

impl ProfileState {
    /// One word for a list.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoProgram => "no minikube",
            Self::NoProfile => "no profile",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Running => "running",
            Self::Broken(_) => "broken",
        }
    }
}

/// How a profile is started. What is absent is left to minikube: an existing profile keeps what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartOptions {
    pub driver: Option<String>,
    pub cpus: Option<u32>,
    pub memory_mb: Option<u32>,
    pub kubernetes_version: Option<String>,
    /// A directory of this machine and where the node has it.
    pub mount: Option<(String, String)>,
    /// Further arguments, as a person gave them.
    pub more: Vec<String>,
}

/// One piece of news from a start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum StartStep {
    /// A step of a known number of steps; `at` counts from 0, as minikube does, and may jump.
    Step {
        at: u32,
        of: u32,
        name: String,
        text: String,
    },
    /// A download, 0.0 to 1.0.
    Download {
        name: String,
        done: f32,
    },
    Note {
        text: String,
    },
    Warning {
        text: String,
    },
    /// The profile runs. Nothing comes after.
    Done,
    /// The start failed. Nothing comes after.
    Failed(StartError),
}

/// Why a start failed, in minikube's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartError {
    /// Minikube's name for it, such as `PROVIDER_DOCKER_NOT_RUNNING`; empty when it gave none.
    pub name: String,
    pub text: String,
    /// What minikube advises; may be empty.
    pub advice: String,
    pub url: String,
    /// Exit code of minikube; none when a signal ended it or it could not be run.
    pub exit: Option<i32>,
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text.trim_end_matches('.'))?;
        if !self.name.is_empty() {
            write!(f, " ({})", self.name)?;
        }
        if !self.advice.is_empty() {
            write!(f, ". {}", self.advice)?;
        }
        if !self.url.is_empty() {
            write!(f, " See {}", self.url)?;
        }
        Ok(())
    }
}
