//! The backup and the changes.

use super::cells::{Raw, next, to_json, value};
use super::look::{Look, select};
use super::{File, of_sqlite};
use crate::database::migration::error::Error;
use crate::database::migration::{BATCH, Keep, Request, Told};
use crate::domain::migration::Step;
use crate::domain::migration::backup::{Before, Engine, Header, Line, Row, SCHEMA, Table};
use crate::domain::migration::runs::{Cells, Column};
use crate::domain::migration::settings::{Fate, SettingChange};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, params, params_from_iter};
use serde_json::Map;

/// The columns of a settings row; the same at every revision (contract 3.8).
pub(super) const SETTINGS_COLUMNS: [&str; 6] =
    ["id", "provider", "key", "value", "created_at", "updated_at"];

/// Asks whether the work may go on.
type Going<'a> = dyn Fn() -> Result<(), Error> + 'a;

impl File {
    /// Writes every row that is going to change into the backup, and the end behind them.
    pub(super) fn back_up(
        &self,
        look: &Look,
        request: &Request,
        keep: &mut Keep<'_>,
        told: &mut Told<'_>,
        going: &Going<'_>,
    ) -> Result<(), Error> {
        let not_kept = |e: std::io::Error| Error::Backup {
            reason: e.to_string(),
        };
        let table = look.table.as_ref().map(|table| Before::Table {
            name: "agent_tasks".into(),
            before: table.before.clone(),
            after: table.after.clone(),
        });
        let header = Header {
            schema: SCHEMA.to_owned(),
            engine: Engine::Sqlite,
            database: self.place(),
            made_at: request.now.to_string(),
            changes: table.into_iter().collect(),
        };
        keep(Line::Header(&header)).map_err(not_kept)?;
        for change in &look.plan.settings.changes {
            let row = Row {
                table: Table::Settings,
                id: change.row.id,
                before: self.settings_row(change.row.id)?.unwrap_or_default(),
                after: settings_after(&change.fate),
            };
            keep(Line::Row(&row)).map_err(not_kept)?;
        }
        let (mut read, of) = (0, look.plan.runs.looked_at);
        self.each_batch(look, |rows| {
            going()?;
            read += rows.len() as u64;
            for (raw, after) in rows {
                let row = run_row(raw, after);
                if row.after.as_ref().is_some_and(|after| !after.is_empty()) {
                    keep(Line::Row(&row)).map_err(not_kept)?;
                }
            }
            told(Step::BackingUp { rows: read, of });
            Ok(())
        })?;
        keep(Line::End).map_err(not_kept)
    }

    /// Does what the plan says.
    pub(super) fn change(
        &self,
        look: &Look,
        request: &Request,
        told: &mut Told<'_>,
        going: &Going<'_>,
    ) -> Result<(), Error> {
        // Whatever makes room for a key comes before whatever takes it.
        let changes = &look.plan.settings.changes;
        let deleted = |change: &&SettingChange| change.fate == Fate::Delete;
        for change in changes.iter().filter(deleted) {
            let sql = "DELETE FROM integration_settings WHERE id = ?1";
            let written = self.connection.execute(sql, [change.row.id]);
            self.done(written, "writing the settings")?;
        }
        for change in changes.iter().filter(|change| !deleted(change)) {
            self.change_setting(change, request)?;
        }
        let (mut read, of) = (0, look.plan.runs.looked_at);
        told(Step::Changing { rows: 0, of });
        self.each_batch(look, |rows| {
            going()?;
            read += rows.len() as u64;
            for (raw, after) in rows {
                self.write_run(raw.row.id, &raw.row.cells, after)?;
            }
            told(Step::Changing { rows: read, of });
            Ok(())
        })?;
        if let Some(table) = &look.table {
            told(Step::Schema);
            self.redefine(&table.after)?;
        }
        Ok(())
    }

