//! What `settings` prints for people.

use super::change::Change;
use crate::domain::settings::edit::Edit;
use crate::domain::settings::held::{Elsewhere, Held, StoredChange};
use crate::domain::settings::images::ImageClass;
use crate::domain::settings::key::{Group, Key};
use crate::domain::settings::layers::Layered;
use crate::domain::settings::value::Value;
use crate::sanitize::sanitize;
use std::fmt::Write as _;
use std::path::Path;

/// All settings in groups; with their origins and rules when asked for.
pub(super) fn show(layered: &Layered, elsewhere: &Elsewhere, origin: bool) -> String {
    let rows: Vec<(Key, String)> = Key::ALL
        .into_iter()
        .map(|key| (key, value(layered, key)))
        .collect();
    let name_width = widest(rows.iter().map(|(key, _)| key.name()));
    // A long image or array pushes the rest of its own line and of no other.
    let value_width = widest(rows.iter().map(|(_, value)| value.as_str())).min(44);
    let mut out = String::new();
    let mut group: Option<Group> = None;
    for (key, value) in rows {
        let facts = key.facts();
        if group != Some(facts.group) {
            let gap = if group.is_some() { "\n" } else { "" };
            let _ = writeln!(out, "{gap}{}", facts.group.title());
            group = Some(facts.group);
        }
        let mark = if layered.problem(key).is_some() {
            "!"
        } else {
            " "
        };
        let line = if origin {
            let from = if key.is_secret() {
                "Studio only"
            } else {
                layered.origin(key).as_str()
            };
            let rule = key.rule();
            format!(
                "{mark} {:<name_width$}  {value:<value_width$}  {from:<11}  {rule}",
                key.name()
            )
        } else {
            format!("{mark} {:<name_width$}  {value}", key.name())
        };
        let _ = writeln!(out, "{}", line.trim_end());
        let ours = layered.effective().value(key);
        for held in elsewhere.held.iter().filter(|_| origin) {
            if ours.as_ref().is_some_and(|ours| held.drifts(key, ours)) {
                let theirs = stored(held, key);
                let _ = writeln!(out, "  {:name_width$}  ≠ {theirs}  in {held}", "");
            }
        }
    }
    let image = |class| layered.effective().image(class);
    let _ = writeln!(
        out,
        "\nImages that run: {} · vLLM: {}",
        image(ImageClass::Frontier),
        image(ImageClass::Vllm)
    );
    out
}

fn value(layered: &Layered, key: Key) -> String {
    match layered.effective().value(key) {
        None => "(write-only)".into(),
        Some(value) => match (shown(&value).as_str(), key.facts().unit) {
            (text, "") => text.into(),
            (text, unit) => format!("{text} {unit}"),
        },
    }
}

/// A value on one line; what is blank says so.
fn shown(value: &Value) -> String {
    match value.text() {
        text if text.is_empty() => "–".into(),
        text => sanitize(&text).into_owned(),
    }
}

/// What a place outside the file says of a key, in its words.
fn stored(held: &Held, key: Key) -> String {
    match held.texts.get(&key).map(String::as_str) {
        None => "not set".into(),
        Some("") => "–".into(),
        Some(text) => sanitize(text).into_owned(),
    }
}

/// Changes of a place outside the file.
pub(super) fn pushing(held: &Held, changes: &[StoredChange]) -> String {
    let mut out = String::new();
    for change in changes {
        let to = match change.to.as_deref() {
            None => "not set".into(),
            Some("") => "–".into(),
            Some(text) => sanitize(text),
        };
        let _ = writeln!(out, "{}: {} → {to}", change.key, stored(held, change.key));
    }
    out
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

/// What a change did.
pub(super) fn changes(path: &Path, edits: &[Edit], changed: Change) -> String {
    let mut out = String::new();
    for edit in edits {
        let side = |value: &Option<Value>| match value {
            Some(value) => shown(value),
            None => match edit.key.default() {
                Some(default) => format!("{} (default)", shown(&default)),
                None => "–".into(),
            },
        };
        let _ = if edit.from == edit.to {
            writeln!(out, "{}: {} already", edit.key, side(&edit.to))
        } else {
            let effect = edit.key.facts().takes_effect;
            let (from, to) = (side(&edit.from), side(&edit.to));
            writeln!(out, "{}: {from} → {to} · takes effect {effect}", edit.key)
        };
    }
    let path = sanitize(&path.display().to_string()).into_owned();
    let _ = match changed {
        Change::Made(0) | Change::Meant(0) => writeln!(out, "nothing to change in {path}"),
        Change::Made(1) => writeln!(out, "saved 1 setting to {path}"),
        Change::Made(n) => writeln!(out, "saved {n} settings to {path}"),
        Change::Meant(1) => writeln!(out, "would save 1 setting to {path}"),
        Change::Meant(n) => writeln!(out, "would save {n} settings to {path}"),
    };
    out
}

/// Whether all is right, and every problem and remark.
pub(super) fn verdict(layered: &Layered) -> String {
    let mut out = String::new();
    let mut count = 0;
    for problem in layered.problems() {
        count += 1;
        let _ = writeln!(out, "✗ {}", sanitize(&problem.to_string()));
    }
    for remark in layered.remarks() {
        let _ = writeln!(out, "! {}", sanitize(&remark));
    }
    let path = layered.path();
    let path = if path.exists() {
        sanitize(&path.display().to_string()).into_owned()
    } else {
        format!(
            "{} (not there: defaults)",
            sanitize(&path.display().to_string())
        )
    };
    let _ = match count {
        0 => writeln!(out, "✓ {path}: every setting is valid"),
        1 => writeln!(out, "{path}: 1 problem"),
        n => writeln!(out, "{path}: {n} problems"),
    };
    out
}
