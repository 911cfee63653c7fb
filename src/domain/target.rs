//! Which cluster a session works on. Chosen once at the start and never changed under a running program.

use serde::{Deserialize, Serialize};

/// What kind of cluster it is; `Display` and JSON give the lower-case word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// The embedded sandbox: an in-process Kubernetes API, asked for by `demo` or `--sandbox`.
    Sandbox,
    /// A Minikube profile.
    Minikube,
    /// A kubeconfig context named by `--context`.
    Context,
}

impl TargetKind {
    /// The lower-case word used in documents and file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Minikube => "minikube",
            Self::Context => "context",
        }
    }
}

impl std::fmt::Display for TargetKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The one cluster that every read and write of a session goes to; the header and every JSON document name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub kind: TargetKind,
    /// `demo` for the sandbox, the profile or the context otherwise.
    pub name: String,
    /// Base URL of the API server; `in-process` for the sandbox.
    pub server: String,
}

impl Target {
    /// The target of `demo` and `--sandbox`.
    pub fn sandbox() -> Self {
        Self {
            kind: TargetKind::Sandbox,
            name: "demo".into(),
            server: "in-process".into(),
        }
    }

    /// The option of the command line that means it.
    pub fn flags(&self) -> String {
        match self.kind {
            TargetKind::Sandbox => "--sandbox".to_owned(),
            TargetKind::Minikube => format!("--profile {}", self.name),
            TargetKind::Context => format!("--context {}", self.name),
        }
    }

    /// The badge of the header: `SANDBOX demo`, `MINIKUBE llmctl`, `CONTEXT kind`.
    pub fn badge(&self) -> String {
        format!("{} {}", self.kind.as_str().to_uppercase(), self.name)
    }
}
