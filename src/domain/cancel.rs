//! The steps of a cancel, as it is shown while it goes on (contract 6.2).

use serde::{Deserialize, Serialize};

/// How a run is stopped (contract 3.1 `cancel_grace_timeout_seconds`, `cancel_force_kill_enabled`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelPlan {
    /// Seconds that the executor has to end its command and print its result.
    pub grace: u32,
    /// Remove the pod by force when the grace ran out.
    pub force: bool,
}

/// One step of a cancel, told when it is done. The last one is an [`ending`](Self::is_end).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum CancelStep {
    /// The pod was asked to end.
    Asked { pod: String, grace: u32 },
    /// The container ended within the grace.
    Ended { pod: String, exit: Option<i32> },
    /// The pod went before its container's end was seen.
    Vanished { pod: String },
    /// The grace ran out and the container still runs.
    GraceOver { pod: String },
    /// The pod was removed by force; its end was not observed.
    Forced { pod: String },

    /// The Job failed, as it should: it stays with its evidence until its TTL.
    Kept { reason: String },
    /// There was no pod to end: the Job was removed before anything ran.
    RemovedUnstarted,
    /// The Job was finished already; nothing was done.
    AlreadyFinished,
    /// The Job was gone already.
    AlreadyGone,
    /// The end was not observed: what the run did is not known (contract 2.7).
    Uncertain { reason: String },
    /// The cancel itself failed; the run may go on.
    Failed { reason: String },
}

impl CancelStep {
    /// The end of the run is not what was asked for.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Uncertain { .. } | Self::Failed { .. })
    }

    /// Nothing comes after this step.
    pub fn is_end(&self) -> bool {
        match self {
            Self::Asked { .. }
            | Self::Ended { .. }
            | Self::Vanished { .. }
            | Self::GraceOver { .. }
            | Self::Forced { .. } => false,
            Self::Kept { .. }
            | Self::RemovedUnstarted
            | Self::AlreadyFinished
            | Self::AlreadyGone
            | Self::Uncertain { .. }
            | Self::Failed { .. } => true,
        }
    }
}

impl std::fmt::Display for CancelStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Asked { pod, grace } => write!(f, "asked pod {pod} to end within {grace} s"),
            Self::Ended {
                pod,
                exit: Some(exit),
            } => write!(f, "pod {pod} ended with exit code {exit}"),
            Self::Ended { pod, exit: None } => write!(f, "pod {pod} ended"),
            Self::Vanished { pod } => write!(f, "pod {pod} is gone, its end was not seen"),
            Self::GraceOver { pod } => write!(f, "pod {pod} did not end within its grace"),
            Self::Forced { pod } => write!(f, "removed pod {pod} by force"),
            Self::Kept { reason } => {
                write!(f, "the Job ended ({reason}) and is kept until its TTL")
            }
            Self::RemovedUnstarted => f.write_str("nothing ran yet: the Job was removed"),
            Self::AlreadyFinished => f.write_str("the Job is finished already; nothing was done"),
            Self::AlreadyGone => f.write_str("the Job is gone already"),
            Self::Uncertain { reason } => write!(f, "the outcome is uncertain: {reason}"),
            Self::Failed { reason } => write!(f, "the cancel failed: {reason}"),
        }
    }
}
