//! The migration of a PostgreSQL.

mod look;
mod restore;
mod rows;
mod write;

pub use restore::restore;

use super::error::Error;
use super::{Keep, Request, Told};
use crate::database::error::Error as DatabaseError;
use crate::database::postgres::{Postgres, lock};
use crate::domain::migration::backup::{Before, Engine, Header, Line, SCHEMA};
use crate::domain::migration::{Plan, Step};
use look::Look;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{IsolationLevel, Transaction};

/// What a migration would do. The transaction cannot write.
///
/// # Errors
/// When the database is no Studio's, or the connection fails.
pub async fn plan(
    postgres: &mut Postgres,
    request: &Request,
    told: &mut Told<'_>,
) -> Result<Plan, Error> {
    let place = postgres.place().to_owned();
    let transaction = postgres
        .client()
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(|e| DatabaseError::while_doing(&place, "beginning to read", &e))?;
    let work = Work::new(&transaction, &place);
    let look = work
        .look(request, &mut |rows| told(Step::Planning { rows }))
        .await?;
    transaction
        .rollback()
        .await
        .map_err(|e| DatabaseError::while_doing(&place, "ending to read", &e))?;
    Ok(look.plan)
}

/// A migration that is done and verified, and waits to be committed. Dropped, it is rolled back.
pub struct Ready<'a> {
    transaction: Transaction<'a>,
    place: String,
    plan: Plan,
}

impl std::fmt::Debug for Ready<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ready").field(&self.place).finish()
    }
}

impl Ready<'_> {
    /// What was done.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Makes it last.
    ///
    /// # Errors
    /// When the connection is lost meanwhile: then nobody knows whether it lasts.
    pub async fn commit(self) -> Result<Plan, Error> {
        let place = self.place;
        self.transaction.commit().await.map_err(|error| {
            match DatabaseError::while_doing(&place, "the commit", &error) {
                DatabaseError::Lost { place, .. } => DatabaseError::Uncertain { place },
                other => other,
            }
        })?;
        Ok(self.plan)
    }
}

/// Does the migration, up to the commit: lock, plan, backup, changes, verification. `shown` is the plan that a person
/// agreed to; another one is not applied.
///
/// # Errors
/// When a lock cannot be had in time, the backup cannot be written, the verification fails or the connection does. The
/// database is as it was then.
pub async fn apply<'a>(
    postgres: &'a mut Postgres,
    request: &Request,
    shown: Option<&Plan>,
    keep: &mut Keep<'_>,
    told: &mut Told<'_>,
) -> Result<Ready<'a>, Error> {
    let place = postgres.place().to_owned();
    told(Step::Waiting);
    lock_or_say_who(postgres, request.patience).await?;
    let transaction = begin(postgres, &place, request.patience).await?;
    let work = Work::new(&transaction, &place);
    work.lock_tables(request.patience).await?;
    let look = work
        .look(request, &mut |rows| told(Step::Planning { rows }))
        .await?;
    if shown.is_some_and(|shown| *shown != look.plan) {
        let now = look.plan.summary();
        return Err(Error::Moved { place, now });
    }
    if !look.plan.is_empty() {
        let header = Header {
            schema: SCHEMA.to_owned(),
            engine: Engine::Postgresql,
            database: place.clone(),
            made_at: request.now.to_string(),
            changes: look.plan.schema.iter().filter_map(Before::of).collect(),
        };
        work.back_up(&look, &header, keep, told).await?;
        work.change(&look, request, told).await?;
        work.verify(&look, request, told).await?;
    }
    Ok(Ready {
        plan: look.plan,
        transaction,
        place,
    })
}

/// Waits for the lock on a transaction of its own, so that the one who holds it can still be asked for.
async fn lock_or_say_who(postgres: &mut Postgres, patience: Duration) -> Result<(), Error> {
    let place = postgres.place().to_owned();
    let failed =
        |e: &tokio_postgres::Error| DatabaseError::while_doing(&place, "taking the lock", e);
    let transaction = postgres
        .client()
        .transaction()
        .await
        .map_err(|e| failed(&e))?;
    let locked = lock(&transaction, patience).await.map_err(|e| failed(&e))?;
    transaction.rollback().await.map_err(|e| failed(&e))?;
    if locked {
        return Ok(());
    }
    Err(DatabaseError::Locked {
        place,
        holder: postgres.holder().await,
        seconds: patience.as_secs(),
    }
    .into())
}

