//! Run rows by the thousand: read in the order of their ids, written with one statement.

use super::Work;
use crate::database::migration::BATCH;
use crate::database::migration::error::Error;
use crate::domain::migration::runs::{Cells, Column, RunRow};
use std::fmt::Write as _;

/// Reads all rows, a batch at a time; memory holds one batch.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// The id of the last row that was read.
    last: Option<i64>,
}

impl Cursor {
    /// The next rows, or none after the last.
    pub(super) async fn next(&mut self, work: &Work<'_, '_>) -> Result<Option<Vec<RunRow>>, Error> {
        // `ORDER BY id` alone would mean the column of the answer, which is another type and has no index.
        let sql = format!(
            "SELECT {} FROM agent_tasks AS t WHERE t.id > $1::bigint ORDER BY t.id LIMIT {BATCH}",
            columns()
        );
        let last = self.last.unwrap_or(i64::MIN);
        let rows = work.transaction.query(&sql, &[&last]).await;
        let rows: Vec<RunRow> = work
            .done(rows, "reading the run rows")?
            .iter()
            .map(read)
            .collect();
        self.last = rows.last().map(|row| row.id);
        Ok(self.last.map(|_| rows))
    }
}

impl Work<'_, '_> {
    /// The rows of these ids, in the order of ids.
    pub(super) async fn run_rows(&self, ids: &[i64]) -> Result<Vec<RunRow>, Error> {
        let sql = format!(
            "SELECT {} FROM agent_tasks AS t WHERE t.id = ANY($1::bigint[]) ORDER BY t.id",
            columns()
        );
        let rows = self.transaction.query(&sql, &[&ids]).await;
        Ok(self
            .done(rows, "reading the run rows")?
            .iter()
            .map(read)
            .collect())
    }

    /// Writes the eleven columns of these rows; gives how many there were.
    pub(super) async fn write_rows(&self, rows: &[(i64, Cells)]) -> Result<u64, Error> {
        let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
        let columns: Vec<Vec<Option<&str>>> = Column::ALL
            .iter()
            .map(|column| rows.iter().map(|(_, cells)| cells.text(*column)).collect())
            .collect();
        let (mut set, mut arrays, mut names) = (Vec::new(), String::new(), String::new());
        for (at, column) in Column::ALL.into_iter().enumerate() {
            let cast = if column.is_flag() { "::boolean" } else { "" };
            set.push(format!("{} = n.c{at}{cast}", column.name()));
            let _ = write!(arrays, ", ${}::text[]", at + 2);
            let _ = write!(names, ", c{at}");
        }
        let sql = format!(
            "UPDATE agent_tasks AS t SET {} FROM unnest($1::bigint[]{arrays}) AS n(id{names}) WHERE t.id = n.id",
            set.join(", ")
        );
        let mut values: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![&ids];
        for column in &columns {
            values.push(column);
        }
        let written = self.transaction.execute(&sql, &values).await;
        self.done(written, "writing the run rows")
    }
}

/// Id, state and the eleven columns as text.
fn columns() -> String {
    let cells: Vec<String> = Column::ALL
        .iter()
        .map(|column| format!("{}::text", column.name()))
        .collect();
    format!("id::bigint, status::text, {}", cells.join(", "))
}

fn read(row: &tokio_postgres::Row) -> RunRow {
    RunRow {
        id: row.get(0),
        status: row.get::<_, Option<String>>(1).unwrap_or_default(),
        cells: Cells(std::array::from_fn(|at| row.get(at + 2))),
    }
}
