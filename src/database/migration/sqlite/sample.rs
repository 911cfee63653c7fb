//! A small file as a Studio of old left it, for the sandbox: a real one, to plan, migrate and restore for real.

use super::{File, of_sqlite};
use crate::database::migration::error::Error;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Settings of the executors that are gone, 27 runs in every state of theirs, and the constraints and views of that time
/// (contract 3.7, 3.8).
const SAMPLE: &str = include_str!("sample.sql");

/// Writes the sample into a new file.
///
/// # Errors
/// When it cannot be written.
pub fn sample(path: &Path) -> Result<(), Error> {
    Connection::open(path).map_err(|error| of_sqlite(path, Duration::ZERO, "making it", &error))?;
    File::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, Duration::ZERO)?.run(SAMPLE, "writing it")
}
