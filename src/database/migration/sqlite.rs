//! The migration of an SQLite file. All of it blocks: run it where blocking is allowed.

mod cells;
mod look;
mod restore;
mod sample;
mod table;
mod write;

pub use restore::restore;
pub use sample::sample;

use super::error::Error;
use super::{Keep, Request, Told};
use crate::domain::migration::{Plan, Step};
use look::Look;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a migration would do. The connection cannot write.
///
/// # Errors
/// When the file is not there, is no SQLite file or no Studio's, or cannot be read.
pub fn plan(path: &Path, request: &Request, told: &mut Told<'_>) -> Result<Plan, Error> {
    let file = File::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, request.patience)?;
    file.run("BEGIN", "beginning to read")?;
    let look = file.look(request, &mut |rows| told(Step::Planning { rows }))?;
    Ok(look.plan)
}

/// Migrates the file: plan, backup, changes, verification, commit. `shown` is the plan that a person agreed to; another
/// one is not applied. `stop` set, it rolls back.
///
/// # Errors
/// When somebody else writes for too long, the backup or the file cannot be written, the verification fails, or it was
/// stopped. The file is as it was then.
pub fn apply(
    path: &Path,
    request: &Request,
    shown: Option<&Plan>,
    keep: &mut Keep<'_>,
    told: &mut Told<'_>,
    stop: &AtomicBool,
) -> Result<Plan, Error> {
    told(Step::Waiting);
    let file = File::to_write(path, request.patience)?;
    let going = || {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        Ok(())
    };
    let look = file.look(request, &mut |rows| told(Step::Planning { rows }))?;
    if shown.is_some_and(|shown| *shown != look.plan) {
        return Err(Error::Moved {
            place: file.place(),
            now: look.plan.summary(),
        });
    }
    if look.plan.is_empty() {
        return Ok(look.plan);
    }
    file.back_up(&look, request, keep, told, &going)?;
    file.change(&look, request, told, &going)?;
    file.verify(&look, request, told)?;
    going()?;
    file.run("COMMIT", "the commit")?;
    Ok(look.plan)
}

/// An open file.
#[derive(Debug)]
struct File {
    connection: Connection,
    path: PathBuf,
    patience: Duration,
}

impl File {
    fn open(path: &Path, flags: OpenFlags, patience: Duration) -> Result<Self, Error> {
        if !path.is_file() {
            return Err(Error::NoFile {
                path: path.to_owned(),
            });
        }
        let opened = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let connection = opened.map_err(|e| of_sqlite(path, patience, "opening it", &e))?;
        let file = Self {
            connection,
            path: path.to_owned(),
            patience,
        };
        file.done(file.connection.busy_timeout(patience), "opening it")?;
        Ok(file)
    }

    /// A file with a transaction that nobody else can write beside.
    fn to_write(path: &Path, patience: Duration) -> Result<Self, Error> {
        let file = Self::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, patience)?;
        // SQLite opens a file that it may not write for reading, and says so only now.
        if file.done(file.connection.is_readonly("main"), "opening it")? {
            return Err(Error::ReadOnlyFile { path: file.path });
        }
        file.run("BEGIN IMMEDIATE", "beginning to write")?;
        Ok(file)
    }

    fn place(&self) -> String {
        place(&self.path)
    }

    fn run(&self, sql: &str, doing: &str) -> Result<(), Error> {
        self.done(self.connection.execute_batch(sql), doing)
    }

    fn done<T>(&self, result: rusqlite::Result<T>, doing: &str) -> Result<T, Error> {
        result.map_err(|error| of_sqlite(&self.path, self.patience, doing, &error))
    }

    /// A second look must find nothing left to do, every row that was not meant to go, and a file that is sound: this
    /// also tries the constraints on every row.
    fn verify(&self, before: &Look, request: &Request, told: &mut Told<'_>) -> Result<(), Error> {
        let of = before.plan.runs.looked_at;
        let after = self.look(request, &mut |rows| told(Step::Verifying { rows, of }))?;
        let lost = after.plan.runs.looked_at != of
            || after.settings.len() + before.plan.settings.deleted() != before.settings.len();
        let left = if lost {
            "rows are missing".to_owned()
        } else if after.plan.is_empty() {
            match self.soundness()?.as_str() {
                "ok" => return Ok(()),
                fault => fault.to_owned(),
            }
        } else {
            after.plan.summary()
        };
        Err(Error::NotSettled {
            place: self.place(),
            left,
        })
    }

    fn soundness(&self) -> Result<String, Error> {
        let said = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        self.done(said, "checking the file")
    }
}

/// How messages name a file.
pub fn place(path: &Path) -> String {
    format!("file {}", path.display())
}

fn of_sqlite(path: &Path, patience: Duration, doing: &str, error: &rusqlite::Error) -> Error {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::FileInUse {
            path,
            seconds: patience.as_secs(),
        },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Error::BrokenFile {
            path,
            reason: error.to_string(),
        },
        Some(ErrorCode::ReadOnly) => Error::ReadOnlyFile { path },
        Some(ErrorCode::DiskFull) => Error::DiskFull { path },
        _ => Error::Sqlite {
            path,
            doing: doing.to_owned(),
            reason: error.to_string(),
        },
    }
}
