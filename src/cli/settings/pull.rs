//! `settings pull`: what Studio or a ConfigMap holds becomes what the settings file says.

use super::{change, document};
use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Format};
use crate::cli::session::{self, Setup};
use crate::cli::studio::{Reach, Via};
use crate::domain::settings::held::{CONFIG_MAPS, Held};
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::Layer;
use crate::domain::settings::problem::Problem;
use crate::domain::settings::value::Value;
use clap::ValueEnum;
use serde_json::json;
use std::path::Path;

/// Where settings are pulled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    /// Rows of Studio's database
    Studio,
    /// The ConfigMap that llmctl's workloads take their environment from
    Configmap,
}

/// Arguments of `settings pull`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to read
    #[arg(long, value_enum)]
    from: From,
    #[command(flatten)]
    reach: Reach,
    /// How Studio is reached: by its database, or by its own HTTP endpoint
    #[arg(long, value_enum, default_value_t = Via::Sql, conflicts_with = "postgres")]
    via: Via,
    /// Keys to pull; without any, all that are kept there
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    /// Show what would change in the settings file; write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `settings pull`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub(super) async fn run(globals: &Globals, path: &Path, args: Args) -> Result<Exit, Failure> {
    let setup = Setup::read(globals)?;
    let keys = keys(&args)?;
    let held = match args.from {
        From::Studio if args.via == Via::Http => {
            let world = session::open(globals, &setup).await?;
            let page = world.cluster().studio_page(world.namespace()).await;
            world.close().await;
            page?.held
        }
        From::Studio => {
            let mut door = args.reach.open(globals, &setup).await?;
            let read = door.studio.database.settings().await;
            door.close().await;
            read?.held
        }
        From::Configmap => configmap(globals, &setup).await?,
    };
    held.layer
        .remarks
        .iter()
        .for_each(|remark| output::progress(remark));
    for problem in &held.layer.problems {
        output::complain(&problem.to_string());
    }
    let wanted = wanted(&held, setup.settings.file(), &keys);
    if !args.dry_run {
        return change::change(globals, path, wanted);
    }
    let edits = change::edits(path, wanted)?;
    match globals.output {
        Format::Text => {
            for edit in &edits {
                output::foreign_line(&edit.to_string())?;
            }
            output::foreign_line(&format!(
                "would change {} in {}",
                edits.len(),
                path.display()
            ))?;
        }
        format => output::document(
            format,
            &json!({
                "schema": "llmctl-dev/settings-pull/v1",
                "from": held.store,
                "name": held.name,
                "file": path,
                "dry_run": true,
                "edits": edits.iter().map(document::edit).collect::<Vec<_>>(),
            }),
        )?,
    }
    Ok(Exit::Ok)
}

async fn configmap(globals: &Globals, setup: &Setup) -> Result<Held, Failure> {
    let world = session::open(globals, setup).await?;
    let found = world.cluster().settings_maps(world.namespace()).await;
    let namespace = world.namespace().to_owned();
    world.close().await;
    found?.into_iter().next().ok_or_else(|| {
        let names = CONFIG_MAPS.join(" or ");
        Failure::invalid(format!(
            "there is no ConfigMap {names} in namespace {namespace}"
        ))
    })
}

fn keys(args: &Args) -> Result<Vec<Key>, Failure> {
    let known = |name: &String| match Key::of_name(name) {
        Some(key) if key.is_secret() => Err(Failure::invalid(format!(
            "{key} is write-only and never in a file: `settings kubeconfig show` tells of it"
        ))),
        Some(key) => Ok(key),
        None => Err(Failure::invalid(Problem::unknown(name).to_string())),
    };
    args.keys.iter().map(known).collect()
}

/// What the file must say so that it means the same: a default that the file does not name is left unnamed.
fn wanted(held: &Held, file: &Layer, keys: &[Key]) -> Vec<(Key, Option<Value>)> {
    let wanted = |key: Key| {
        let named = keys.is_empty() || keys.contains(&key);
        // Stored and unreadable is told, and changes nothing.
        let unreadable = held.texts.contains_key(&key) && held.says(key).is_none();
        if !named || unreadable || !held.can_hold(key) || key == Key::Provider {
            return None;
        }
        let default = key.default();
        let theirs = held.says(key).cloned().or_else(|| default.clone());
        let ours = file.values.get(&key).cloned().or_else(|| default.clone());
        (theirs != ours).then(|| (key, theirs.filter(|value| Some(value) != default.as_ref())))
    };
    Key::ALL.into_iter().filter_map(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_becomes_what_the_file_says() {
        let held = Held::of_rows(
            "x",
            [
                ("k8s_gpu_limit", "2"),
                ("k8s_job_ttl_seconds", "1800"),
                ("provider", "kubernetes"),
                ("k8s_namespace", "default"),
            ],
        );
        let mut file = Layer::default();
        file.values.insert(Key::K8sJobTtlSeconds, Value::Whole(60));
        file.values
            .insert(Key::K8sServiceAccount, Value::Text("x".into()));
        file.values
            .insert(Key::K8sLiveCodeEnabled, Value::Flag(true));
        assert_eq!(
            wanted(&held, &file, &[]),
            [
                (Key::K8sJobTtlSeconds, None),
                (Key::K8sServiceAccount, None),
                (Key::K8sGpuLimit, Some(Value::Whole(2))),
            ]
        );
        assert_eq!(wanted(&held, &file, &[Key::K8sNamespace]), []);
    }
}
