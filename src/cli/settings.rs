//! `settings` on the command line: show, get, set, unset, push, pull, kubeconfig, validate, path. Only what reads or writes the cluster needs one.

mod change;
mod document;
mod exchange;
mod kubeconfig;
mod pull;
mod push;
mod text;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::output::{self, Format};
use super::session::{self, Setup};
use crate::domain::settings::held::{Elsewhere, Store};
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::Layered;
use crate::domain::settings::problem::Problem;
use crate::files::located::ReadError;
use crate::files::paths::Paths;
use crate::files::settings as file;
use crate::runtime::studio::Studio;
use clap::Subcommand;
use std::path::{Path, PathBuf};

/// Arguments of `settings`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show all effective settings
    Show {
        /// Say where each value comes from, what its rule is, and what the cluster has where it differs
        #[arg(long)]
        origin: bool,
    },
    /// Print the effective value of one key
    Get {
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Set keys in the settings file; a value that breaks a rule changes nothing
    Set {
        /// Keys, each followed by its value
        #[arg(required = true, num_args = 2.., value_names = ["KEY", "VALUE"], allow_negative_numbers = true)]
        pairs: Vec<String>,
    },
    /// Take keys out of the settings file, so that their defaults hold
    Unset {
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Write settings to where llmctl's own dispatcher reads them; shows what would change and asks first
    Push(push::Args),
    /// Make the settings file say what Studio or a ConfigMap holds
    Pull(pull::Args),
    /// Studio's own kubeconfig: store, tell of, take out; the text is never shown
    Kubeconfig(kubeconfig::Args),
    /// Print the effective settings in a form that other programs read; never the kubeconfig
    Export {
        /// The form
        #[arg(long, value_enum, default_value = "toml")]
        format: exchange::ExportForm,
        /// Only what the file or the environment sets
        #[arg(long)]
        set: bool,
    },
    /// Take settings from a TOML, JSON or .env file into the settings file; a problem in it changes nothing
    Import {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Show what would change in the settings file; write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Check the settings file and the environment, or another file; all problems at once
    Validate {
        /// Check this file alone: TOML, JSON or .env by its name
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print where the settings file is
    Path,
}

/// Runs `settings`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let path = match &globals.settings {
        Some(path) => path.clone(),
        None => paths()?.settings_file(),
    };
    match args.command {
        Command::Show { origin } => show(globals, &path, origin).await,
        Command::Get { key } => get(globals, &path, &key),
        Command::Set { pairs } => change::set(globals, &path, &pairs),
        Command::Unset { keys } => change::unset(globals, &path, &keys),
        Command::Push(args) => push::run(globals, args).await,
        Command::Kubeconfig(args) => kubeconfig::run(globals, args).await,
        Command::Pull(args) => pull::run(globals, &path, args).await,
        Command::Validate { file } => exchange::validate(globals, file.as_deref(), &path),
        Command::Export { format, set } => exchange::export(globals, &path, format, set),
        Command::Import { file, dry_run } => exchange::import(globals, &path, &file, dry_run),
        Command::Path => print_path(globals, &path),
    }
}

fn paths() -> Result<Paths, Failure> {
    Paths::discover().map_err(|e| Failure::invalid(e.to_string()))
}

fn read(globals: &Globals, path: &Path) -> Result<Layered, Failure> {
    file::layered(path, globals.settings.is_some()).map_err(|e| unreadable(&e))
}

fn unreadable(error: &ReadError) -> Failure {
    Failure::invalid(error.to_string())
}

async fn show(globals: &Globals, path: &Path, origin: bool) -> Result<Exit, Failure> {
    let layered = read(globals, path)?;
    warn(&layered);
    let elsewhere = if origin {
        elsewhere(globals).await?
    } else {
        Elsewhere::default()
    };
    match globals.output {
        Format::Text => output::text(&text::show(&layered, &elsewhere, origin))?,
        Format::Jsonl => {
            for key in Key::ALL {
                let document = document::key_alone(globals, &layered, &elsewhere, key);
                output::document(Format::Jsonl, &document)?;
            }
        }
        format => output::document(format, &document::show(globals, &layered, &elsewhere))?,
    }
    Ok(Exit::Ok)
}

/// What the cluster has. Without one the rest is worth something, too: why is said.
async fn elsewhere(globals: &Globals) -> Result<Elsewhere, Failure> {
    let setup = Setup::read(globals)?;
    let mut elsewhere = Elsewhere::default();
    let world = match session::open(globals, &setup).await {
        Ok(world) => world,
        Err(failure) => {
            let message = failure.message;
            output::progress(&format!("what the cluster has is not shown: {message}"));
            return Ok(elsewhere);
        }
    };
    match world.cluster().settings_maps(world.namespace()).await {
        Ok(held) => {
            if held.is_empty() {
                let namespace = world.namespace();
                output::progress(&format!("no settings are in namespace {namespace} yet"));
            }
            elsewhere.replace(Store::ConfigMap, held);
        }
        Err(error) => output::progress(&format!("what the cluster has is not shown: {error}")),
    }
    match Studio::rows_of_stack(world.cluster(), world.namespace()).await {
        Ok(held) => elsewhere.replace(Store::Studio, held.into_iter().collect()),
        Err(error) => output::progress(&format!("what Studio has is not shown: {error}")),
    }
    world.close().await;
    Ok(elsewhere)
}

fn get(globals: &Globals, path: &Path, name: &str) -> Result<Exit, Failure> {
    let key = known(name)?;
    let layered = read(globals, path)?;
    if let Some(problem) = layered.problem(key) {
        return Err(Failure::invalid(problem.to_string()));
    }
    let Some(value) = layered.effective().value(key) else {
        return Err(Failure::invalid(format!(
            "{key} is write-only: its value is never shown"
        )));
    };
    match globals.output {
        Format::Text => output::foreign_line(&value.text())?,
        format => {
            let document = document::key_alone(globals, &layered, &Elsewhere::default(), key);
            output::document(format, &document)?;
        }
    }
    Ok(Exit::Ok)
}

fn print_path(globals: &Globals, path: &Path) -> Result<Exit, Failure> {
    match globals.output {
        Format::Text => output::foreign_line(&path.display().to_string())?,
        format => output::document(format, &document::places(globals, path, &paths()?))?,
    }
    Ok(Exit::Ok)
}

fn known(name: &str) -> Result<Key, Failure> {
    Key::of_name(name).ok_or_else(|| Failure::invalid(Problem::unknown(name).to_string()))
}

/// Exit 5 with all of them, when there are any.
fn refuse(problems: &[Problem]) -> Result<(), Failure> {
    if problems.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(Failure::invalid(lines.join("\n")))
}

/// Tells on standard error what is wrong or without effect.
fn warn(layered: &Layered) {
    for problem in layered.problems() {
        output::complain(&problem.to_string());
    }
    for remark in layered.remarks() {
        output::progress(&remark);
    }
}
