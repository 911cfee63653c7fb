//! The migration of what an older llmctl stored: a plan is data, made by rules that know no database (contract 3.7, 3.8).
//!
//! A word of the executors that are gone may stand here and in the audit, and nowhere else.

pub mod backup;
pub mod checks;
pub mod runs;
pub mod settings;
pub mod studio;

use checks::{Check, Form};
use runs::{Cells, Column, RunChange, RunsPlan};
use serde_json::{Value, json};
use settings::SettingsPlan;
use std::collections::BTreeMap;

/// The provider of the settings rows that the migration may touch; other subsystems have other names.
pub const SETTINGS_PROVIDER: &str = "node_executor";

/// Changes of single rows that a plan keeps to show; beyond these it only counts.
pub const ROWS_SHOWN: usize = 10_000;

/// What a person decides about a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Also raise a dispatch timeout of exactly the old default (60 s) to today's.
    pub raise_dispatch_timeout: bool,
    /// Changes of single rows that the plan keeps to show.
    pub rows: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            raise_dispatch_timeout: false,
            rows: ROWS_SHOWN,
        }
    }
}

/// One change of the table of runs itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    /// The default of a provider column becomes `kubernetes`; `before` is what the database says, `None` where there is none.
    Default {
        column: Column,
        before: Option<String>,
    },
    /// A CHECK constraint that is not there yet.
    AddCheck { check: Check },
    /// A CHECK constraint that still allows what is gone.
    ReplaceCheck { check: Check, before: String },
    /// A constraint that was added without looking at the rows that were there.
    ValidateCheck { check: Check },
}

impl SchemaChange {
    /// The change in a few words.
    pub fn text(&self) -> String {
        match self {
            Self::Default { column, before } => format!(
                "default of {}: {} → 'kubernetes'",
                column.name(),
                before.as_deref().unwrap_or("none")
            ),
            Self::AddCheck { check } => format!("constraint {} is added", check.name()),
            Self::ReplaceCheck { check, .. } => {
                format!(
                    "constraint {} is replaced: it allows what is gone",
                    check.name()
                )
            }
            Self::ValidateCheck { check } => format!("constraint {} is validated", check.name()),
        }
    }
}

/// A constraint that cannot be added, because rows that the migration leaves alone break it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    pub check: Check,
    pub rows: u64,
    /// Ids of the first few.
    pub first: Vec<i64>,
}

impl Blocked {
    /// Ids that a message names.
    const NAMED: usize = 5;

    /// Notes the constraints of that form that a row breaks even after its migration.
    pub fn note(broken: &mut BTreeMap<Check, Self>, form: Form, id: i64, after: &Cells) {
        for check in Check::ALL {
            if check.holds(after, form) {
                continue;
            }
            let blocked = broken.entry(check).or_insert(Self {
                check,
                rows: 0,
                first: Vec::new(),
            });
            blocked.rows += 1;
            if blocked.first.len() < Self::NAMED {
                blocked.first.push(id);
            }
        }
    }
}

/// What a migration would do, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub settings: SettingsPlan,
    pub runs: RunsPlan,
    pub schema: Vec<SchemaChange>,
    pub blocked: Vec<Blocked>,
    /// Views of somebody's own that ask for what is gone. They stay: nobody but their author knows what they are for.
    pub views: Vec<String>,
    /// Sentences on what was not there to look at.
    pub remarks: Vec<String>,
}

impl Plan {
    /// Nothing is left to migrate. What needs a person may still be there.
    pub fn is_empty(&self) -> bool {
        self.settings.changes.is_empty() && self.runs.changed == 0 && self.schema.is_empty()
    }

    /// Changes of all kinds.
    pub fn changes(&self) -> u64 {
        let listed = self.settings.changes.len() + self.schema.len();
        self.runs.changed + u64::try_from(listed).unwrap_or(u64::MAX)
    }

    /// Sentences on what only a person can settle.
    pub fn for_a_person(&self) -> Vec<String> {
        let settings = self.settings.kept.iter().filter(|kept| kept.needs_person);
        let mut all: Vec<String> = settings
            .map(|kept| format!("setting {}: {}", kept.key, kept.why))
            .collect();
        all.extend(self.blocked.iter().map(|blocked| {
            let ids: Vec<String> = blocked.first.iter().map(ToString::to_string).collect();
            format!(
                "constraint {} is not added: {} of the rows break it and are left alone (ids {}{})",
                blocked.check.name(),
                blocked.rows,
                ids.join(", "),
                if blocked.rows > ids.len() as u64 {
                    ", …"
                } else {
                    ""
                },
            )
        }));
        all.extend(self.views.iter().map(|view| {
            format!("view {view} asks for a provider or a state that is gone, and would find nothing: write it anew, or drop it")
        }));
        all
    }

    /// One line: what there is to do.
    pub fn summary(&self) -> String {
        if self.is_empty() {
            return "nothing to migrate".into();
        }
        format!(
            "{} of settings rows, {} of {} run rows, {} of the schema",
            count(self.settings.changes.len() as u64, "change"),
            self.runs.changed,
            self.runs.looked_at,
            count(self.schema.len() as u64, "change"),
        )
    }

    /// The plan as a document; the kubeconfig is never in it.
    pub fn document(&self) -> Value {
        json!({
            "empty": self.is_empty(),
            "summary": self.summary(),
            "settings": {
                "changes": self.settings.changes.iter().map(settings::SettingChange::document).collect::<Vec<_>>(),
                "kept": self.settings.kept.iter().map(|kept| json!({
                    "key": kept.key, "why": kept.why, "needs_person": kept.needs_person,
                })).collect::<Vec<_>>(),
            },
            "runs": {
                "looked_at": self.runs.looked_at,
                "changed": self.runs.changed,
                "columns": self.runs.columns.iter().map(|(column, rows)| (column.name().to_owned(), json!(rows))).collect::<serde_json::Map<_, _>>(),
                "newer_markers": self.runs.newer_markers,
                "rows": self.runs.rows.iter().map(RunChange::document).collect::<Vec<_>>(),
            },
            "schema": self.schema.iter().map(SchemaChange::text).collect::<Vec<_>>(),
            "for_a_person": self.for_a_person(),
            "remarks": self.remarks,
        })
    }
}

/// `3 changes`, `1 change`.
fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Where a migration is; rows are run rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Waits for whoever holds the lock.
    Waiting,
    Planning {
        rows: u64,
    },
    BackingUp {
        rows: u64,
        of: u64,
    },
    Changing {
        rows: u64,
        of: u64,
    },
    Schema,
    Verifying {
        rows: u64,
        of: u64,
    },
    Restoring {
        rows: u64,
    },
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for the database's lock"),
            Self::Planning { rows } => write!(f, "planning: {rows} run rows read"),
            Self::BackingUp { rows, of } => write!(f, "backing up: {rows} of {of} run rows"),
            Self::Changing { rows, of } => write!(f, "changing: {rows} of {of} run rows"),
            Self::Schema => f.write_str("changing the table of runs"),
            Self::Verifying { rows, of } => write!(f, "verifying: {rows} of {of} run rows"),
            Self::Restoring { rows } => write!(f, "restoring: {rows} rows"),
        }
    }
}
