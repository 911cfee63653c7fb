//! The two verdicts of a run, Kubernetes' and the executor's, and the one that follows from both (contract 2.6 with W7, W8, W11, W12 corrected).

mod ended;
pub(super) mod waiting;

use super::runs::{Dispatch, Reason, Run};
use serde::{Deserialize, Serialize};

/// What Kubernetes says of the Job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kubernetes {
    /// Not finished, and no container has run.
    Pending,
    Running,
    Complete,
    Failed,
    /// It left the cluster without a final condition that anybody here saw.
    Gone,
}

/// What a person is told. `Pending` is no verdict yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// As documents and variables have it, the same as its serialized form.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
            Self::NotDispatched => "not_dispatched",
            Self::Uncertain => "uncertain",
            Self::Gone => "gone",
        }
    }

    /// As people read it.
    pub fn words(self) -> String {
        self.word().replace('_', " ")
    }

    /// Whether it is one.
    pub fn is_final(self) -> bool {
        self != Self::Pending
    }

    /// The exit code of a command that waited for the run; none while there is no verdict. A run that was never dispatched has a
    /// code by what went wrong (unreachable, refused, invalid), which the caller knows; 1 stands for "it failed".
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

/// What follows from the facts of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    /// The remote outcome is not known. It may stand beside another verdict: a run that was stopped by its deadline is a time-out, and
    /// without a result nobody knows what it did until then.
    pub uncertain: bool,
    pub dispatch: Dispatch,
    /// The most telling word of Kubernetes: what the pod says goes before what the Job says (W11).
    pub reason: Reason,
    /// One sentence with what to do.
    pub why: String,
    /// How both contradict each other.
    pub disagreement: Option<String>,
}

/// Judges a run. `settled`: the Job has ended or is gone, and no more of its log will come; before that there is no verdict.
pub fn judge(run: &Run, settled: bool) -> Judgement {
    if settled {
        ended::judge(run)
    } else {
        waiting::judge(run)
    }
}

/// Whether the node itself ended the pod: it lacked something, went down, or was lost.
pub(crate) fn by_the_node(reason: &Reason) -> bool {
    matches!(
        reason.word.as_str(),
        "Evicted" | "NodeLost" | "NodeShutdown" | "Shutdown" | "NodeAffinity"
    )
}

/// Whether a reason to wait is worth remembering when the pod ends without having run.
pub(crate) fn is_telling(word: &str) -> bool {
    !matches!(word, "" | "ContainerCreating" | "PodInitializing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_verdict_is_its_serialized_form() {
        for verdict in [
            Verdict::Pending,
            Verdict::Success,
            Verdict::Failed,
            Verdict::Cancelled,
            Verdict::Timeout,
            Verdict::NotDispatched,
            Verdict::Uncertain,
            Verdict::Gone,
        ] {
            assert_eq!(serde_json::json!(verdict), verdict.word());
        }
    }
}
