//! The backup and the changes.

use super::look::{FORM, Look};
use super::rows::Cursor;
use super::{Work, kept, not_kept};
use crate::database::migration::checks::{Dialect, condition};
use crate::database::migration::error::Error;
use crate::database::migration::{Keep, Request, Told};
use crate::domain::migration::backup::{Header, Line, Row, Table};
use crate::domain::migration::runs::{Cells, Column, RunRow};
use crate::domain::migration::settings::{Fate, SettingChange};
use crate::domain::migration::{SchemaChange, Step};
use serde_json::{Map, Value};

/// The columns of a settings row; the same at every revision (contract 3.8).
pub(super) const SETTINGS_COLUMNS: [&str; 6] =
    ["id", "provider", "key", "value", "created_at", "updated_at"];

impl Work<'_, '_> {
    /// Writes every row that is going to change into the backup, and the end behind them.
    pub(super) async fn back_up(
        &self,
        look: &Look,
        header: &Header,
        keep: &mut Keep<'_>,
        told: &mut Told<'_>,
    ) -> Result<(), Error> {
        keep(Line::Header(header)).map_err(not_kept)?;
        for change in &look.plan.settings.changes {
            let before = self.settings_row(change.row.id).await?.unwrap_or_default();
            let row = Row {
                table: Table::Settings,
                id: change.row.id,
                before,
                after: settings_after(&change.fate),
            };
            keep(Line::Row(&row)).map_err(not_kept)?;
        }
        if look.plan.runs.changed > 0 {
            let (mut read, of) = (0, look.plan.runs.looked_at);
            let mut cursor = Cursor::default();
            while let Some(rows) = cursor.next(self).await? {
                read += rows.len() as u64;
                for row in rows {
                    let after = row.migrated(&look.taken);
                    if let Some(row) = run_row(&row, &after) {
                        keep(Line::Row(&row)).map_err(not_kept)?;
                    }
                }
                told(Step::BackingUp { rows: read, of });
            }
        }
        kept(keep)
    }

    /// Does what the plan says.
    pub(super) async fn change(
        &self,
        look: &Look,
        request: &Request,
        told: &mut Told<'_>,
    ) -> Result<(), Error> {
        // Whatever makes room for a key comes before whatever takes it.
        let (deleted, others): (Vec<&SettingChange>, Vec<_>) = look
            .plan
            .settings
            .changes
            .iter()
            .partition(|change| change.fate == Fate::Delete);
        for change in deleted.into_iter().chain(others) {
            self.change_setting(change, request).await?;
        }
        if look.plan.runs.changed > 0 {
            let (mut read, of) = (0, look.plan.runs.looked_at);
            told(Step::Changing { rows: 0, of });
            let mut cursor = Cursor::default();
            while let Some(rows) = cursor.next(self).await? {
                read += rows.len() as u64;
                let changed: Vec<(i64, Cells)> = rows
                    .into_iter()
                    .map(|row| (row.id, row.migrated(&look.taken), row.cells))
                    .filter(|(_, after, before)| after != before)
                    .map(|(id, after, _)| (id, after))
                    .collect();
                if !changed.is_empty() {
                    self.write_rows(&changed).await?;
                }
                told(Step::Changing { rows: read, of });
            }
        }
        told(Step::Schema);
        for change in &look.plan.schema {
            self.alter(change).await?;
        }
        Ok(())
    }

    async fn change_setting(&self, change: &SettingChange, request: &Request) -> Result<(), Error> {
        let id = change.row.id;
        let doing = "writing the settings";
        if change.fate == Fate::Delete {
            let sql = "DELETE FROM integration_settings WHERE id = $1::bigint";
            self.done(self.transaction.execute(sql, &[&id]).await, doing)?;
            return Ok(());
        }
        let (key, value) = if let Fate::Becomes { key, value } = &change.fate {
            (key.clone(), value.clone())
        } else {
            let seal = |reason: String| Error::Seal {
                place: self.place.to_owned(),
                reason,
            };
            let secret = request.secret.as_ref();
            let secret = secret.ok_or_else(|| seal("no secret was given".into()))?;
            let sealed = secret.seal(&change.row.value, request.now);
            let sealed = sealed.map_err(|e| seal(e.to_string()))?;
            (change.row.key.clone(), sealed)
        };
        let sql = "UPDATE integration_settings SET key = $2, value = $3, updated_at = $4 WHERE id = $1::bigint";
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&id, &key, &value, &request.now];
        self.done(self.transaction.execute(sql, &values).await, doing)?;
        Ok(())
    }

    async fn alter(&self, change: &SchemaChange) -> Result<(), Error> {
        let sql = match change {
            SchemaChange::Default { column, .. } => vec![format!(
                "ALTER TABLE agent_tasks ALTER COLUMN {} SET DEFAULT 'kubernetes'",
                column.name()
            )],
            SchemaChange::ValidateCheck { check } => vec![validate(check.name())],
            SchemaChange::AddCheck { check } | SchemaChange::ReplaceCheck { check, .. } => {
                let name = check.name();
                vec![
                    format!("ALTER TABLE agent_tasks DROP CONSTRAINT IF EXISTS {name}"),
                    // First for new rows, then for the ones that are there.
                    format!(
                        "ALTER TABLE agent_tasks ADD CONSTRAINT {name} CHECK ({}) NOT VALID",
                        condition(*check, FORM, Dialect::Postgres)
                    ),
                    validate(name),
                ]
            }
        };
        for sql in sql {
            self.done(
                self.transaction.batch_execute(&sql).await,
                "changing the table of runs",
            )?;
        }
        Ok(())
    }

    /// A whole settings row as text, by column.
    pub(super) async fn settings_row(&self, id: i64) -> Result<Option<Map<String, Value>>, Error> {
        let columns: Vec<String> = SETTINGS_COLUMNS
            .iter()
            .map(|column| format!("{column}::text"))
            .collect();
        let sql = format!(
            "SELECT {} FROM integration_settings WHERE id = $1::bigint",
            columns.join(", ")
        );
        let row = self.transaction.query_opt(&sql, &[&id]).await;
        let row = self.done(row, "reading the settings")?;
        Ok(row.map(|row| {
            let cells = (0..).zip(SETTINGS_COLUMNS);
            cells
                .map(|(at, column): (usize, &str)| {
                    (column.to_owned(), row.get::<_, Option<String>>(at).into())
                })
                .collect()
        }))
    }
}

fn validate(name: &str) -> String {
    format!("ALTER TABLE agent_tasks VALIDATE CONSTRAINT {name}")
}

/// What a restore expects to find in a settings row. The new bytes of an encrypted kubeconfig are not known yet.
fn settings_after(fate: &Fate) -> Option<Map<String, Value>> {
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

/// The line of a run row; none for one that does not change.
fn run_row(row: &RunRow, after: &Cells) -> Option<Row> {
    let changed: Vec<Column> = row.cells.differing(after).collect();
    if changed.is_empty() {
        return None;
    }
    let value = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let mut before = Map::new();
    before.insert("status".into(), row.status.as_str().into());
    for column in Column::ALL {
        before.insert(column.name().into(), value(row.cells.text(column)));
    }
    Some(Row {
        table: Table::Runs,
        id: row.id,
        before,
        after: Some(
            changed
                .into_iter()
                .map(|column| (column.name().to_owned(), value(after.text(column))))
                .collect(),
        ),
    })
}
