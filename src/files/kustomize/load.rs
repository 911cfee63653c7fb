//! Entries of `resources`: a file of objects, or a directory with a kustomization of its own.

use super::resource::Resource;
use super::source::{self, Source, problem};
use super::spec::Loaded;
use crate::domain::overlays::Problem;
use serde_json::Value;

/// The objects of one entry.
pub(super) fn entry(
    source: &mut Source<'_>,
    loaded: &Loaded,
    entry: &str,
    above: &mut Vec<String>,
) -> Result<Vec<Resource>, Problem> {
    if entry.contains("://") || entry.starts_with("git@") || entry.contains("?ref=") {
        return Err(loaded.problem(
            format!("`{entry}` is not on this machine"),
            "fetch it and name the local copy: nothing is downloaded here",
        ));
    }
    let path = source::join(&loaded.dir, entry);
    let Some(text) = source.text(&path)? else {
        return directory(source, loaded, entry, &path, above);
    };
    within(loaded, entry, &path)?;
    objects(&path, &text)
}

/// A file must be below the directory that names it, as kustomize wants it; directories may be anywhere.
pub(super) fn within(loaded: &Loaded, entry: &str, path: &str) -> Result<(), Problem> {
    let below = path
        .strip_prefix(loaded.dir.as_str())
        .is_some_and(|rest| rest.starts_with('/'));
    if below || loaded.dir.is_empty() {
        return Ok(());
    }
    Err(loaded.problem(
        format!("`{entry}` is a file outside {}", loaded.dir),
        "move it below, or give its directory a kustomization and name the directory",
    ))
}

/// A file that the kustomization names must be there.
pub(super) fn needed(
    source: &mut Source<'_>,
    loaded: &Loaded,
    entry: &str,
) -> Result<(String, Vec<u8>), Problem> {
    let path = source::join(&loaded.dir, entry);
    within(loaded, entry, &path)?;
    match source.bytes(&path)? {
        Some(bytes) => Ok((path, bytes)),
        None => Err(missing(loaded, entry)),
    }
}

/// Like [`needed`], for text.
pub(super) fn needed_text(
    source: &mut Source<'_>,
    loaded: &Loaded,
    entry: &str,
) -> Result<(String, String), Problem> {
    let path = source::join(&loaded.dir, entry);
    within(loaded, entry, &path)?;
    match source.text(&path)? {
        Some(text) => Ok((path, text)),
        None => Err(missing(loaded, entry)),
    }
}

fn missing(loaded: &Loaded, entry: &str) -> Problem {
    loaded.problem(
        format!("`{entry}` does not exist"),
        "create it or correct the entry",
    )
}

fn directory(
    source: &mut Source<'_>,
    loaded: &Loaded,
    entry: &str,
    path: &str,
    above: &mut Vec<String>,
) -> Result<Vec<Resource>, Problem> {
    let mut has_file = false;
    for name in super::spec::FILE_NAMES {
        has_file |= source.bytes(&source::join(path, name))?.is_some();
    }
    if !has_file {
        return Err(loaded.problem(
            format!("`{entry}` is neither a file nor a directory with a kustomization"),
            "create it or correct the entry",
        ));
    }
    super::accumulate(source, path, above).map(|(_, resources)| resources)
}

/// The objects of a manifest file, those of lists one by one.
pub(super) fn objects(path: &str, text: &str) -> Result<Vec<Resource>, Problem> {
    let mut all = Vec::new();
    for document in source::documents(path, text)? {
        let is_list = document
            .get("kind")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.ends_with("List"));
        match document.get("items").and_then(Value::as_array) {
            Some(items) if is_list => {
                for item in items {
                    all.push(checked(path, item.clone())?);
                }
            }
            _ => all.push(checked(path, document)?),
        }
    }
    Ok(all)
}

fn checked(path: &str, value: Value) -> Result<Resource, Problem> {
    let has = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    let wanting = ["/apiVersion", "/kind", "/metadata/name"]
        .into_iter()
        .find(|pointer| !has(pointer));
    if let Some(pointer) = wanting {
        let field = pointer[1..].replace('/', ".");
        let name = value
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or("an object");
        return Err(problem(
            path,
            None,
            format!("{name} has no {field}"),
            "add it: every object needs apiVersion, kind and metadata.name",
        ));
    }
    Ok(Resource::new(value, path))
}
