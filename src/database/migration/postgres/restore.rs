//! Puts a backup back, exactly.

use super::write::SETTINGS_COLUMNS;
use super::{Work, begin, lock_or_say_who};
use crate::database::error::Error as DatabaseError;
use crate::database::migration::error::Error;
use crate::database::migration::{BATCH, Told};
use crate::database::postgres::Postgres;
use crate::domain::migration::Step;
use crate::domain::migration::backup::{Before, Engine, Header, Row, Table};
use crate::domain::migration::runs::{Cells, Column, RunRow};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_postgres::types::ToSql;

/// Rows that a message names.
const FIRST: usize = 5;

/// Rows that somebody changed since the migration.
#[derive(Debug, Default)]
struct Conflicts {
    rows: u64,
    first: Vec<String>,
}

impl Conflicts {
    fn add(&mut self, table: &str, id: i64) {
        self.rows += 1;
        if self.first.len() < FIRST {
            self.first.push(format!("{table} {id}"));
        }
    }
}

/// Puts every row and the table itself back to what `header` and `rows` say; gives how many rows were put back. Rows
/// that changed since the migration stop it, unless `force` says that they may lose that.
///
/// # Errors
/// As for a migration; the database is as it was then.
pub async fn restore(
    postgres: &mut Postgres,
    header: &Header,
    rows: impl Iterator<Item = std::io::Result<Row>> + Send,
    force: bool,
    patience: Duration,
    told: &mut Told<'_>,
) -> Result<u64, Error> {
    let place = postgres.place().to_owned();
    if header.engine != Engine::Postgresql {
        let backup = "SQLite";
        return Err(Error::OtherEngine { place, backup });
    }
    told(Step::Waiting);
    lock_or_say_who(postgres, patience).await?;
    let transaction = begin(postgres, &place, patience).await?;
    let work = Work::new(&transaction, &place);
    work.lock_tables(patience).await?;
    work.free(&header.changes).await?;
    let mut conflicts = Conflicts::default();
    let mut restored = 0;
    let mut batch = BTreeMap::new();
    let unreadable = |e: std::io::Error| Error::BackupRead {
        reason: e.to_string(),
    };
    for row in rows {
        let row = row.map_err(unreadable)?;
        restored += 1;
        match row.table {
            Table::Settings => work.restore_setting(&row, force, &mut conflicts).await?,
            Table::Runs => {
                batch.insert(row.id, row);
            }
        }
        if batch.len() as u64 >= BATCH.unsigned_abs() {
            work.restore_runs(std::mem::take(&mut batch), force, &mut conflicts)
                .await?;
            told(Step::Restoring { rows: restored });
        }
    }
    work.restore_runs(batch, force, &mut conflicts).await?;
    told(Step::Restoring { rows: restored });
    if conflicts.rows > 0 {
        let Conflicts { rows, first } = conflicts;
        return Err(Error::Conflict { place, rows, first });
    }
    work.bind(&header.changes).await?;
    transaction.commit().await.map_err(|error| {
        match DatabaseError::while_doing(&place, "the commit", &error) {
            DatabaseError::Lost { place, .. } => DatabaseError::Uncertain { place },
            other => other,
        }
    })?;
    Ok(restored)
}

impl Work<'_, '_> {
    /// Takes the constraints away that the values of old would break, and puts the defaults back.
    async fn free(&self, changes: &[Before]) -> Result<(), Error> {
        for change in changes {
            let sql = match change {
                Before::Check { name, .. } => {
                    format!(
                        "ALTER TABLE agent_tasks DROP CONSTRAINT IF EXISTS {}",
                        quoted(name)
                    )
                }
                Before::Default { column, expression } => match expression {
                    Some(expression) => format!(
                        "ALTER TABLE agent_tasks ALTER COLUMN {} SET DEFAULT {expression}",
                        quoted(column)
                    ),
                    None => format!(
                        "ALTER TABLE agent_tasks ALTER COLUMN {} DROP DEFAULT",
                        quoted(column)
                    ),
                },
                Before::Table { .. } => continue,
            };
            self.done(
                self.transaction.batch_execute(&sql).await,
                "changing the table of runs",
            )?;
        }
        Ok(())
    }

    /// Puts the constraints of old back.
    async fn bind(&self, changes: &[Before]) -> Result<(), Error> {
        for change in changes {
            let Before::Check {
                name,
                definition: Some(definition),
            } = change
            else {
                continue;
            };
            let sql = format!(
                "ALTER TABLE agent_tasks ADD CONSTRAINT {} {definition}",
                quoted(name)
            );
            self.done(
                self.transaction.batch_execute(&sql).await,
                "changing the table of runs",
            )?;
        }
        Ok(())
    }

    async fn restore_setting(
        &self,
        row: &Row,
        force: bool,
        conflicts: &mut Conflicts,
    ) -> Result<(), Error> {
        let now = self.settings_row(row.id).await?;
        let is_before = |now: &Map<String, Value>| *now == row.before;
        let is_after = |now: &Map<String, Value>| {
            let after = row.after.as_ref();
            after.is_some_and(|after| {
                after
                    .iter()
                    .all(|(column, value)| now.get(column) == Some(value))
            })
        };
        let expected = match &now {
            None => row.after.is_none(),
            Some(now) => is_before(now) || is_after(now),
        };
        if !expected && !force {
            conflicts.add("integration_settings", row.id);
            return Ok(());
        }
        let texts: Vec<Option<&str>> = SETTINGS_COLUMNS[1..]
            .iter()
            .map(|column| row.before.get(*column).and_then(Value::as_str))
            .collect();
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&row.id];
        values.extend(texts.iter().map(|text| text as &(dyn ToSql + Sync)));
        let sql = if now.is_some() {
            "UPDATE integration_settings SET provider = $2, key = $3, value = $4, \
             created_at = $5::text::timestamptz, updated_at = $6::text::timestamptz WHERE id = $1::bigint"
        } else {
            "INSERT INTO integration_settings (id, provider, key, value, created_at, updated_at) \
             VALUES ($1::bigint, $2, $3, $4, $5::text::timestamptz, $6::text::timestamptz)"
        };
        self.done(
            self.transaction.execute(sql, &values).await,
            "writing the settings",
        )?;
        Ok(())
    }

    async fn restore_runs(
        &self,
        batch: BTreeMap<i64, Row>,
        force: bool,
        conflicts: &mut Conflicts,
    ) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = batch.keys().copied().collect();
        let mut now: BTreeMap<i64, RunRow> = self
            .run_rows(&ids)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let mut written = Vec::new();
        for (id, row) in &batch {
            match now.remove(id).map(|now| put_back(row, now.cells, force)) {
                Some(Some(cells)) => written.push((*id, cells)),
                // A row that is gone cannot be put back, and whoever forces knows it.
                None if force => {}
                _ => conflicts.add("agent_tasks", *id),
            }
        }
        self.write_rows(&written).await?;
        Ok(())
    }
}

/// The cells with the columns that the migration changed as they were; none when somebody changed one of them since.
fn put_back(row: &Row, now: Cells, force: bool) -> Option<Cells> {
    let mut cells = now;
    let after = row.after.as_ref()?;
    for column in Column::ALL {
        let Some(left) = after.get(column.name()) else {
            continue;
        };
        let before = row.before.get(column.name()).and_then(Value::as_str);
        let found = cells.text(column);
        if !force && found != left.as_str() && found != before {
            return None;
        }
        cells.put(column, before);
    }
    Some(cells)
}

/// A name as SQL writes it, whatever it holds: it comes from a file.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
