//! Run rows (`agent_tasks`): the eleven columns that an executor wrote, and what becomes of them (contract 3.8).

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A column that the executors wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    SelectedProvider,
    FinalProvider,
    ProviderDispatchId,
    WorkspaceIdentity,
    DispatchStatus,
    FallbackAttempted,
    FallbackReason,
    DispatchUncertain,
    ApiFailureCategory,
    CliFallbackUsed,
    CliPreflightPassed,
}

impl Column {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 11] = [
        Self::SelectedProvider,
        Self::FinalProvider,
        Self::ProviderDispatchId,
        Self::WorkspaceIdentity,
        Self::DispatchStatus,
        Self::FallbackAttempted,
        Self::FallbackReason,
        Self::DispatchUncertain,
        Self::ApiFailureCategory,
        Self::CliFallbackUsed,
        Self::CliPreflightPassed,
    ];

    /// The column as the database calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SelectedProvider => "selected_provider",
            Self::FinalProvider => "final_provider",
            Self::ProviderDispatchId => "provider_dispatch_id",
            Self::WorkspaceIdentity => "workspace_identity",
            Self::DispatchStatus => "dispatch_status",
            Self::FallbackAttempted => "fallback_attempted",
            Self::FallbackReason => "fallback_reason",
            Self::DispatchUncertain => "dispatch_uncertain",
            Self::ApiFailureCategory => "api_failure_category",
            Self::CliFallbackUsed => "cli_fallback_used",
            Self::CliPreflightPassed => "cli_preflight_passed",
        }
    }

    /// It holds true or false.
    pub fn is_flag(self) -> bool {
        matches!(
            self,
            Self::FallbackAttempted
                | Self::DispatchUncertain
                | Self::CliFallbackUsed
                | Self::CliPreflightPassed
        )
    }

    /// It may hold no value.
    pub fn is_nullable(self) -> bool {
        matches!(
            self,
            Self::ProviderDispatchId
                | Self::FallbackReason
                | Self::ApiFailureCategory
                | Self::CliPreflightPassed
        )
    }
}

/// The eleven cells of a row as text; booleans are `true` and `false`, anything else in such a column is read as no value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells(pub [Option<String>; 11]);

impl Cells {
    /// The text of a column.
    pub fn text(&self, column: Column) -> Option<&str> {
        self.0[column as usize].as_deref()
    }

    /// The flag of a column; `None` for no value and for one that is no flag.
    pub fn flag(&self, column: Column) -> Option<bool> {
        match self.text(column) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        }
    }

    /// Writes a column.
    pub fn put(&mut self, column: Column, text: Option<&str>) {
        self.0[column as usize] = text.map(str::to_owned);
    }

    /// The columns in which two rows differ.
    pub fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Column> + 'a {
        Column::ALL
            .into_iter()
            .filter(|column| self.text(*column) != other.text(*column))
    }
}

/// A row as far as the migration reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    pub id: i64,
    /// State of the run: `queued`, `running`, `succeeded`, `failed`, `canceled`.
    pub status: String,
    pub cells: Cells,
}

const PROVIDER: &str = "kubernetes";
const PREFIX: &str = "kubernetes:";
/// What the ids begin with that a migration gave to runs of the executors that are gone.
pub const LEGACY_PREFIX: &str = "kubernetes:legacy-";
const STATUSES: [&str; 4] = [
    "dispatch_pending",
    "dispatch_submitted",
    "dispatch_confirmed",
    "dispatch_failed",
];
/// Reasons that a fallback of old could have (contract 2.1).
pub(super) const REASONS: [&str; 7] = [
    "provider_unavailable",
    "preflight_failed",
    "dispatch_timeout",
    "create_failed",
    "image_pull_failed",
    "config_error",
    "unknown",
];
/// Categories of API failures (contract 2.1).
pub(super) const CATEGORIES: [&str; 8] = [
    "socket_missing",
    "socket_unreachable",
    "api_unreachable",
    "auth_error",
    "tls_error",
    "timeout",
    "preflight_failed",
    "unknown",
];

pub(super) fn is_status(text: &str) -> bool {
    STATUSES.contains(&text)
}

impl RunRow {
    /// An executor that is gone had a part in this run. Only then do its fallback columns tell of a fallback: newer
    /// revisions keep another thing there for runs that are Kubernetes' from end to end (W45).
    pub fn is_of_old(&self) -> bool {
        let cells = &self.cells;
        let foreign = |column| cells.text(column) != Some(PROVIDER);
        foreign(Column::SelectedProvider)
            || foreign(Column::FinalProvider)
            || cells.text(Column::DispatchStatus) == Some("fallback_started")
            || cells
                .text(Column::ProviderDispatchId)
                .is_some_and(|id| id.starts_with("workspace:") || id.starts_with("docker:"))
    }

    /// It carries the marker that newer revisions write when a special node switched its mode (W45).
    pub fn has_newer_marker(&self) -> bool {
        !self.is_of_old() && self.cells.flag(Column::FallbackAttempted) == Some(true)
    }

