//! What can go wrong with a migration. Whatever it is, the database is as it was.

use crate::database::error::Error as DatabaseError;
use std::path::PathBuf;

/// Why a migration or a restore did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("{place} has neither integration_settings nor agent_tasks: it is no Studio's database")]
    NotAStudio { place: String },
    #[error(
        "somebody uses the tables of {place} (waited {seconds} s): stop Studio and its workers, and try again; nothing was changed"
    )]
    TablesInUse { place: String, seconds: u64 },
    #[error("the backup cannot be written: {reason}; nothing was changed")]
    Backup { reason: String },
    #[error("the backup cannot be read: {reason}; nothing was changed")]
    BackupRead { reason: String },
    #[error("the stored kubeconfig of {place} cannot be encrypted: {reason}; nothing was changed")]
    Seal { place: String, reason: String },
    #[error(
        "what was changed in {place} did not verify ({left}); all of it was rolled back. Please report this with the output of `llmctl-dev migrate plan -o json`"
    )]
    NotSettled { place: String, left: String },
    #[error(
        "{place} changed since the plan was shown: now {now}. Nothing was changed; look at the plan again"
    )]
    Moved { place: String, now: String },
    #[error(
        "{rows} rows of {place} changed since the migration (first {}), and would lose that: nothing was changed; --force puts the old values back anyway",
        first.join(", ")
    )]
    Conflict {
        place: String,
        rows: u64,
        first: Vec<String>,
    },
    #[error("the backup belongs to a {backup} database, and {place} is another kind")]
    OtherEngine { place: String, backup: &'static str },
    #[error("there is no file {}", path.display())]
    NoFile { path: PathBuf },
    #[error("file {} is no SQLite database, or is damaged: {reason}", path.display())]
    BrokenFile { path: PathBuf, reason: String },
    #[error("file {} may not be written: give yourself the right to, or migrate a copy; nothing was changed", path.display())]
    ReadOnlyFile { path: PathBuf },
    #[error(
        "another process writes to {} (waited {seconds} s): stop Studio, and try again; nothing was changed",
        path.display()
    )]
    FileInUse { path: PathBuf, seconds: u64 },
    #[error("the disk of {} is full; all of it was rolled back", path.display())]
    DiskFull { path: PathBuf },
    #[error("SQLite refused {doing} in {}: {reason}; all of it was rolled back", path.display())]
    Sqlite {
        path: PathBuf,
        doing: String,
        reason: String,
    },
    #[error("interrupted: all of it was rolled back")]
    Interrupted,
}
