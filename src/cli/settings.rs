//! `settings` on the command line: show, get, set, unset, validate, path. No cluster is needed for any of it.

mod document;
mod text;

use super::args::Globals;
use super::exit::{Exit, Failure};
use super::output::{self, Format};
use crate::domain::settings::edit::Edit;
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::{Layer, Layered, Origin};
use crate::domain::settings::problem::Problem;
use crate::domain::settings::value::Value;
use crate::files::located::ReadError;
use crate::files::paths::Paths;
use crate::files::settings::{self as file, SaveError};
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
        /// Say where each value comes from and what its rule is
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
    /// Check the settings file and the environment, or another file; all problems at once
    Validate {
        /// Check this file alone
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
pub fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let path = match &globals.settings {
        Some(path) => path.clone(),
        None => paths()?.settings_file(),
    };
    match args.command {
        Command::Show { origin } => show(globals, &path, origin),
        Command::Get { key } => get(globals, &path, &key),
        Command::Set { pairs } => set(globals, &path, &pairs),
        Command::Unset { keys } => unset(globals, &path, &keys),
        Command::Validate { file } => validate(globals, file.as_deref(), &path),
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

fn show(globals: &Globals, path: &Path, origin: bool) -> Result<Exit, Failure> {
    let layered = read(globals, path)?;
    warn(&layered);
    match globals.output {
        Format::Text => output::text(&text::show(&layered, origin))?,
        Format::Jsonl => {
            for key in Key::ALL {
                output::document(Format::Jsonl, &document::key_alone(globals, &layered, key))?;
            }
        }
        format => output::document(format, &document::show(globals, &layered))?,
    }
    Ok(Exit::Ok)
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
        format => output::document(format, &document::key_alone(globals, &layered, key))?,
    }
    Ok(Exit::Ok)
}

fn set(globals: &Globals, path: &Path, pairs: &[String]) -> Result<Exit, Failure> {
    let mut wanted: Vec<(Key, Option<Value>)> = Vec::new();
    let mut problems = Vec::new();
    for pair in pairs.chunks(2) {
        let [name, text] = pair else {
            let message = format!("{} has no value: give KEY VALUE pairs", pair[0]);
            return Err(Failure::new(Exit::Usage, message));
        };
        match Key::of_name(name).ok_or_else(|| Problem::unknown(name)) {
            Ok(key) => match key.parse(text) {
                Ok(value) => add(&mut wanted, key, Some(value))?,
                Err(problem) => problems.push(problem),
            },
            Err(problem) => problems.push(problem),
        }
    }
    refuse(&problems)?;
    change(globals, path, wanted)
}

fn unset(globals: &Globals, path: &Path, names: &[String]) -> Result<Exit, Failure> {
    let mut wanted = Vec::new();
    let mut problems = Vec::new();
    for name in names {
        match Key::of_name(name) {
            Some(key) => add(&mut wanted, key, None)?,
            None => problems.push(Problem::unknown(name)),
        }
    }
    refuse(&problems)?;
    change(globals, path, wanted)
}

fn add(
    wanted: &mut Vec<(Key, Option<Value>)>,
    key: Key,
    value: Option<Value>,
) -> Result<(), Failure> {
    if wanted.iter().any(|(known, _)| *known == key) {
        return Err(Failure::new(Exit::Usage, format!("{key} is given twice")));
    }
    wanted.push((key, value));
    Ok(())
}

fn change(
    globals: &Globals,
    path: &Path,
    wanted: Vec<(Key, Option<Value>)>,
) -> Result<Exit, Failure> {
    let before = file::load(path).map_err(|e| unreadable(&e))?;
    let edits: Vec<Edit> = wanted
        .into_iter()
        .map(|(key, to)| Edit {
            key,
            from: before.values.get(&key).cloned(),
            to,
        })
        .collect();
    let saved = file::save(path, &edits).map_err(|e| match e {
        SaveError::Write(e) => Failure::other(e.to_string()),
        other => Failure::invalid(other.to_string()),
    })?;
    let after = Layered::new(path, saved.layer, file::environment());
    for edit in &edits {
        if after.origin(edit.key) == Origin::Environment {
            let variable = edit.key.variable().unwrap_or_default();
            output::progress(&format!(
                "{variable} is set in the environment and wins over the file"
            ));
        }
    }
    warn(&after);
    match globals.output {
        Format::Text => output::text(&text::changes(path, &edits, saved.changed))?,
        format => output::document(
            format,
            &document::changes(globals, path, &edits, saved.changed),
        )?,
    }
    Ok(Exit::Ok)
}

fn validate(globals: &Globals, other: Option<&Path>, path: &Path) -> Result<Exit, Failure> {
    let layered = match other {
        Some(other) => {
            let layered = file::layered(other, true).map_err(|e| unreadable(&e))?;
            Layered::new(other, layered.file().clone(), Layer::default())
        }
        None => read(globals, path)?,
    };
    let problems: Vec<&Problem> = layered.problems().collect();
    let exit = if problems.is_empty() {
        Exit::Ok
    } else {
        Exit::InvalidInput
    };
    match globals.output {
        Format::Text => output::text(&text::verdict(&layered))?,
        Format::Jsonl => {
            for problem in problems {
                output::document(Format::Jsonl, &document::problem(problem))?;
            }
        }
        format => output::document(format, &document::verdict(globals, &layered))?,
    }
    Ok(exit)
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
