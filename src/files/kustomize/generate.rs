//! ConfigMaps and Secrets made from literals, files and env files.

use super::load::{needed, needed_text};
use super::resource::Resource;
use super::source::{Source, problem};
use super::spec::{Generator, GeneratorOptions, Loaded};
use crate::domain::overlays::Problem;
use base64::Engine as _;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Length of a line of base64 as kustomize breaks it; it counts, because the hash is made of it.
const BASE64_LINE: usize = 70;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    ConfigMap,
    Secret,
}

/// Adds what the generators make, or merges it into what is there.
pub(super) fn run(
    source: &mut Source<'_>,
    loaded: &Loaded,
    all: &mut Vec<Resource>,
) -> Result<(), Problem> {
    for (kind, generators) in [
        (Kind::ConfigMap, &loaded.spec.config_map_generator),
        (Kind::Secret, &loaded.spec.secret_generator),
    ] {
        for generator in generators {
            let options = options(generator, loaded.spec.generator_options.as_ref());
            let made = make(source, loaded, kind, generator, &options)?;
            place(loaded, generator, made, all)?;
        }
    }
    Ok(())
}

/// A generator's own options win over those of all generators, except for switches, which are on if either is on.
fn options(generator: &Generator, common: Option<&GeneratorOptions>) -> GeneratorOptions {
    let mut options = generator.options.clone().unwrap_or_default();
    if let Some(common) = common {
        for (to, from) in [
            (&mut options.labels, &common.labels),
            (&mut options.annotations, &common.annotations),
        ] {
            for (key, value) in from {
                to.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        options.disable_name_suffix_hash |= common.disable_name_suffix_hash;
        options.immutable |= common.immutable;
    }
    options
}

fn make(
    source: &mut Source<'_>,
    loaded: &Loaded,
    kind: Kind,
    generator: &Generator,
    options: &GeneratorOptions,
) -> Result<Resource, Problem> {
    if generator.name.is_empty() {
        return Err(loaded.problem("a generator has no name", "give it one"));
    }
    let pairs = pairs(source, loaded, generator)?;
    let mut object = Map::new();
    object.insert("apiVersion".into(), json!("v1"));
    let mut metadata = Map::new();
    metadata.insert("name".into(), json!(generator.name));
    if let Some(namespace) = &generator.namespace {
        metadata.insert("namespace".into(), json!(namespace));
    }
    for (part, map) in [
        ("labels", &options.labels),
        ("annotations", &options.annotations),
    ] {
        if !map.is_empty() {
            metadata.insert(part.into(), json!(map));
        }
    }
    object.insert("metadata".into(), Value::Object(metadata));
    if options.immutable {
        object.insert("immutable".into(), json!(true));
    }
    match kind {
        Kind::ConfigMap => {
            object.insert("kind".into(), json!("ConfigMap"));
            for (key, bytes) in pairs {
                let (part, text) = match String::from_utf8(bytes) {
                    Ok(text) => ("data", text),
                    Err(e) => ("binaryData", base64_lines(e.as_bytes())),
                };
                put(&mut object, part, key, text);
            }
        }
        Kind::Secret => {
            object.insert("kind".into(), json!("Secret"));
            let secret_type = generator.secret_type.as_deref().unwrap_or("Opaque");
            object.insert("type".into(), json!(secret_type));
            object.insert("data".into(), json!({}));
            for (key, bytes) in pairs {
                put(&mut object, "data", key, base64_lines(&bytes));
            }
        }
    }
    let mut resource = Resource::new(Value::Object(object), &loaded.file);
    resource.hashed = !options.disable_name_suffix_hash;
    Ok(resource)
}

fn put(object: &mut Map<String, Value>, part: &str, key: String, text: String) {
    let map = object.entry(part).or_insert_with(|| json!({}));
    if let Some(map) = map.as_object_mut() {
        map.insert(key, Value::String(text));
    }
}

fn base64_lines(bytes: &[u8]) -> String {
    let whole = base64::engine::general_purpose::STANDARD.encode(bytes);
    if whole.len() / BASE64_LINE == 0 {
        return whole;
    }
    let mut lines = String::with_capacity(whole.len() + whole.len() / BASE64_LINE + 1);
    let mut rest = whole.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(BASE64_LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = after;
    }
    lines
}

fn pairs(
    source: &mut Source<'_>,
    loaded: &Loaded,
    generator: &Generator,
) -> Result<BTreeMap<String, Vec<u8>>, Problem> {
    let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in generator.envs.iter().chain(&generator.env) {
        let (path, text) = needed_text(source, loaded, entry)?;
        pairs.extend(env_file(&path, &text)?);
    }
    for literal in &generator.literals {
        match literal.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                pairs.push((key.to_owned(), unquoted(value).as_bytes().to_vec()));
            }
            _ => {
                // The text is not shown: it may be a password.
                return Err(loaded.problem(
                    format!(
                        "a literal of generator `{}` is not KEY=VALUE",
                        generator.name
                    ),
                    "write it as KEY=VALUE",
                ));
            }
        }
    }
    for entry in &generator.files {
        let (key, path) = match entry.split_once('=') {
            None => (entry.rsplit('/').next().unwrap_or(entry), entry.as_str()),
            Some((key, path)) if !key.is_empty() && !path.is_empty() && !path.contains('=') => {
                (key, path)
            }
            Some(_) => {
                return Err(loaded.problem(
                    format!(
                        "`{entry}` of generator `{}` is not KEY=FILE",
                        generator.name
                    ),
                    "write it as KEY=FILE or FILE",
                ));
            }
        };
        pairs.push((key.to_owned(), needed(source, loaded, path)?.1));
    }
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if key.is_empty() || !key.chars().all(fits) {
            return Err(loaded.problem(
                format!("`{key}` of generator `{}` is not a key", generator.name),
                "use letters, digits, `-`, `_` and `.` only",
            ));
        }
        if map.insert(key.clone(), value).is_some() {
            return Err(loaded.problem(
                format!("generator `{}` has the key `{key}` twice", generator.name),
                "take one of them out",
            ));
        }
    }
    Ok(map)
}

