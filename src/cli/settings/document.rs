//! The JSON documents of `settings`.

use super::change::Change;
use crate::cli::args::Globals;
use crate::domain::settings::edit::Edit;
use crate::domain::settings::held::{Elsewhere, Held};
use crate::domain::settings::images::ImageClass;
use crate::domain::settings::key::{Key, Kind};
use crate::domain::settings::layers::Layered;
use crate::domain::settings::problem::{Place, Problem};
use crate::domain::settings::value::Value as Setting;
use crate::domain::target::Target;
use crate::files::paths::Paths;
use serde_json::{Map, Value, json};
use std::path::Path;

/// A document of that kind. Settings need no cluster, so a target is in it only when the sandbox was asked for.
fn document(globals: &Globals, kind: &str, body: Value) -> Value {
    let mut document = Map::new();
    document.insert("schema".into(), format!("llmctl-dev/{kind}/v1").into());
    if globals.sandbox {
        document.insert("target".into(), json!(Target::sandbox()));
    }
    if let Value::Object(body) = body {
        document.extend(body);
    }
    document.into()
}

/// All settings: plain values by key, and everything about each.
pub(super) fn show(globals: &Globals, layered: &Layered, elsewhere: &Elsewhere) -> Value {
    let body = json!({
        "file": file(layered.path()),
        "values": layered.effective().document(),
        "images": images(layered),
        "keys": Key::ALL.map(|key| self::key(layered, elsewhere, key)).to_vec(),
        "problems": problems(layered),
        "remarks": layered.remarks(),
        "elsewhere": elsewhere.held.iter().map(held).collect::<Vec<_>>(),
    });
    document(globals, "settings", body)
}

/// One place outside the file.
fn held(held: &Held) -> Value {
    json!({
        "store": held.store,
        "name": held.name,
        "problems": held.layer.problems.iter().map(problem).collect::<Vec<_>>(),
        "remarks": held.layer.remarks,
    })
}

/// One key as a document of its own.
pub(super) fn key_alone(
    globals: &Globals,
    layered: &Layered,
    elsewhere: &Elsewhere,
    key: Key,
) -> Value {
    document(globals, "setting", self::key(layered, elsewhere, key))
}

/// What each place outside the file says of a key.
fn beside(layered: &Layered, elsewhere: &Elsewhere, key: Key) -> Vec<Value> {
    let ours = layered.effective().value(key);
    let say = |held: &Held| {
        json!({
            "store": held.store,
            "name": held.name,
            "value": held.says(key).map(Setting::json),
            "stored": held.texts.get(&key),
            "drift": ours.as_ref().is_some_and(|ours| held.drifts(key, ours)),
        })
    };
    let able = elsewhere.held.iter().filter(|held| held.can_hold(key));
    able.map(say).collect()
}

fn key(layered: &Layered, elsewhere: &Elsewhere, key: Key) -> Value {
    let facts = key.facts();
    let json = |value: Option<Setting>| value.as_ref().map(Setting::json);
    let mut body = json!({
        "key": key.name(),
        "label": facts.label,
        "group": facts.group.title(),
        "help": facts.help,
        "rule": key.rule(),
        "unit": facts.unit,
        "variable": key.variable(),
        "takes_effect": facts.takes_effect,
        "value": json(layered.effective().value(key)),
        "default": json(key.default()),
        "origin": layered.origin(key).as_str(),
        "elsewhere": beside(layered, elsewhere, key),
        "problem": layered.problem(key).map(ToString::to_string),
        "write_only": key.is_secret(),
    });
    if let (Kind::Whole { min, max }, Some(body)) = (facts.kind, body.as_object_mut()) {
        body.insert("min".into(), min.into());
        body.insert("max".into(), max.into());
    }
    body
}

fn images(layered: &Layered) -> Value {
    [ImageClass::Frontier, ImageClass::Vllm]
        .into_iter()
        .map(|class| {
            (
                class.as_str().to_owned(),
                layered.effective().image(class).into(),
            )
        })
        .collect::<Map<_, _>>()
        .into()
}

/// What a change did.
pub(super) fn changes(globals: &Globals, path: &Path, edits: &[Edit], changed: Change) -> Value {
    let rows: Vec<Value> = edits.iter().map(edit).collect();
    let (changed, dry_run) = match changed {
        Change::Made(n) => (n, false),
        Change::Meant(n) => (n, true),
    };
    let body = json!({"file": file(path), "dry_run": dry_run, "changed": changed, "edits": rows});
    document(globals, "settings-change", body)
}

/// One change.
pub(super) fn edit(edit: &Edit) -> Value {
    json!({
        "key": edit.key.name(),
        "from": edit.from.as_ref().map(Setting::json),
        "to": edit.to.as_ref().map(Setting::json),
        "takes_effect": edit.key.facts().takes_effect,
    })
}

/// Whether all is right, and every problem.
pub(super) fn verdict(globals: &Globals, layered: &Layered) -> Value {
    let body = json!({
        "file": file(layered.path()),
        "valid": layered.problems().next().is_none(),
        "problems": problems(layered),
        "remarks": layered.remarks(),
    });
    document(globals, "settings-verdict", body)
}

/// Where everything of a person is.
pub(super) fn places(globals: &Globals, path: &Path, paths: &Paths) -> Value {
    let body = json!({
        "file": file(path),
        "config": paths.tool_config(),
        "samples": paths.samples_dir(),
        "history": paths.history_dir(),
        "state": paths.state_dir(),
    });
    document(globals, "settings-path", body)
}

fn file(path: &Path) -> Value {
    json!({"path": path, "exists": path.exists()})
}

fn problems(layered: &Layered) -> Vec<Value> {
    layered.problems().map(problem).collect()
}

/// One problem.
pub(super) fn problem(problem: &Problem) -> Value {
    let mut body = json!({
        "key": problem.key.map(Key::name),
        "rule": problem.broken.code(),
        "value": problem.value,
        "message": problem.to_string(),
    });
    let Some(fields) = body.as_object_mut() else {
        return body;
    };
    match &problem.place {
        Place::File { path, line, column } => {
            fields.insert("file".into(), json!(path));
            fields.insert("line".into(), json!(line));
            fields.insert("column".into(), json!(column));
        }
        Place::Environment => {
            fields.insert(
                "variable".into(),
                json!(problem.key.and_then(Key::variable)),
            );
        }
        Place::Stored { name } => {
            fields.insert("stored_in".into(), json!(name));
        }
        Place::Typed => {}
    }
    body
}
