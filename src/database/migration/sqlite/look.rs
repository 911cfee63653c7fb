//! Reads everything and makes the plan.

use super::File;
use super::cells::{columns, next};
use super::table::{Definition, Rewritten};
use crate::database::migration::checks::is_of_old;
use crate::database::migration::error::Error;
use crate::database::migration::{BATCH, Request};
use crate::domain::migration::checks::{Check, Form};
use crate::domain::migration::runs::{Cells, Column, LEGACY_PREFIX};
use crate::domain::migration::settings::{self, SettingRow};
use crate::domain::migration::{Blocked, Plan, SETTINGS_PROVIDER};
use rusqlite::OptionalExtension as _;
use std::collections::{BTreeMap, BTreeSet};

/// What was found, and the plan for it.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) plan: Plan,
    pub(super) settings: Vec<SettingRow>,
    /// Dispatch ids of the legacy form that must not be given again.
    pub(super) taken: BTreeSet<String>,
    /// The table of runs as it is and as it will be defined, when that changes.
    pub(super) table: Option<Rewritten>,
}

/// Constraints that migrated rows break, for each form that they may get.
#[derive(Debug, Default)]
struct Broken([BTreeMap<Check, Blocked>; 2]);

impl Broken {
    fn note(&mut self, id: i64, after: &Cells) {
        for (form, broken) in [Form::Strict, Form::WithNewerMarkers]
            .into_iter()
            .zip(&mut self.0)
        {
            Blocked::note(broken, form, id, after);
        }
    }
}

impl File {
    /// Reads all of it; `told` hears how many run rows were read.
    pub(super) fn look(&self, request: &Request, told: &mut dyn FnMut(u64)) -> Result<Look, Error> {
        let mut look = Look::default();
        let settings = self.definition("integration_settings")?;
        let runs = self.definition("agent_tasks")?;
        if settings.is_none() && runs.is_none() {
            return Err(Error::NotAStudio {
                place: self.place(),
            });
        }
        if settings.is_some() {
            look.settings = self.done(self.settings(), "reading the settings")?;
            let sealed = request.sealed(&look.settings);
            let raise = request.options.raise_dispatch_timeout;
            look.plan.settings = settings::plan(&look.settings, sealed, raise);
        } else {
            look.plan
                .remarks
                .push("there is no table integration_settings".into());
        }
        let Some(sql) = runs else {
            look.plan
                .remarks
                .push("there is no table agent_tasks".into());
            return Ok(look);
        };
        let missing = self.done(self.missing(), "reading the columns")?;
        if !missing.is_empty() {
            look.plan.remarks.push(format!(
                "agent_tasks has no column {}: no executor of old ever wrote to it, its rows are left alone",
                missing.join(", ")
            ));
            return Ok(look);
        }
        look.plan.views = self.done(self.views(), "reading the views")?;
        look.taken = self.done(self.taken(), "reading the dispatch ids")?;
        let mut broken = Broken::default();
        self.done(
            self.rows(&mut look, request, &mut broken, told),
            "reading the run rows",
        )?;
        schema(&mut look, &sql, broken);
        Ok(look)
    }

    fn rows(
        &self,
        look: &mut Look,
        request: &Request,
        broken: &mut Broken,
        told: &mut dyn FnMut(u64),
    ) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare(&select())?;
        let mut last = i64::MIN;
        loop {
            let rows = next(&mut statement, last, BATCH)?;
            let Some(end) = rows.last() else {
                return Ok(());
            };
            last = end.row.id;
            for raw in &rows {
                let after = raw.row.migrated(&look.taken);
                look.plan.runs.count(&raw.row, &after, request.options.rows);
                broken.note(raw.row.id, &after);
            }
            told(look.plan.runs.looked_at);
        }
    }

    /// How a table is defined; none where there is no such table.
    pub(super) fn definition(&self, table: &str) -> Result<Option<String>, Error> {
        let asked = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1";
        let sql = self
            .connection
            .query_row(asked, [table], |row| row.get(0))
            .optional();
        self.done(sql, "reading the tables")
    }

    fn settings(&self) -> rusqlite::Result<Vec<SettingRow>> {
        let asked =
            "SELECT id, \"key\", value FROM integration_settings WHERE provider = ?1 ORDER BY id";
        let mut statement = self.connection.prepare(asked)?;
        let rows = statement.query_map([SETTINGS_PROVIDER], |row| {
            Ok(SettingRow {
                id: row.get(0)?,
                key: row.get(1)?,
                value: row.get(2)?,
            })
        })?;
        rows.collect()
    }

    fn missing(&self) -> rusqlite::Result<Vec<&'static str>> {
        let asked = "SELECT name FROM pragma_table_info('agent_tasks')";
        let mut statement = self.connection.prepare(asked)?;
        let there = statement.query_map([], |row| row.get(0))?;
        let there = there.collect::<rusqlite::Result<BTreeSet<String>>>()?;
        let names = Column::ALL.map(Column::name).into_iter();
        Ok(names.filter(|name| !there.contains(*name)).collect())
    }

    /// The views that ask for what is gone. Studio's own two are plain selections of the table and do not.
    fn views(&self) -> rusqlite::Result<Vec<String>> {
        let asked = "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name";
        let mut statement = self.connection.prepare(asked)?;
        let all = statement.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let all = all.collect::<rusqlite::Result<Vec<_>>>()?;
        let of_old = all.into_iter().filter(|(_, sql)| is_of_old(sql));
        Ok(of_old.map(|(name, _)| name).collect())
    }

    fn taken(&self) -> rusqlite::Result<BTreeSet<String>> {
        let asked = "SELECT provider_dispatch_id FROM agent_tasks WHERE substr(provider_dispatch_id, 1, length(?1)) = ?1 \
             AND provider_dispatch_id <> ?1 || id";
        let mut statement = self.connection.prepare(asked)?;
        let ids = statement.query_map([LEGACY_PREFIX], |row| row.get(0))?;
        ids.collect()
    }
}

/// Rows in the order of their ids.
pub(super) fn select() -> String {
    format!(
        "SELECT {} FROM agent_tasks WHERE id > ?1 ORDER BY id LIMIT ?2",
        columns()
    )
}

/// The strict form where nothing stands against it: no Studio that writes the newer marker can open an SQLite file.
fn schema(look: &mut Look, sql: &str, broken: Broken) {
    let Broken([strict, wide]) = broken;
    let (form, mut broken) = if look.plan.runs.newer_markers == 0 {
        (Form::Strict, strict)
    } else {
        (Form::WithNewerMarkers, wide)
    };
    let Some(definition) = Definition::parse(sql) else {
        look.plan.remarks.push(
                "the definition of agent_tasks is written in a way that is not understood: its defaults and constraints are left alone".into(),
            );
        return;
    };
    let barred: BTreeSet<Check> = broken.keys().copied().collect();
    let rewritten = definition.rewritten(form, &barred);
    // Only what would have been changed is worth a word.
    let wanted = definition.rewritten(form, &BTreeSet::new());
    for check in wanted.checks().filter(|check| barred.contains(check)) {
        look.plan.blocked.extend(broken.remove(&check));
    }
    if rewritten.changes.is_empty() {
        return;
    }
    if !rewritten.is_sound() {
        look.plan.remarks.push(
                "the definition of agent_tasks cannot be rewritten safely: its defaults and constraints are left alone".into(),
            );
        return;
    }
    look.plan.schema.clone_from(&rewritten.changes);
    look.table = Some(rewritten);
}