    /// The cells in the Kubernetes-only form. `taken` holds the dispatch ids of the legacy form that other rows have
    /// already. Applied to its own result it changes nothing.
    pub fn migrated(&self, taken: &BTreeSet<String>) -> Cells {
        let before = &self.cells;
        let mut after = before.clone();
        after.put(Column::SelectedProvider, Some(PROVIDER));
        after.put(Column::FinalProvider, Some(PROVIDER));
        match before.text(Column::ProviderDispatchId) {
            Some(id) if id.trim().is_empty() => after.put(Column::ProviderDispatchId, None),
            Some(id) if !id.starts_with(PREFIX) => {
                after.put(Column::ProviderDispatchId, Some(&self.legacy_id(taken)));
            }
            _ => {}
        }
        let is_key =
            |identity: &str| !identity.trim().is_empty() && !identity.contains(['/', '\\']);
        if !before.text(Column::WorkspaceIdentity).is_some_and(is_key) {
            after.put(Column::WorkspaceIdentity, Some("default"));
        }
        if !before.text(Column::DispatchStatus).is_some_and(is_status) {
            after.put(Column::DispatchStatus, Some(self.dispatch_status()));
        }
        self.settle_flags(&mut after);
        let needs_id = matches!(
            after.text(Column::DispatchStatus),
            Some("dispatch_submitted" | "dispatch_confirmed")
        );
        if needs_id && after.text(Column::ProviderDispatchId).is_none() {
            after.put(Column::ProviderDispatchId, Some(&self.legacy_id(taken)));
        }
        after
    }

    /// A run that is over must not look as if it still waited to be dispatched (W43).
    fn dispatch_status(&self) -> &'static str {
        match self.status.trim() {
            "succeeded" => "dispatch_confirmed",
            "failed" | "canceled" | "cancelled" => "dispatch_failed",
            _ => "dispatch_pending",
        }
    }

    fn settle_flags(&self, after: &mut Cells) {
        let flags = Column::ALL.into_iter().filter(|column| column.is_flag());
        for column in flags {
            if self.cells.flag(column).is_none() {
                let none = (!column.is_nullable()).then_some("false");
                after.put(column, none);
            }
        }
        if self.is_of_old() {
            after.put(Column::FallbackAttempted, Some("false"));
        }
        if after.flag(Column::FallbackAttempted) != Some(true) {
            after.put(Column::FallbackReason, None);
        }
        let unknown = |category: &str| !CATEGORIES.contains(&category);
        if after.text(Column::ApiFailureCategory).is_some_and(unknown) {
            after.put(Column::ApiFailureCategory, None);
        }
        if after.flag(Column::CliFallbackUsed) != Some(true) {
            after.put(Column::CliPreflightPassed, None);
        }
    }

    /// The id of a run that was no Job. Studio's own migration gives the same ones.
    fn legacy_id(&self, taken: &BTreeSet<String>) -> String {
        let id = self.id;
        let first = format!("{LEGACY_PREFIX}{id}");
        let second = format!("{LEGACY_PREFIX}kubernetes-{id}");
        let more = (2..).map(|n| format!("{LEGACY_PREFIX}{id}-{n}"));
        [first.clone(), second]
            .into_iter()
            .chain(more)
            .find(|id| !taken.contains(id))
            .unwrap_or(first)
    }

    /// The row's id has the legacy form, but not the one that this row would be given: another row must avoid it.
    pub fn takes(&self) -> Option<&str> {
        self.cells
            .text(Column::ProviderDispatchId)
            .filter(|id| id.starts_with(LEGACY_PREFIX))
            .filter(|id| id[LEGACY_PREFIX.len()..] != self.id.to_string())
    }
}

/// What changes in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunChange {
    pub id: i64,
    pub status: String,
    /// Column, before, after.
    pub cells: Vec<(Column, Option<String>, Option<String>)>,
}

impl RunChange {
    /// The change as a document.
    pub fn document(&self) -> Value {
        let changes: Vec<Value> = self
            .cells
            .iter()
            .map(|(column, before, after)| {
                json!({"column": column.name(), "before": before, "after": after})
            })
            .collect();
        json!({"id": self.id, "status": self.status, "changes": changes})
    }
}

/// What changes in all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunsPlan {
    pub looked_at: u64,
    pub changed: u64,
    /// How many rows change in each column.
    pub columns: BTreeMap<Column, u64>,
    /// Rows with a marker of newer revisions, which is left alone (W45).
    pub newer_markers: u64,
    /// The first changes, as many as were asked for.
    pub rows: Vec<RunChange>,
}

impl RunsPlan {
    /// Takes in one row and what becomes of it; keeps the change while fewer than `limit` are kept.
    pub fn count(&mut self, row: &RunRow, after: &Cells, limit: usize) {
        self.looked_at += 1;
        self.newer_markers += u64::from(row.has_newer_marker());
        let mut changed = row.cells.differing(after).peekable();
        if changed.peek().is_none() {
            return;
        }
        self.changed += 1;
        let keep = self.rows.len() < limit;
        let mut cells = Vec::new();
        for column in changed {
            *self.columns.entry(column).or_default() += 1;
            if keep {
                let owned = |text: Option<&str>| text.map(str::to_owned);
                cells.push((
                    column,
                    owned(row.cells.text(column)),
                    owned(after.text(column)),
                ));
            }
        }
        if keep {
            self.rows.push(RunChange {
                id: row.id,
                status: row.status.clone(),
                cells,
            });
        }
    }
}

#[cfg(test)]
mod tests;
