//! `settings set` and `unset`: changes of the settings file.

use super::{document, refuse, text, unreadable, warn};
use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Format};
use crate::domain::settings::edit::Edit;
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::{Layered, Origin};
use crate::domain::settings::problem::Problem;
use crate::domain::settings::value::Value;
use crate::files::settings::{self as file, SaveError};
use std::path::Path;

/// `settings set`.
pub(super) fn set(globals: &Globals, path: &Path, pairs: &[String]) -> Result<Exit, Failure> {
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

/// `settings unset`.
pub(super) fn unset(globals: &Globals, path: &Path, names: &[String]) -> Result<Exit, Failure> {
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

/// The changes, with what the file says now.
pub(super) fn edits(path: &Path, wanted: Vec<(Key, Option<Value>)>) -> Result<Vec<Edit>, Failure> {
    let before = file::load(path).map_err(|e| unreadable(&e))?;
    let edit = |(key, to)| Edit {
        key,
        from: before.values.get(&key).cloned(),
        to,
    };
    Ok(wanted.into_iter().map(edit).collect())
}

/// Makes changes in the file and tells them.
pub(super) fn change(
    globals: &Globals,
    path: &Path,
    wanted: Vec<(Key, Option<Value>)>,
) -> Result<Exit, Failure> {
    let edits = edits(path, wanted)?;
    let saved = file::save(path, &edits).map_err(not_saved)?;
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
    report(globals, path, &edits, Change::Made(saved.changed))
}

/// Tells the changes and makes none.
pub(super) fn rehearse(
    globals: &Globals,
    path: &Path,
    wanted: Vec<(Key, Option<Value>)>,
) -> Result<Exit, Failure> {
    let edits = edits(path, wanted)?;
    let saved = file::preview(path, &edits).map_err(not_saved)?;
    report(globals, path, &edits, Change::Meant(saved.changed))
}

/// How many settings changed, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Made(usize),
    Meant(usize),
}

fn report(
    globals: &Globals,
    path: &Path,
    edits: &[Edit],
    changed: Change,
) -> Result<Exit, Failure> {
    match globals.output {
        Format::Text => output::text(&text::changes(path, edits, changed))?,
        format => output::document(format, &document::changes(globals, path, edits, changed))?,
    }
    Ok(Exit::Ok)
}

fn not_saved(error: SaveError) -> Failure {
    match error {
        SaveError::Write(error) => Failure::other(error.to_string()),
        other => Failure::invalid(other.to_string()),
    }
}
