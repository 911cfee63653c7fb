//! Work on an SQLite file, where it may block, stopped by a signal.

use super::meter::Meter;
use crate::cli::exit::Failure;
use crate::cli::headless::caught;
use crate::database::migration::{Request, sqlite};
use crate::domain::migration::Plan;
use crate::files::backup::{Backup, Writer};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a migration would do.
///
/// # Errors
/// When the file cannot be read as a Studio's.
pub(super) async fn plan(path: PathBuf, request: Request) -> Result<Plan, Failure> {
    blocking(move |meter, _| sqlite::plan(&path, &request, &mut |step| meter.show(step)))
        .await?
        .map_err(Failure::from)
}

/// Migrates, and gives the backup's writer back.
pub(super) async fn apply(
    path: PathBuf,
    request: Request,
    shown: Plan,
    writer: Writer,
) -> (Writer, Result<Plan, Failure>) {
    let place = writer.path().to_owned();
    let work = blocking(move |meter, stop| {
        let mut writer = writer;
        let mut keep = |line: crate::domain::migration::backup::Line<'_>| writer.take(line);
        let mut told = |step| meter.show(step);
        let done = sqlite::apply(&path, &request, Some(&shown), &mut keep, &mut told, stop);
        (writer, done)
    });
    match work.await {
        Ok((writer, done)) => (writer, done.map_err(Failure::from)),
        Err(failure) => (Writer::new(place), Err(failure)),
    }
}

/// Puts a backup back.
///
/// # Errors
/// When rows changed since, or the file cannot be written.
pub(super) async fn restore(
    path: PathBuf,
    backup: Backup,
    force: bool,
    patience: Duration,
) -> Result<u64, Failure> {
    let header = backup.header().clone();
    let work = blocking(move |meter, stop| {
        let mut told = |step| meter.show(step);
        sqlite::restore(
            &path,
            &header,
            backup.rows(),
            force,
            patience,
            &mut told,
            stop,
        )
    });
    work.await?.map_err(Failure::from)
}

/// Runs `work` on a thread of its own; a signal sets what it looks at, and its end is waited for.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&mut Meter, &AtomicBool) -> T + Send + 'static,
) -> Result<T, Failure> {
    let mut signals = caught()?;
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    let mut work = tokio::task::spawn_blocking(move || {
        let mut meter = Meter::new();
        let done = work(&mut meter, &seen);
        meter.end();
        done
    });
    let done = tokio::select! {
        done = &mut work => done,
        () = signals.any() => {
            stop.store(true, Ordering::Relaxed);
            work.await
        }
    };
    done.map_err(|error| Failure::other(format!("the work on the file broke off: {error}")))
}
