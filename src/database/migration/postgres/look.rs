//! Reads everything and makes the plan.

use super::Work;
use super::rows::Cursor;
use crate::database::migration::Request;
use crate::database::migration::checks::is_of_old;
use crate::database::migration::error::Error;
use crate::domain::migration::checks::{Check, Form};
use crate::domain::migration::runs::Column;
use crate::domain::migration::settings::{self, SettingRow};
use crate::domain::migration::{Blocked, Plan, SETTINGS_PROVIDER, SchemaChange};
use std::collections::{BTreeMap, BTreeSet};

/// Studio's newest revisions write here: the wider form of the constraints.
pub(super) const FORM: Form = Form::WithNewerMarkers;

/// What was found, and the plan for it.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) plan: Plan,
    pub(super) settings: Vec<SettingRow>,
    /// Dispatch ids of the legacy form that must not be given again.
    pub(super) taken: BTreeSet<String>,
}

impl Work<'_, '_> {
    /// Reads all of it; `told` hears how many run rows were read.
    pub(super) async fn look(
        &self,
        request: &Request,
        told: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Look, Error> {
        let mut look = Look {
            plan: Plan::default(),
            settings: Vec::new(),
            taken: BTreeSet::new(),
        };
        let has_settings = self.has_table("integration_settings").await?;
        let has_runs = self.has_table("agent_tasks").await?;
        if !has_settings && !has_runs {
            return Err(Error::NotAStudio {
                place: self.place.to_owned(),
            });
        }
        if has_settings {
            look.settings = self.settings().await?;
            let sealed = request.sealed(&look.settings);
            let raise = request.options.raise_dispatch_timeout;
            look.plan.settings = settings::plan(&look.settings, sealed, raise);
        } else {
            look.plan
                .remarks
                .push("there is no table integration_settings".into());
        }
        if !has_runs {
            look.plan
                .remarks
                .push("there is no table agent_tasks".into());
            return Ok(look);
        }
        let missing = self.missing_columns().await?;
        if !missing.is_empty() {
            look.plan.remarks.push(format!(
                "agent_tasks has no column {}: no executor of old ever wrote to it, its rows are left alone",
                missing.join(", ")
            ));
            return Ok(look);
        }
        look.taken = self.taken().await?;
        let mut broken = BTreeMap::new();
        let mut cursor = Cursor::default();
        while let Some(rows) = cursor.next(self).await? {
            for row in &rows {
                let after = row.migrated(&look.taken);
                look.plan.runs.count(row, &after, request.options.rows);
                Blocked::note(&mut broken, FORM, row.id, &after);
            }
            told(look.plan.runs.looked_at);
        }
        self.schema(&mut look.plan, broken).await?;
        Ok(look)
    }

    async fn settings(&self) -> Result<Vec<SettingRow>, Error> {
        let asked = "SELECT id::bigint, key::text, value FROM integration_settings WHERE provider = $1 ORDER BY id";
        let rows = self.transaction.query(asked, &[&SETTINGS_PROVIDER]).await;
        let rows = self.done(rows, "reading the settings")?;
        Ok(rows
            .iter()
            .map(|row| SettingRow {
                id: row.get(0),
                key: row.get(1),
                value: row.get(2),
            })
            .collect())
    }

    async fn missing_columns(&self) -> Result<Vec<&'static str>, Error> {
        let asked = "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass('agent_tasks') AND attnum > 0 AND NOT attisdropped";
        let rows = self.transaction.query(asked, &[]).await;
        let there: BTreeSet<String> = self
            .done(rows, "reading the columns")?
            .iter()
            .map(|row| row.get(0))
            .collect();
        let names = Column::ALL.map(Column::name).into_iter();
        Ok(names.filter(|name| !there.contains(*name)).collect())
    }

    async fn taken(&self) -> Result<BTreeSet<String>, Error> {
        let asked = "SELECT provider_dispatch_id::text FROM agent_tasks WHERE provider_dispatch_id LIKE 'kubernetes:legacy-%' \
             AND provider_dispatch_id <> 'kubernetes:legacy-' || id";
        let rows = self.transaction.query(asked, &[]).await;
        let rows = self.done(rows, "reading the dispatch ids")?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn schema(&self, plan: &mut Plan, broken: BTreeMap<Check, Blocked>) -> Result<(), Error> {
        let asked = "SELECT a.attname::text, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d \
             JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum \
             WHERE d.adrelid = to_regclass('agent_tasks')";
        let rows = self.done(
            self.transaction.query(asked, &[]).await,
            "reading the defaults",
        )?;
        let defaults: BTreeMap<String, String> =
            rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        for column in [Column::SelectedProvider, Column::FinalProvider] {
            let before = defaults.get(column.name());
            if before.is_some_and(|before| !before.starts_with("'kubernetes'")) {
                plan.schema.push(SchemaChange::Default {
                    column,
                    before: before.cloned(),
                });
            }
        }
        let asked = "SELECT conname::text, convalidated, pg_get_constraintdef(oid) FROM pg_constraint \
             WHERE conrelid = to_regclass('agent_tasks') AND contype = 'c'";
        let rows = self.done(
            self.transaction.query(asked, &[]).await,
            "reading the constraints",
        )?;
        let mut checks: BTreeMap<String, (bool, String)> = rows
            .iter()
            .map(|row| (row.get(0), (row.get(1), row.get(2))))
            .collect();
        let mut broken = broken;
        for check in Check::ALL {
            let change = match checks.remove(check.name()) {
                None => SchemaChange::AddCheck { check },
                Some((_, before)) if is_of_old(&before) => {
                    SchemaChange::ReplaceCheck { check, before }
                }
                Some((false, _)) => SchemaChange::ValidateCheck { check },
                Some((true, _)) => continue,
            };
            match broken.remove(&check) {
                Some(blocked) => plan.blocked.push(blocked),
                None => plan.schema.push(change),
            }
        }
        Ok(())
    }
}
