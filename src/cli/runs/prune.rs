//! `runs prune`: what runs left behind, listed with age and size, and removed when the namespace's name is typed.

use super::super::args::Globals;
use super::super::exit::{Exit, Failure};
use super::super::headless::Headless;
use super::super::output::{self, Format};
use super::{ask, table};
use crate::domain::orphans::{Orphan, size};
use crate::domain::target::Target;
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    target: &'a Target,
    namespace: &'a str,
    orphans: &'a [Orphan],
    /// Names of what was removed; null when nothing was to be.
    removed: Option<Vec<&'a str>>,
}

/// Lists, asks, removes.
pub(super) async fn prune(
    globals: &Globals,
    headless: &mut Headless,
    dry_run: bool,
    yes: bool,
) -> Result<Exit, Failure> {
    let namespace = &headless.world.namespace().to_owned();
    let cluster = headless.world.cluster();
    let orphans = cluster.orphans(namespace, headless.now()).await?;
    let text = globals.output == Format::Text;
    if text {
        output::text(&table::orphans(&orphans, namespace, headless.now()))?;
    }
    let mut removed = None;
    if !dry_run && !orphans.is_empty() {
        if !yes {
            let bytes = orphans.iter().map(|one| one.bytes).sum();
            let what = format!("Remove these {} objects ({})", orphans.len(), size(bytes));
            ask::typed(headless, &what)?;
        }
        let mut names = Vec::new();
        for orphan in &orphans {
            let wants = headless
                .runs
                .cancel_asked(&orphan.run(), headless.world.now());
            headless.want(wants, false);
            let cluster = headless.world.cluster();
            cluster.remove_orphan(namespace, orphan).await?;
            output::progress(&format!("{} {} was removed", orphan.kind, orphan.name));
            names.push(orphan.name.as_str());
        }
        removed = Some(names);
    }
    if !text {
        output::document(
            globals.output,
            &Document {
                schema: "llmctl-dev/orphans/v1",
                target: headless.world.target(),
                namespace,
                orphans: &orphans,
                removed,
            },
        )?;
    }
    Ok(Exit::Ok)
}
