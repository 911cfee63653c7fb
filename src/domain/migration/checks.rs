//! The thirteen CHECK constraints of the table of runs in their Kubernetes-only form, as rules (contract 3.8).

use super::runs::{CATEGORIES, Cells, Column, REASONS, is_status};

/// A constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    SelectedProvider,
    FinalProvider,
    DispatchStatus,
    DispatchRequired,
    DispatchNamespace,
    CliPreflight,
    ReasonRequired,
    ReasonConsistency,
    UncertainNoFallback,
    TerminalProvider,
    ReasonAllowed,
    FailureCategory,
    IdentityFormat,
}

/// How much a constraint forbids.
///
/// Studio's newest revisions mark runs whose node switched its mode in the two fallback columns (W45). A database that
/// they write to, or that holds such rows, gets the wider form; it would refuse Studio's own writes otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As the revision of the cut has it: no fallback at all.
    Strict,
    /// The same for all that an executor writes, with room for the newer marker.
    WithNewerMarkers,
}

impl Check {
    /// All of them, in the order in which Studio makes them.
    pub const ALL: [Self; 13] = [
        Self::SelectedProvider,
        Self::FinalProvider,
        Self::DispatchStatus,
        Self::DispatchRequired,
        Self::DispatchNamespace,
        Self::CliPreflight,
        Self::ReasonRequired,
        Self::ReasonConsistency,
        Self::UncertainNoFallback,
        Self::TerminalProvider,
        Self::ReasonAllowed,
        Self::FailureCategory,
        Self::IdentityFormat,
    ];

    /// Its name in a database.
    pub fn name(self) -> &'static str {
        match self {
            Self::SelectedProvider => "ck_node_runs_selected_provider_allowed",
            Self::FinalProvider => "ck_node_runs_final_provider_allowed",
            Self::DispatchStatus => "ck_node_runs_dispatch_status_allowed",
            Self::DispatchRequired => "ck_node_runs_provider_dispatch_required",
            Self::DispatchNamespace => "ck_node_runs_provider_dispatch_namespace",
            Self::CliPreflight => "ck_node_runs_cli_preflight_requires_fallback",
            Self::ReasonRequired => "ck_node_runs_fallback_reason_required",
            Self::ReasonConsistency => "ck_node_runs_fallback_reason_consistency",
            Self::UncertainNoFallback => "ck_node_runs_uncertain_no_fallback",
            Self::TerminalProvider => "ck_node_runs_fallback_terminal_provider",
            Self::ReasonAllowed => "ck_node_runs_fallback_reason_allowed",
            Self::FailureCategory => "ck_node_runs_api_failure_category_allowed",
            Self::IdentityFormat => "ck_node_runs_workspace_identity_format",
        }
    }

    /// The constraint of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.name() == name)
    }

    /// A migrated row keeps to it.
    pub fn holds(self, cells: &Cells, form: Form) -> bool {
        let text = |column| cells.text(column);
        let is = |column| cells.flag(column) == Some(true);
        let attempted = is(Column::FallbackAttempted);
        let reason = text(Column::FallbackReason);
        let kubernetes = |column| text(column) == Some("kubernetes");
        match self {
            Self::SelectedProvider => kubernetes(Column::SelectedProvider),
            Self::FinalProvider => kubernetes(Column::FinalProvider),
            Self::DispatchStatus => text(Column::DispatchStatus).is_some_and(is_status),
            Self::DispatchRequired => {
                !matches!(
                    text(Column::DispatchStatus),
                    Some("dispatch_submitted" | "dispatch_confirmed")
                ) || text(Column::ProviderDispatchId).is_some()
            }
            Self::DispatchNamespace => {
                text(Column::ProviderDispatchId).is_none_or(|id| id.starts_with("kubernetes:"))
            }
            Self::CliPreflight => {
                is(Column::CliFallbackUsed) || text(Column::CliPreflightPassed).is_none()
            }
            Self::ReasonRequired => {
                text(Column::DispatchStatus) != Some("dispatch_failed")
                    || reason.is_none_or(|reason| !reason.trim_matches(' ').is_empty())
            }
            Self::ReasonConsistency => attempted || reason.is_none(),
            Self::UncertainNoFallback => {
                !is(Column::DispatchUncertain) || (!attempted && reason.is_none())
            }
            Self::TerminalProvider => match form {
                Form::Strict => !attempted,
                Form::WithNewerMarkers => !attempted || kubernetes(Column::FinalProvider),
            },
            Self::ReasonAllowed => {
                reason.is_none_or(|reason| REASONS.contains(&reason))
                    || (form == Form::WithNewerMarkers && attempted)
            }
            Self::FailureCategory => {
                text(Column::ApiFailureCategory).is_none_or(|text| CATEGORIES.contains(&text))
            }
            Self::IdentityFormat => text(Column::WorkspaceIdentity)
                .is_some_and(|text| !text.trim().is_empty() && !text.contains(['/', '\\'])),
        }
    }
}