/// A transaction with the lock.
async fn begin<'a>(
    postgres: &'a mut Postgres,
    place: &str,
    patience: Duration,
) -> Result<Transaction<'a>, Error> {
    let failed =
        |e: &tokio_postgres::Error| DatabaseError::while_doing(place, "taking the lock", e);
    let transaction = postgres
        .client()
        .transaction()
        .await
        .map_err(|e| failed(&e))?;
    if !lock(&transaction, patience).await.map_err(|e| failed(&e))? {
        return Err(DatabaseError::Locked {
            place: place.to_owned(),
            holder: "somebody".to_owned(),
            seconds: patience.as_secs(),
        }
        .into());
    }
    // Times as text must not depend on where the server is. A number needs no time zones on the server, which a small image
    // may not have.
    transaction
        .batch_execute("SET LOCAL TIME ZONE 0")
        .await
        .map_err(|e| failed(&e))?;
    Ok(transaction)
}

/// A transaction at work.
struct Work<'t, 'c> {
    transaction: &'t Transaction<'c>,
    place: &'t str,
}

impl<'t, 'c> Work<'t, 'c> {
    fn new(transaction: &'t Transaction<'c>, place: &'t str) -> Self {
        Self { transaction, place }
    }

    /// The result of a statement, with what it was for.
    fn done<T>(&self, result: Result<T, tokio_postgres::Error>, doing: &str) -> Result<T, Error> {
        result.map_err(|e| DatabaseError::while_doing(self.place, doing, &e).into())
    }

    /// Nobody else writes from here on. The table of runs is taken whole at once: taking more of it later could wait
    /// for somebody who waits for us.
    async fn lock_tables(&self, patience: Duration) -> Result<(), Error> {
        for (table, mode) in [
            ("integration_settings", "SHARE ROW EXCLUSIVE"),
            ("agent_tasks", "ACCESS EXCLUSIVE"),
        ] {
            if !self.has_table(table).await? {
                continue;
            }
            let sql = format!("LOCK TABLE {table} IN {mode} MODE");
            match self.transaction.batch_execute(&sql).await {
                Err(e) if e.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                    return Err(Error::TablesInUse {
                        place: self.place.to_owned(),
                        seconds: patience.as_secs(),
                    });
                }
                other => self.done(other, "locking the tables")?,
            }
        }
        Ok(())
    }

    async fn has_table(&self, table: &str) -> Result<bool, Error> {
        let asked = "SELECT to_regclass($1) IS NOT NULL";
        let row = self.transaction.query_one(asked, &[&table]).await;
        Ok(self.done(row, "looking for the tables")?.get(0))
    }

    /// A second look must find nothing left to do, and every row that was not meant to go.
    async fn verify(
        &self,
        before: &Look,
        request: &Request,
        told: &mut Told<'_>,
    ) -> Result<(), Error> {
        let of = before.plan.runs.looked_at;
        let after = self
            .look(request, &mut |rows| told(Step::Verifying { rows, of }))
            .await?;
        let lost = after.plan.runs.looked_at != of
            || after.settings.len() + before.plan.settings.deleted() != before.settings.len();
        if after.plan.is_empty() && !lost {
            return Ok(());
        }
        Err(Error::NotSettled {
            place: self.place.to_owned(),
            left: if lost {
                "rows are missing".into()
            } else {
                after.plan.summary()
            },
        })
    }
}

/// A backup that cannot be written.
fn not_kept(error: std::io::Error) -> Error {
    Error::Backup {
        reason: error.to_string(),
    }
}

/// The end of a backup: it is on the disk.
fn kept(keep: &mut Keep<'_>) -> Result<(), Error> {
    keep(Line::End).map_err(not_kept)
}
