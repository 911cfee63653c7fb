//! A migration from the open database to its end, the same for the terminal UI and the command line.

use super::studio::{SECRET_VARIABLE, Studio};
use crate::database::crypto::Secret;
use crate::database::error::Error as DatabaseError;
use crate::database::migration::error::Error;
use crate::database::migration::{Request, postgres, sqlite};
use crate::database::postgres::Postgres;
use crate::domain::migration::backup::Line;
use crate::domain::migration::{Plan, Step};
use crate::files::backup::{Backup, Writer};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// Hears how far the work is.
pub type Tell = Box<dyn FnMut(Step) + Send>;

/// A new file for a backup below a directory, named by the time.
pub fn backup_path(folder: &Path, now: Timestamp) -> PathBuf {
    let now = now.strftime("%Y%m%dT%H%M%S%.6fZ").to_string();
    folder.join("migrations").join(format!("{now}.jsonl"))
}

/// What ends a migration before its commit. Clones pull the same.
#[derive(Clone, Debug, Default)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Ends the work, which rolls back.
    pub fn pull(&self) {
        self.0.send_replace(true);
    }

    /// Waits until somebody pulls.
    async fn pulled(&self) {
        let mut seen = self.0.subscribe();
        // We hold a sender ourselves, so that it cannot end in another way.
        let _ = seen.wait_for(|is| *is).await;
    }
}

/// A database that is open.
#[derive(Debug)]
pub enum Open {
    Postgres(Box<Studio>),
    /// A file is opened by whoever works on it.
    Sqlite(PathBuf),
}

impl Open {
    /// How messages name it.
    pub fn place(&self) -> String {
        match self {
            Self::Postgres(studio) => studio.database.place().to_owned(),
            Self::Sqlite(path) => sqlite::place(path),
        }
    }

    /// Studio's secret, when somebody named it.
    pub fn secret(&self) -> Option<Secret> {
        match self {
            Self::Postgres(studio) => (!studio.default_secret).then(|| studio.secret.clone()),
            Self::Sqlite(_) => std::env::var(SECRET_VARIABLE)
                .ok()
                .filter(|secret| !secret.trim().is_empty())
                .map(|secret| Secret::new(&secret)),
        }
    }

    /// What a migration would do; reads on a connection that cannot write.
    ///
    /// # Errors
    /// When it is no Studio's database, or cannot be read.
    pub async fn plan(&mut self, request: &Request, mut tell: Tell) -> Result<Plan, Error> {
        match self {
            Self::Postgres(studio) => {
                postgres::plan(&mut studio.database, request, &mut *tell).await
            }
            Self::Sqlite(path) => {
                let (path, request) = (path.clone(), request.clone());
                blocking(&path.clone(), &Stop::default(), move |_| {
                    sqlite::plan(&path, &request, &mut *tell)
                })
                .await?
            }
        }
    }

    /// Migrates: the backup goes to `backup` first, then one transaction that verifies itself. `shown` is what a person agreed
    /// to. `stop` pulled, all of it is rolled back; a commit that was sent is waited for.
    ///
    /// # Errors
    /// When anything fails, or it was stopped: the database is as it was. The backup stays only when nobody knows.
    pub async fn apply(
        &mut self,
        request: &Request,
        shown: Plan,
        backup: PathBuf,
        tell: Tell,
        stop: &Stop,
    ) -> Result<Plan, Error> {
        let mut writer = Writer::new(backup);
        let done = match self {
            Self::Postgres(studio) => {
                of_postgres(
                    &mut studio.database,
                    request,
                    &shown,
                    &mut writer,
                    tell,
                    stop,
                )
                .await
            }
            Self::Sqlite(path) => {
                let (path, request) = (path.clone(), request.clone());
                let (place, named) = (writer.path().to_owned(), path.clone());
                let work = blocking(&named, stop, move |stop| {
                    let (mut writer, mut tell) = (writer, tell);
                    let mut keep = |line: Line<'_>| writer.take(line);
                    let done =
                        sqlite::apply(&path, &request, Some(&shown), &mut keep, &mut *tell, stop);
                    (writer, done)
                });
                match work.await {
                    Ok((given_back, done)) => {
                        writer = given_back;
                        done
                    }
                    Err(error) => {
                        writer = Writer::new(place);
                        Err(error)
                    }
                }
            }
        };
        done.inspect_err(|error| {
            let unknown = matches!(error, Error::Database(DatabaseError::Uncertain { .. }));
            if !unknown && writer.is_finished() {
                // Nothing was changed, so that it would be a backup of nothing.
                let _ = std::fs::remove_file(writer.path());
            }
        })
    }

    /// Puts a backup back in one transaction; gives how many rows there were.
    ///
    /// # Errors
    /// When rows changed since and it is not forced, or the database cannot be written, or it was stopped.
    pub async fn restore(
        &mut self,
        backup: Backup,
        force: bool,
        patience: Duration,
        mut tell: Tell,
        stop: &Stop,
    ) -> Result<u64, Error> {
        let header = backup.header().clone();
        match self {
            Self::Postgres(studio) => {
                let work = postgres::restore(
                    &mut studio.database,
                    &header,
                    backup.rows(),
                    force,
                    patience,
                    &mut *tell,
                );
                tokio::select! {
                    restored = work => restored,
                    () = stop.pulled() => Err(Error::Interrupted),
                }
            }
            Self::Sqlite(path) => {
                let path = path.clone();
                blocking(&path.clone(), stop, move |stop| {
                    let rows = backup.rows();
                    sqlite::restore(&path, &header, rows, force, patience, &mut *tell, stop)
                })
                .await?
            }
        }
    }

    /// Ends the connection, where there is one.
    pub async fn close(self) {
        if let Self::Postgres(studio) = self {
            studio.database.close().await;
        }
    }
}

async fn of_postgres(
    database: &mut Postgres,
    request: &Request,
    shown: &Plan,
    writer: &mut Writer,
    mut tell: Tell,
    stop: &Stop,
) -> Result<Plan, Error> {
    let mut keep = |line: Line<'_>| writer.take(line);
    let ready = tokio::select! {
        ready = postgres::apply(database, request, Some(shown), &mut keep, &mut *tell) => ready,
        () = stop.pulled() => Err(Error::Interrupted),
    };
    // From here on it is too late to stop: a commit that was sent happens or not, and has to be waited for.
    ready?.commit().await
}

/// Runs `work` on a thread of its own. `stop` sets the flag that it looks at, and its end is waited for.
async fn blocking<T: Send + 'static>(
    path: &Path,
    stop: &Stop,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> Result<T, Error> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = flag.clone();
    let mut work = tokio::task::spawn_blocking(move || work(&seen));
    let done = tokio::select! {
        done = &mut work => done,
        () = stop.pulled() => {
            flag.store(true, Ordering::Relaxed);
            work.await
        }
    };
    done.map_err(|error| Error::Sqlite {
        path: path.to_owned(),
        doing: "the work on it".to_owned(),
        reason: error.to_string(),
    })
}
