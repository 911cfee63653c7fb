//! One transaction that changes rows: the lock, a look whether they are still what was seen, the changes, a look whether they are there.

use super::{PATIENCE, PROVIDER};
use crate::database::error::Error;
use crate::database::postgres::{Postgres, lock};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;

const DOING: &str = "writing the settings";

/// What to make of one row.
pub(super) struct Change<'a> {
    pub(super) key: &'a str,
    /// Absent: no row.
    pub(super) to: Option<&'a str>,
}

/// Why the transaction was not committed.
enum Stop {
    Sql(tokio_postgres::Error),
    Locked,
    /// These rows are not what was seen.
    Changed(Vec<String>),
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl Postgres {
    /// `seen` names every row that must still be as it was; absent is no row.
    pub(super) async fn write(
        &mut self,
        seen: &[(&str, Option<&str>)],
        changes: &[Change<'_>],
        now: Timestamp,
    ) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let place = self.place().to_owned();
        let lost = || Error::Lost {
            place: place.clone(),
            doing: DOING.to_owned(),
        };
        let patience = self.lock_patience();
        let client = self.client();
        let prepared = async {
            let transaction = client.transaction().await?;
            match make(&transaction, patience, seen, changes, now).await {
                Ok(()) => Ok(transaction),
                Err(stop) => {
                    // Dropped, it would be rolled back at some time: whoever is told that nothing was changed may go on.
                    let _ = transaction.rollback().await;
                    Err(stop)
                }
            }
        };
        let stop = match tokio::time::timeout(PATIENCE, prepared).await {
            Err(_) => return Err(lost()),
            Ok(Ok(transaction)) => return commit(&place, transaction).await,
            Ok(Err(stop)) => stop,
        };
        Err(match stop {
            Stop::Locked => self.locked().await,
            Stop::Changed(keys) => Error::Changed { place, keys },
            // Studio writes without the lock: a row that it made meanwhile is in the way of ours.
            Stop::Sql(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                let keys = changes.iter().map(|change| change.key.to_owned()).collect();
                Error::Changed { place, keys }
            }
            Stop::Sql(error) => Error::while_doing(&place, DOING, &error),
        })
    }
}

async fn commit(place: &str, transaction: Transaction<'_>) -> Result<(), Error> {
    match tokio::time::timeout(PATIENCE, transaction.commit()).await {
        Ok(Ok(())) => Ok(()),
        // The server said no: it rolled back. Without its word nobody knows.
        Ok(Err(error)) if error.as_db_error().is_some() => {
            Err(Error::while_doing(place, DOING, &error))
        }
        _ => Err(Error::Uncertain {
            place: place.to_owned(),
        }),
    }
}

/// Everything but the commit.
async fn make(
    transaction: &Transaction<'_>,
    patience: Duration,
    seen: &[(&str, Option<&str>)],
    changes: &[Change<'_>],
    now: Timestamp,
) -> Result<(), Stop> {
    if !lock(transaction, patience).await? {
        return Err(Stop::Locked);
    }
    let before = rows(transaction, " FOR UPDATE").await?;
    let is_other =
        |(key, text): &&(&str, Option<&str>)| before.get(*key).map(String::as_str) != *text;
    let other: Vec<String> = seen
        .iter()
        .filter(is_other)
        .map(|(key, _)| (*key).to_owned())
        .collect();
    if !other.is_empty() {
        return Err(Stop::Changed(other));
    }
    for change in changes {
        let written = match change.to {
            None => {
                let statement = "DELETE FROM integration_settings WHERE provider = $1 AND key = $2";
                transaction
                    .execute(statement, &[&PROVIDER, &change.key])
                    .await?;
                continue;
            }
            Some(text) if before.contains_key(change.key) => {
                let statement = "UPDATE integration_settings SET value = $3, updated_at = $4 WHERE provider = $1 AND key = $2";
                transaction
                    .execute(statement, &[&PROVIDER, &change.key, &text, &now])
                    .await?
            }
            Some(text) => {
                let statement = "INSERT INTO integration_settings (provider, key, value, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)";
                transaction
                    .execute(statement, &[&PROVIDER, &change.key, &text, &now])
                    .await?
            }
        };
        debug_assert_eq!(written, 1, "the row is locked, and its key is unique");
    }
    // A trigger or a rule of the database could make something else of it.
    let after = rows(transaction, "").await?;
    let is_wrong = |change: &&Change<'_>| after.get(change.key).map(String::as_str) != change.to;
    let wrong: Vec<String> = changes
        .iter()
        .filter(is_wrong)
        .map(|change| change.key.to_owned())
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Stop::Changed(wrong))
    }
}

async fn rows(
    transaction: &Transaction<'_>,
    locked: &str,
) -> Result<BTreeMap<String, String>, tokio_postgres::Error> {
    let asked = format!("SELECT key, value FROM integration_settings WHERE provider = $1{locked}");
    let rows = transaction.query(&asked, &[&PROVIDER]).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}
