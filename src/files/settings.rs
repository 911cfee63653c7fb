//! `executor.toml`: the executor settings on disk. Reading finds every problem at once; saving touches only the
//! values that change.

mod splice;

use super::atomic::{self, WriteError};
use super::located::{self, Position, ReadError};
use crate::domain::settings::edit::Edit;
use crate::domain::settings::key::{Key, Kind};
use crate::domain::settings::layers::{Layer, Layered};
use crate::domain::settings::legacy;
use crate::domain::settings::problem::{Broken, Place, Problem};
use std::path::{Path, PathBuf};
use toml::de::DeValue;

/// Why edits were not saved. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{}: {reason}; correct the file first, nothing was written", path.display())]
    Syntax { path: PathBuf, reason: String },
    /// The file says something else than the edits were based on.
    #[error(
        "the settings file changed meanwhile: {}; nothing was written",
        names(keys)
    )]
    Conflict { keys: Vec<Key>, layer: Box<Layer> },
}

/// What a save did.
#[derive(Debug)]
pub struct Saved {
    /// What the file says now.
    pub layer: Layer,
    /// How many keys differ from before; 0: the file was not touched.
    pub changed: usize,
}

/// Reads the settings file; one that is not there says nothing.
///
/// # Errors
/// When it is there and cannot be read. What is wrong *in* it is in the layer.
pub fn load(path: &Path) -> Result<Layer, ReadError> {
    let bytes = located::read(path)?.unwrap_or_default();
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) => parse(path, text),
        Err(e) => Layer {
            problems: vec![not_text(path, &bytes, e.valid_up_to())],
            ..Layer::default()
        },
    })
}

/// The settings from the file at `path`, with this process' environment over them. A file that somebody `named` must
/// be there.
///
/// # Errors
/// When the file cannot be read.
pub fn layered(path: &Path, named: bool) -> Result<Layered, ReadError> {
    if named && !path.exists() {
        return Err(ReadError {
            path: path.to_path_buf(),
            reason: "there is no such file (`llmctl-dev settings set` makes one)".into(),
        });
    }
    Ok(Layered::new(path, load(path)?, environment()))
}

/// What this process' environment says.
pub fn environment() -> Layer {
    Layer::environment(std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, value.to_string_lossy().into_owned()))
    }))
}

/// Reads a text as a settings file. `path` is only named.
pub fn parse(path: &Path, text: &str) -> Layer {
    let mut layer = Layer::default();
    let place = |at: Position| Place::File {
        path: path.to_path_buf(),
        line: at.line,
        column: at.column,
    };
    let (table, mistakes) = located::parse(text);
    // Behind a mistake, anything may look like a key: a part of a secret, too.
    let names_are_names = mistakes.is_empty();
    for mistake in mistakes {
        layer
            .problems
            .push(syntax(place(mistake.at), mistake.reason));
    }
    for (name, value) in located::in_order(table.get_ref()) {
        let name_at = Position::of(text, name.span().start);
        let Some(key) = Key::of_name(name.get_ref()) else {
            if names_are_names {
                layer.remarks.push(unknown(path, name_at, name.get_ref()));
            }
            continue;
        };
        let here = place(Position::of(text, value.span().start));
        match as_text(key, value.get_ref()) {
            Ok(written) => layer.take(key, &written, here),
            Err(problem) => layer.problems.push(problem.at(here)),
        }
    }
    layer.problems.sort_by_key(|problem| match problem.place {
        Place::File { line, column, .. } => (line, column),
        _ => (0, 0),
    });
    layer
}

