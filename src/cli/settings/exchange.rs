//! `settings export`, `import` and `validate`: settings in other forms, and checks for CI.

use super::{change, document, read, refuse, text, unreadable};
use crate::cli::args::Globals;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Format};
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::{Layer, Layered, Origin};
use crate::domain::settings::problem::Problem;
use crate::domain::settings::value::Value;
use crate::files::settings::forms::{self, Form};
use clap::ValueEnum;
use std::path::Path;

/// A form to export in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportForm {
    /// As executor.toml
    Toml,
    /// One object with the keys
    Json,
    /// Lines `LLMCTL_NODE_EXECUTOR_…=value`
    Env,
}

/// `settings export`.
pub(super) fn export(
    globals: &Globals,
    path: &Path,
    form: ExportForm,
    only_set: bool,
) -> Result<Exit, Failure> {
    let layered = read(globals, path)?;
    let problems: Vec<Problem> = layered.problems().cloned().collect();
    refuse(&problems)?;
    let values: Vec<(Key, Value)> = Key::ALL
        .into_iter()
        .filter(|key| !only_set || layered.origin(*key) != Origin::Default)
        .filter_map(|key| Some((key, layered.effective().value(key)?)))
        .collect();
    let form = match form {
        ExportForm::Toml => Form::Toml,
        ExportForm::Json => Form::Json,
        ExportForm::Env => Form::Env,
    };
    output::text(&form.write(values.iter().map(|(key, value)| (*key, value))))?;
    Ok(Exit::Ok)
}

/// `settings import`.
pub(super) fn import(
    globals: &Globals,
    path: &Path,
    from: &Path,
    dry_run: bool,
) -> Result<Exit, Failure> {
    let layer = forms::load(from).map_err(|e| unreadable(&e))?;
    for remark in &layer.remarks {
        output::progress(remark);
    }
    refuse(&layer.problems)?;
    if layer.values.is_empty() {
        let from = from.display();
        return Err(Failure::invalid(format!("{from} sets nothing")));
    }
    let wanted = layer.values.into_iter();
    let wanted = wanted.map(|(key, value)| (key, Some(value))).collect();
    if dry_run {
        return change::rehearse(globals, path, wanted);
    }
    change::change(globals, path, wanted)
}

/// `settings validate`.
pub(super) fn validate(
    globals: &Globals,
    other: Option<&Path>,
    path: &Path,
) -> Result<Exit, Failure> {
    let layered = match other {
        Some(other) => {
            let layer = forms::load(other).map_err(|e| unreadable(&e))?;
            Layered::new(other, layer, Layer::default())
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
