//! The lines of a backup: what a migration changes, exactly as it was, so that it can be put back.
//!
//! One JSON document per line: a header, one line per row, and a last line with the number of rows and a checksum over
//! all before it. Every original stays readable in it with any tool that reads text.

use super::SchemaChange;
use super::checks::Check;
use super::runs::Column;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Name and version of the form.
pub const SCHEMA: &str = "llmctl-dev/migration-backup/v1";

/// The kind of database that a backup belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    Postgresql,
    Sqlite,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: String,
    pub engine: Engine,
    /// The database in words, without a password.
    pub database: String,
    /// When the migration began; RFC 3339.
    pub made_at: String,
    /// What was changed about the table of runs.
    pub changes: Vec<Before>,
}

/// Something of the table of runs as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Before {
    /// The default of a column, an expression; `None` where there was none.
    Default {
        column: String,
        expression: Option<String>,
    },
    /// A constraint, as the database defines it; `None` where there was none.
    Check {
        name: String,
        definition: Option<String>,
    },
    /// The whole definition of a table (SQLite), and what it became.
    Table {
        name: String,
        before: String,
        after: String,
    },
}

impl Before {
    /// What to remember of a change in PostgreSQL. A constraint that is only validated needs no way back.
    pub fn of(change: &SchemaChange) -> Option<Self> {
        let check = |check: &Check, definition| Self::Check {
            name: check.name().to_owned(),
            definition,
        };
        Some(match change {
            SchemaChange::Default { column, before } => Self::Default {
                column: column.name().to_owned(),
                expression: before.clone(),
            },
            SchemaChange::AddCheck { check: added } => check(added, None),
            SchemaChange::ReplaceCheck { check: old, before } => check(old, Some(before.clone())),
            SchemaChange::ValidateCheck { .. } => return None,
        })
    }
}

/// A table that the migration changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Table {
    #[serde(rename = "integration_settings")]
    Settings,
    #[serde(rename = "agent_tasks")]
    Runs,
}

/// A row: the columns that matter as they were, and those that are another now.
///
/// A value is a text, a number, or null; SQLite's bytes and inexact numbers are objects (`{"hex": …}`, `{"real": …}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub table: Table,
    pub id: i64,
    /// All columns of a settings row; state and executor columns of a run row.
    pub before: Map<String, Value>,
    /// The columns that were changed, as the migration left them; `None`: the row was deleted.
    pub after: Option<Map<String, Value>>,
}

impl Row {
    /// The columns of a run row in a backup: what tells the person about the run, and what may change.
    pub fn run_columns() -> impl Iterator<Item = &'static str> {
        std::iter::once("status").chain(Column::ALL.into_iter().map(Column::name))
    }
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    pub rows: u64,
    /// `sha256:` and the digest of all bytes before this line.
    pub checksum: String,
}

/// What goes into a backup, in this order: one header, the rows, one end. The end is on the disk before anything changes.
#[derive(Clone, Copy, Debug)]
pub enum Line<'a> {
    Header(&'a Header),
    Row(&'a Row),
    End,
}
