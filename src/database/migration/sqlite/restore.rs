//! Puts a backup back, exactly.

use super::File;
use super::cells::{columns, of_json, to_json};
use super::write::SETTINGS_COLUMNS;
use crate::database::migration::Told;
use crate::database::migration::error::Error;
use crate::domain::migration::Step;
use crate::domain::migration::backup::{Before, Engine, Header, Row, Table};
use crate::domain::migration::runs::Column;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, params_from_iter};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Rows that a message names.
const FIRST: usize = 5;
/// Rows between two words about how far it is.
const SOME: u64 = 5_000;

/// Puts every row and the table itself back to what `header` and `rows` say; gives how many rows were put back. Rows
/// that changed since the migration stop it, unless `force` says that they may lose that. `stop` set, it rolls back.
///
/// # Errors
/// As for a migration; the file is as it was then.
pub fn restore(
    path: &Path,
    header: &Header,
    rows: impl Iterator<Item = std::io::Result<Row>>,
    force: bool,
    patience: Duration,
    told: &mut Told<'_>,
    stop: &AtomicBool,
) -> Result<u64, Error> {
    told(Step::Waiting);
    let file = File::to_write(path, patience)?;
    let place = file.place();
    if header.engine != Engine::Sqlite {
        let backup = "PostgreSQL";
        return Err(Error::OtherEngine { place, backup });
    }
    let (mut conflicts, mut first) = (0, Vec::new());
    let mut conflict = |what: String| {
        conflicts += 1;
        if first.len() < FIRST {
            first.push(what);
        }
    };
    for change in &header.changes {
        if let Before::Table { before, after, .. } = change {
            match file.definition("agent_tasks")? {
                Some(now) if now == *before => {}
                Some(now) if now == *after || force => file.redefine(before)?,
                _ => conflict("the definition of agent_tasks".into()),
            }
        }
    }
    let mut restored = 0;
    for row in rows {
        let row = row.map_err(|e| Error::BackupRead {
            reason: e.to_string(),
        })?;
        let fine = match row.table {
            Table::Settings => file.restore_setting(&row, force)?,
            Table::Runs => file.restore_run(&row, force)?,
        };
        if !fine {
            let table = match row.table {
                Table::Settings => "integration_settings",
                Table::Runs => "agent_tasks",
            };
            conflict(format!("{table} {}", row.id));
        }
        restored += 1;
        if restored % SOME == 0 {
            told(Step::Restoring { rows: restored });
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
        }
    }
    if conflicts > 0 {
        let rows = conflicts;
        return Err(Error::Conflict { place, rows, first });
    }
    let said = file.soundness()?;
    if said != "ok" {
        return Err(Error::NotSettled { place, left: said });
    }
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    file.run("COMMIT", "the commit")?;
    Ok(restored)
}

/// A value of a backup that is none is damage that no checksum can see: it was written so.
fn unreadable(column: &str) -> Error {
    Error::BackupRead {
        reason: format!("column {column} holds no value"),
    }
}

impl File {
    /// Puts a settings row back; false when somebody changed it since.
    fn restore_setting(&self, row: &Row, force: bool) -> Result<bool, Error> {
        let now = self.settings_row(row.id)?;
        let expected = match (&now, &row.after) {
            (None, after) => after.is_none(),
            (Some(now), after) => {
                *now == row.before
                    || after.as_ref().is_some_and(|after| {
                        after
                            .iter()
                            .all(|(column, value)| now.get(column) == Some(value))
                    })
            }
        };
        if !expected && !force {
            return Ok(false);
        }
        let values = SETTINGS_COLUMNS
            .iter()
            .map(|column| {
                let value = row.before.get(*column).and_then(of_json);
                value.ok_or_else(|| unreadable(column))
            })
            .collect::<Result<Vec<Value>, Error>>()?;
        let sql = if now.is_some() {
            "UPDATE integration_settings SET provider = ?2, \"key\" = ?3, value = ?4, created_at = ?5, updated_at = ?6 WHERE id = ?1"
        } else {
            "INSERT INTO integration_settings (id, provider, \"key\", value, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        };
        let written = self.connection.execute(sql, params_from_iter(values));
        self.done(written, "writing the settings")?;
        Ok(true)
    }

    /// Puts the columns of a run row back that the migration changed; false when somebody changed one of them since.
    fn restore_run(&self, row: &Row, force: bool) -> Result<bool, Error> {
        let sql = format!("SELECT {} FROM agent_tasks WHERE id = ?1", columns());
        let now = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                statement
                    .query_row([row.id], |now| {
                        (0..Column::ALL.len())
                            .map(|at| now.get(at + 2))
                            .collect::<rusqlite::Result<Vec<Value>>>()
                    })
                    .optional()
            });
        let Some(now) = self.done(now, "reading the run rows")? else {
            // A row that is gone cannot be put back, and whoever forces knows it.
            return Ok(force);
        };
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (column, left) in row.after.iter().flatten() {
            let Some(known) = Column::ALL.into_iter().find(|known| known.name() == column) else {
                return Err(unreadable(column));
            };
            let before = row.before.get(column).ok_or_else(|| unreadable(column))?;
            let found = to_json(&now[known as usize]);
            if !force && found != *left && found != *before {
                return Ok(false);
            }
            names.push(known.name());
            values.push(of_json(before).ok_or_else(|| unreadable(column))?);
        }
        if !names.is_empty() {
            self.write_columns(row.id, names.into_iter(), values)?;
        }
        Ok(true)
    }
}