fn unquoted(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

fn env_file(path: &str, text: &str) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let mut pairs = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if key.is_empty() || !key.chars().all(fits) || key.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(problem(
                path,
                u64::try_from(at + 1).ok(),
                "does not start with a variable name".into(),
                "write the line as NAME=VALUE",
            ));
        }
        pairs.push((key.to_owned(), value.as_bytes().to_vec()));
    }
    Ok(pairs)
}

/// Adds a made object, or merges it into the one of the same name, as its behaviour says.
fn place(
    loaded: &Loaded,
    generator: &Generator,
    mut made: Resource,
    all: &mut Vec<Resource>,
) -> Result<(), Problem> {
    let id = made.id();
    let matches: Vec<usize> = (0..all.len())
        .filter(|at| all[*at].is_or_was(&id))
        .collect();
    let behavior = generator.behavior.as_deref().unwrap_or("create");
    match (behavior, matches.as_slice()) {
        ("create" | "unspecified", []) => {
            all.push(made);
            Ok(())
        }
        ("create" | "unspecified", _) => Err(loaded.problem(
            format!("{id} is made by a generator, and it is there already"),
            "give the generator another name, or `behavior: merge`",
        )),
        ("merge" | "replace", [at]) => {
            let old = &all[*at];
            take_over(&mut made, old, behavior == "merge");
            all[*at] = made;
            Ok(())
        }
        ("merge" | "replace", []) => Err(loaded.problem(
            format!("there is no {id} to {behavior} into"),
            "correct the name, or take `behavior` out",
        )),
        ("merge" | "replace", _) => Err(loaded.problem(
            format!("more than one object is or was {id}"),
            "name one of them by its present name and namespace",
        )),
        (other, _) => Err(loaded.problem(
            format!("generator `{}` has behavior `{other}`", generator.name),
            "make it create, merge or replace",
        )),
    }
}

fn take_over(made: &mut Resource, old: &Resource, with_data: bool) {
    let mut parts = vec![vec!["metadata", "labels"], vec!["metadata", "annotations"]];
    if with_data {
        parts.extend([vec!["data"], vec!["binaryData"]]);
    }
    for path in parts {
        let pointer = format!("/{}", path.join("/"));
        let Some(from) = old.value.pointer(&pointer).and_then(Value::as_object) else {
            continue;
        };
        super::resource::each_map(&mut made.value, &path, true, &mut |to| {
            for (key, value) in from {
                to.entry(key.clone()).or_insert_with(|| value.clone());
            }
        });
    }
    for name in ["name", "namespace"] {
        if let Some(metadata) = made.metadata() {
            match old.value.pointer(&format!("/metadata/{name}")) {
                Some(value) => metadata.insert(name.into(), value.clone()),
                None => metadata.remove(name),
            };
        }
    }
    made.earlier.clone_from(&old.earlier);
    made.prefixes.clone_from(&old.prefixes);
    made.suffixes.clone_from(&old.suffixes);
    made.hashed &= old.hashed;
}