    /// Reads all rows, a batch at a time, with what becomes of each.
    fn each_batch(
        &self,
        look: &Look,
        mut work: impl FnMut(&[(Raw, Cells)]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if look.plan.runs.changed == 0 {
            return Ok(());
        }
        let doing = "reading the run rows";
        let mut statement = self.done(self.connection.prepare(&select()), doing)?;
        let mut last = i64::MIN;
        loop {
            let rows = next(&mut statement, last, BATCH)
                .map_err(|e| of_sqlite(&self.path, self.patience, doing, &e))?;
            let Some(end) = rows.last() else {
                return Ok(());
            };
            last = end.row.id;
            let rows: Vec<(Raw, Cells)> = rows
                .into_iter()
                .map(|raw| {
                    let after = raw.row.migrated(&look.taken);
                    (raw, after)
                })
                .collect();
            work(&rows)?;
        }
    }

    fn change_setting(&self, change: &SettingChange, request: &Request) -> Result<(), Error> {
        let (key, value) = if let Fate::Becomes { key, value } = &change.fate {
            (key.clone(), value.clone())
        } else {
            let seal = |reason: String| Error::Seal {
                place: self.place(),
                reason,
            };
            let secret = request.secret.as_ref();
            let secret = secret.ok_or_else(|| seal("no secret was given".into()))?;
            let sealed = secret.seal(&change.row.value, request.now);
            (
                change.row.key.clone(),
                sealed.map_err(|e| seal(e.to_string()))?,
            )
        };
        // As Studio writes times: UTC, without a zone.
        let now = request.now.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string();
        let sql = "UPDATE integration_settings SET \"key\" = ?2, value = ?3, updated_at = ?4 WHERE id = ?1";
        let written = self
            .connection
            .execute(sql, params![change.row.id, key, value, now]);
        self.done(written, "writing the settings")?;
        Ok(())
    }

    /// Writes the columns that differ.
    fn write_run(&self, id: i64, before: &Cells, after: &Cells) -> Result<(), Error> {
        let columns: Vec<Column> = before.differing(after).collect();
        if columns.is_empty() {
            return Ok(());
        }
        let values = columns
            .iter()
            .map(|column| value(*column, after.text(*column)));
        self.write_columns(
            id,
            columns.iter().map(|column| column.name()),
            values.collect(),
        )
    }

    /// Writes these columns of a run row.
    pub(super) fn write_columns<'a>(
        &self,
        id: i64,
        columns: impl Iterator<Item = &'a str>,
        mut values: Vec<Value>,
    ) -> Result<(), Error> {
        let set: Vec<String> = columns.map(|column| format!("{column} = ?")).collect();
        let sql = format!("UPDATE agent_tasks SET {} WHERE id = ?", set.join(", "));
        values.push(Value::Integer(id));
        let written = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.execute(params_from_iter(values)));
        self.done(written, "writing the run rows")?;
        Ok(())
    }

    /// Gives the table of runs another definition with the same columns: only defaults and constraints differ, and those
    /// are nowhere but in the definition. The rows, indexes, views, triggers and foreign keys are not touched at all,
    /// where copying them into a new table could lose some.
    pub(super) fn redefine(&self, sql: &str) -> Result<(), Error> {
        let doing = "changing the table of runs";
        let version = self
            .connection
            .query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0));
        let version = self.done(version, doing)?;
        self.run("PRAGMA writable_schema = ON", doing)?;
        let update =
            "UPDATE sqlite_master SET sql = ?1 WHERE type = 'table' AND name = 'agent_tasks'";
        let written = self.connection.execute(update, [sql]);
        // Other connections must read the definition again, and so must this one.
        let told = self.run(&format!("PRAGMA schema_version = {}", version + 1), doing);
        self.run("PRAGMA writable_schema = RESET", doing)?;
        self.done(written, doing)?;
        told
    }

    /// A whole settings row, by column.
    pub(super) fn settings_row(
        &self,
        id: i64,
    ) -> Result<Option<Map<String, serde_json::Value>>, Error> {
        let sql = "SELECT id, provider, \"key\", value, created_at, updated_at FROM integration_settings WHERE id = ?1";
        let row = self
            .connection
            .query_row(sql, [id], |row| {
                SETTINGS_COLUMNS
                    .iter()
                    .enumerate()
                    .map(|(at, column)| Ok(((*column).to_owned(), to_json(&row.get(at)?))))
                    .collect()
            })
            .optional();
        self.done(row, "reading the settings")
    }
}

/// What a restore expects to find in a settings row. The new bytes of an encrypted kubeconfig are not known yet.
fn settings_after(fate: &Fate) -> Option<Map<String, serde_json::Value>> {
    let mut after = Map::new();
    match fate {
        Fate::Delete => return None,
        Fate::Becomes { key, value } => {
            after.insert("key".into(), key.as_str().into());
            after.insert("value".into(), value.as_str().into());
        }
        Fate::Encrypt => {}
    }
    Some(after)
}

fn run_row(raw: &Raw, after: &Cells) -> Row {
    let mut before = Map::new();
    before.insert("status".into(), to_json(&raw.status));
    for column in Column::ALL {
        before.insert(column.name().into(), to_json(&raw.values[column as usize]));
    }
    let changed = raw.row.cells.differing(after);
    Row {
        table: Table::Runs,
        id: raw.row.id,
        before,
        after: Some(
            changed
                .map(|column| {
                    let left = to_json(&value(column, after.text(column)));
                    (column.name().to_owned(), left)
                })
                .collect(),
        ),
    }
}
