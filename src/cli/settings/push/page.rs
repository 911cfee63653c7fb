//! `settings push --to studio --via http`: Studio's own endpoint, with all fields (W47).

use super::studio::{no_row, report};
use super::{Args, consented, text};
use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::cli::session::{self, Setup};
use crate::domain::settings::key::Key;
use crate::runtime::World;

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
    let world = session::open(globals, setup).await?;
    let done = push(globals, setup, args, keys, &world).await;
    world.close().await;
    done
}

async fn push(
    globals: &Globals,
    setup: &Setup,
    args: &Args,
    keys: &[Key],
    world: &World,
) -> Result<Exit, Failure> {
    let page = world.cluster().studio_page(world.namespace()).await?;
    page.held
        .layer
        .remarks
        .iter()
        .for_each(|remark| output::progress(remark));
    let changes = page.held.changes(setup.settings.effective(), keys);
    text::pushing(&page.held, &changes)
        .lines()
        .for_each(output::progress);
    let place = format!(
        "its page in {} @ {}",
        world.namespace(),
        world.target().badge()
    );
    if !changes.is_empty() && !args.dry_run {
        let n = changes.len();
        let ending = if n == 1 { "" } else { "s" };
        if !args.yes {
            consented(&format!("Write {n} setting{ending} to Studio, {place}?"))?;
        }
        world.cluster().save_studio_page(&page, &changes).await?;
    }
    report(globals, args, (Some(world.target()), &place), &changes)?;
    Ok(Exit::Ok)
}