/// Writes edits into the file; comments, order, unknown keys and everything that is not edited stay byte for byte.
/// Edits that change nothing leave the file untouched.
///
/// # Errors
/// Nothing was written.
pub fn save(path: &Path, edits: &[Edit]) -> Result<Saved, SaveError> {
    let old = located::read(path)?;
    let bytes = old.as_deref().unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|_| SaveError::Syntax {
        path: path.to_path_buf(),
        reason: "it is not UTF-8".into(),
    })?;
    let layer = parse(path, text);
    let keys: Vec<Key> = edits
        .iter()
        .filter(|edit| {
            let now = layer.values.get(&edit.key);
            now != edit.from.as_ref() && now != edit.to.as_ref()
        })
        .map(|edit| edit.key)
        .collect();
    if !keys.is_empty() {
        let layer = Box::new(layer);
        return Err(SaveError::Conflict { keys, layer });
    }
    let unreadable = |key: Key| layer.problems.iter().any(|p| p.key == Some(key));
    let wanted: Vec<&Edit> = edits
        .iter()
        .filter(|edit| layer.values.get(&edit.key) != edit.to.as_ref() || unreadable(edit.key))
        .collect();
    if wanted.is_empty() {
        return Ok(Saved { layer, changed: 0 });
    }
    let new = splice::apply(text, &wanted).map_err(|reason| SaveError::Syntax {
        path: path.to_path_buf(),
        reason,
    })?;
    atomic::replace(path, old.as_deref(), new.as_bytes())?;
    Ok(Saved {
        layer: parse(path, &new),
        changed: wanted.len(),
    })
}

/// The value as the text that [`Key::parse`] reads, when its TOML type is the key's.
fn as_text(key: Key, value: &DeValue<'_>) -> Result<String, Problem> {
    let wrong = |wanted| {
        let found = located::kind(value);
        Problem {
            // The value is left out: it has no form that the key could have.
            value: None,
            ..Problem::of(key, "", Broken::WrongType { wanted, found })
        }
    };
    match (key.facts().kind, value) {
        (Kind::Secret, _) => Err(Problem::of(key, "", Broken::WriteOnly)),
        (Kind::Whole { .. }, DeValue::Integer(number)) => {
            let radix = number.radix();
            match i128::from_str_radix(&number.as_str().replace('_', ""), radix) {
                Ok(number) => Ok(number.to_string()),
                // Too large for any number: let the range say so.
                Err(_) => Ok(number.as_str().to_owned()),
            }
        }
        (Kind::Whole { .. }, DeValue::String(_)) => Err(wrong("a whole number, without quotes")),
        (Kind::Whole { .. }, _) => Err(wrong("a whole number")),
        (Kind::Flag, DeValue::Boolean(on)) => Ok(on.to_string()),
        (Kind::Flag, DeValue::String(_)) => Err(wrong("true or false, without quotes")),
        (Kind::Flag, _) => Err(wrong("true or false")),
        (Kind::PullSecrets, DeValue::Array(_)) => Err(wrong(
            "a text that holds the JSON array, as in '[\"regcred\"]'",
        )),
        (_, DeValue::String(text)) => Ok(text.clone().into_owned()),
        (_, _) => Err(wrong("a text, in quotes")),
    }
}

fn unknown(path: &Path, at: Position, name: &str) -> String {
    let line = at.line;
    let says = match (legacy::says(name), Key::nearest(name)) {
        (Some(legacy), _) => legacy.to_owned(),
        (None, Some(key)) => format!("is no setting and has no effect; did you mean {key}?"),
        (None, None) => "is no setting and has no effect".into(),
    };
    format!("{}:{line}: {name} {says} (it is kept)", path.display())
}

fn syntax(place: Place, reason: String) -> Problem {
    Problem {
        name: String::new(),
        key: None,
        value: None,
        broken: Broken::Syntax(reason),
        place,
    }
}

fn not_text(path: &Path, bytes: &[u8], at: usize) -> Problem {
    let lines = bytes[..at].iter().filter(|b| **b == b'\n').count();
    let place = Place::File {
        path: path.to_path_buf(),
        line: lines + 1,
        column: 1,
    };
    syntax(place, "it is not UTF-8".into())
}

fn names(keys: &[Key]) -> String {
    let names: Vec<&str> = keys.iter().map(|key| key.name()).collect();
    names.join(", ")
}
