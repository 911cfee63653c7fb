//! The CHECK constraints of the table of runs as SQL, the same in both engines but for how a boolean is written.

use crate::domain::migration::checks::{Check, Form};

/// How an engine writes booleans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    Sqlite,
}

/// The condition of a constraint.
pub(super) fn condition(check: Check, form: Form, dialect: Dialect) -> String {
    let (yes, no) = match dialect {
        Dialect::Postgres => ("", "NOT "),
        Dialect::Sqlite => ("1 = ", "0 = "),
    };
    match check {
        Check::SelectedProvider => "selected_provider IN ('kubernetes')".into(),
        Check::FinalProvider => "final_provider IN ('kubernetes')".into(),
        Check::DispatchStatus => {
            "dispatch_status IN ('dispatch_pending', 'dispatch_submitted', 'dispatch_confirmed', 'dispatch_failed')".into()
        }
        Check::DispatchRequired => {
            "dispatch_status NOT IN ('dispatch_submitted', 'dispatch_confirmed') OR provider_dispatch_id IS NOT NULL".into()
        }
        Check::DispatchNamespace => {
            "provider_dispatch_id IS NULL OR provider_dispatch_id LIKE 'kubernetes:%'".into()
        }
        Check::CliPreflight => format!("{yes}cli_fallback_used OR cli_preflight_passed IS NULL"),
        Check::ReasonRequired => {
            "dispatch_status != 'dispatch_failed' OR fallback_reason IS NULL OR TRIM(fallback_reason) != ''".into()
        }
        Check::ReasonConsistency => format!("{yes}fallback_attempted OR fallback_reason IS NULL"),
        Check::UncertainNoFallback => format!(
            "{no}dispatch_uncertain OR ({no}fallback_attempted AND fallback_reason IS NULL)"
        ),
        Check::TerminalProvider => match form {
            Form::Strict => format!("{no}fallback_attempted"),
            Form::WithNewerMarkers => {
                format!("{no}fallback_attempted OR final_provider = 'kubernetes'")
            }
        },
        Check::ReasonAllowed => {
            let newer = match form {
                Form::Strict => String::new(),
                Form::WithNewerMarkers => format!(" OR {yes}fallback_attempted"),
            };
            format!(
                "fallback_reason IS NULL OR fallback_reason IN ('provider_unavailable', 'preflight_failed', 'dispatch_timeout', 'create_failed', 'image_pull_failed', 'config_error', 'unknown'){newer}"
            )
        }
        Check::FailureCategory => {
            "api_failure_category IS NULL OR api_failure_category IN ('socket_missing', 'socket_unreachable', 'api_unreachable', 'auth_error', 'tls_error', 'timeout', 'preflight_failed', 'unknown')".into()
        }
        // A position instead of LIKE: the backslash means something to PostgreSQL's LIKE.
        Check::IdentityFormat => {
            let position = match dialect {
                Dialect::Postgres => "STRPOS",
                Dialect::Sqlite => "INSTR",
            };
            format!(
                "workspace_identity IS NOT NULL AND TRIM(workspace_identity) != '' AND {position}(workspace_identity, '/') = 0 AND {position}(workspace_identity, '\\') = 0"
            )
        }
    }
}

/// A constraint's definition still allows what is gone. Column names have such words too, texts in quotes do not.
pub(super) fn is_of_old(definition: &str) -> bool {
    ["'workspace", "'docker", "'fallback_started"]
        .iter()
        .any(|word| definition.contains(word))
}
