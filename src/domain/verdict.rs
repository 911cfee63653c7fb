//! The two verdicts of a run, Kubernetes' and the executor's, and the one that follows from both (contract 2.6 with W7, W8, W11, W12 corrected).

use serde::{Deserialize, Serialize};

/// What Kubernetes says of the Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kubernetes {
    /// Not finished.
    Pending,
    Running,
    Complete,
    Failed,
    /// It left the cluster without a final condition that anybody here saw.
    Gone,
}

/// What a person is told. `Pending` is no verdict yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pending,
    Success,
    Failed,
    Cancelled,
    Timeout,
    /// Refused or failed before the API server accepted it: nothing ran.
    NotDispatched,
    /// The remote outcome is not known (contract 2.7): never retried unasked.
    Uncertain,
    /// Gone before anybody saw an outcome.
    Gone,
}

impl Verdict {
    /// Exit code of a command that waited for it; none while there is no verdict.
    pub fn exit_code(self) -> Option<u8> {
        match self {
            Self::Pending => None,
            Self::Success => Some(0),
            Self::Failed | Self::Cancelled | Self::NotDispatched => Some(1),
            Self::Timeout => Some(6),
            Self::Gone => Some(7),
            Self::Uncertain => Some(8),
        }
    }
}
