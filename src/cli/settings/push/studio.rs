//! `settings push --to studio`: rows of Studio's database, in one transaction.

use super::{Args, consented};
use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Format};
use crate::cli::session::Setup;
use crate::cli::settings::text;
use crate::cli::studio::Door;
use crate::domain::settings::held::StoredChange;
use crate::domain::settings::key::Key;
use crate::domain::target::Target;
use jiff::Timestamp;
use serde_json::json;

/// Runs it.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub(super) async fn run(
    globals: &Globals,
    setup: &Setup,
    args: &Args,
    keys: &[Key],
) -> Result<Exit, Failure> {
    no_row(args, keys)?;
    let mut door = args.reach.open(globals, setup).await?;
    let done = push(globals, setup, args, keys, &mut door).await;
    door.close().await;
    done
}

/// Keys that somebody named are not left out without a word.
pub(super) fn no_row(args: &Args, keys: &[Key]) -> Result<(), Failure> {
    if let Some(key) = keys
        .iter()
        .find(|key| !args.keys.is_empty() && !key.is_studio_row())
    {
        return Err(Failure::invalid(format!(
            "Studio keeps no row of {key}: it comes from the environment of its pods, push it with --to configmap"
        )));
    }
    Ok(())
}

async fn push(
    globals: &Globals,
    setup: &Setup,
    args: &Args,
    keys: &[Key],
    door: &mut Door,
) -> Result<Exit, Failure> {
    let held = door.studio.database.settings().await?.held;
    held.layer
        .remarks
        .iter()
        .for_each(|remark| output::progress(remark));
    let changes = held.changes(setup.settings.effective(), keys);
    let diff = text::pushing(&held, &changes);
    diff.lines().for_each(output::progress);
    if !changes.is_empty() && !args.dry_run {
        let n = changes.len();
        let ending = if n == 1 { "" } else { "s" };
        let question = format!("Write {n} setting{ending} to Studio, {}?", door.place());
        if !args.yes {
            consented(&question)?;
        }
        let now = Timestamp::now();
        door.studio
            .database
            .write_settings(&held, &changes, now)
            .await?;
    }
    report(globals, args, (door.target(), &door.place()), &changes)?;
    Ok(Exit::Ok)
}

/// What was written, or would be; `place` names where, and the cluster that it is in.
pub(super) fn report(
    globals: &Globals,
    args: &Args,
    (target, place): (Option<&Target>, &str),
    changes: &[StoredChange],
) -> Result<(), Failure> {
    if globals.output != Format::Text {
        return output::document(
            globals.output,
            &json!({
                "schema": "llmctl-dev/settings-push/v1",
                "target": target,
                "to": "studio",
                "place": place,
                "dry_run": args.dry_run,
                "changes": changes,
            }),
        );
    }
    let n = changes.len();
    output::foreign_line(&match (n, args.dry_run) {
        (0, _) => format!("Studio, {place}, says the same: nothing to push"),
        (n, true) => format!("would push {n} to Studio, {place}"),
        (n, false) => format!("pushed {n} to Studio, {place}; it reads them with its next run"),
    })
}
