//! Patches: strategic merges and JSON patches, inline or from files, by target or by the name in the patch.

use super::load::needed_text;
use super::resource::{Id, Resource, is_cluster_scoped};
use super::selector::Selector;
use super::source::{self, Source, problem};
use super::spec::{Loaded, Patch, Target};
use super::strategic;
use crate::domain::overlays::Problem;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a patch text stands, for messages.
struct Text {
    file: String,
    text: String,
}

/// `patchesStrategicMerge` and `patches`: before names and labels change.
pub(super) fn first(
    source: &mut Source<'_>,
    loaded: &Loaded,
    all: &mut Vec<Resource>,
) -> Result<(), Problem> {
    let none = BTreeMap::new();
    for entry in &loaded.spec.patches_strategic_merge {
        let inline = entry.contains('\n');
        let text = if inline {
            Text {
                file: loaded.file.clone(),
                text: entry.clone(),
            }
        } else {
            let (file, text) = needed_text(source, loaded, entry)?;
            Text { file, text }
        };
        for patch in source::documents(&text.file, &text.text)? {
            merge_by_name(&text, &patch, &none, all)?;
        }
    }
    for patch in &loaded.spec.patches {
        let text = text_of(source, loaded, patch)?;
        apply(loaded, patch, &text, all)?;
    }
    Ok(())
}

/// `patchesJson6902`: after names and labels changed.
pub(super) fn last(
    source: &mut Source<'_>,
    loaded: &Loaded,
    all: &mut [Resource],
) -> Result<(), Problem> {
    for patch in &loaded.spec.patches_json6902 {
        let text = text_of(source, loaded, patch)?;
        let documents = source::documents(&text.file, &text.text)?;
        let target = target(loaded, patch)?;
        match documents.as_slice() {
            [operations @ Value::Array(_)] => {
                json_patch(loaded, &text, operations, target, all)?;
            }
            _ => return Err(not_a_patch(&text)),
        }
    }
    Ok(())
}

fn text_of(source: &mut Source<'_>, loaded: &Loaded, patch: &Patch) -> Result<Text, Problem> {
    match (&patch.path, &patch.inline) {
        (Some(path), None) => {
            let (file, text) = needed_text(source, loaded, path)?;
            Ok(Text { file, text })
        }
        (None, Some(text)) => Ok(Text {
            file: loaded.file.clone(),
            text: text.clone(),
        }),
        _ => Err(loaded.problem(
            "a patch has not exactly one of `path` and `patch`",
            "name a file under `path` or write the patch under `patch`",
        )),
    }
}

fn target<'a>(loaded: &Loaded, patch: &'a Patch) -> Result<&'a Target, Problem> {
    patch.target.as_ref().ok_or_else(|| {
        loaded.problem(
            "a JSON patch has no target",
            "add `target` with the kind and name of the objects it is for",
        )
    })
}

fn not_a_patch(text: &Text) -> Problem {
    problem(
        &text.file,
        None,
        "a patch is neither an object nor a list of operations".into(),
        "write a partial object (strategic merge) or a list of JSON patch operations",
    )
}

fn apply(
    loaded: &Loaded,
    patch: &Patch,
    text: &Text,
    all: &mut Vec<Resource>,
) -> Result<(), Problem> {
    if let Some(option) = patch
        .options
        .keys()
        .find(|key| !["allowNameChange", "allowKindChange"].contains(&key.as_str()))
    {
        return Err(loaded.problem(
            format!("a patch has the option `{option}`"),
            "the known ones are allowNameChange and allowKindChange",
        ));
    }
    let documents = source::documents(&text.file, &text.text)?;
    match (documents.as_slice(), &patch.target) {
        ([operations @ Value::Array(_)], _) => {
            json_patch(loaded, text, operations, target(loaded, patch)?, all)
        }
        ([], _) => Err(not_a_patch(text)),
        (objects, _) if !objects.iter().all(Value::is_object) => Err(not_a_patch(text)),
        ([one], Some(target)) => {
            let selector = Selector::new(loaded, target)?;
            merge_into(&patch.options, one, all, |resource| {
                selector.matches(resource)
            });
            Ok(())
        }
        (_, Some(_)) => Err(loaded.problem(
            "a patch with a target holds several objects",
            "make each of them an entry of its own",
        )),
        (objects, None) => {
            for one in objects {
                merge_by_name(text, one, &patch.options, all)?;
            }
            Ok(())
        }
    }
}

/// Merges a patch into the one object it names.
fn merge_by_name(
    text: &Text,
    patch: &Value,
    options: &BTreeMap<String, bool>,
    all: &mut Vec<Resource>,
) -> Result<(), Problem> {
    let id: Id = Resource::new(patch.clone(), &text.file).id();
    let matching = all.iter().filter(|one| one.is_or_was(&id)).count();
    if matching != 1 {
        let next = if is_cluster_scoped(&id.kind) || matching > 1 {
            "correct apiVersion, kind and name in the patch, or give it a target"
        } else {
            "correct apiVersion, kind, name and namespace in the patch, or give it a target"
        };
        let what = if matching == 0 {
            format!("a patch is for {id}, which is not there")
        } else {
            format!("a patch is for {id}, and {matching} objects are or were that")
        };
        return Err(problem(&text.file, None, what, next));
    }
    merge_into(options, patch, all, |resource| resource.is_or_was(&id));
    Ok(())
}

fn merge_into(
    options: &BTreeMap<String, bool>,
    patch: &Value,
    all: &mut Vec<Resource>,
    matches: impl Fn(&Resource) -> bool,
) {
    let allows = |name: &str| options.get(name).copied().unwrap_or(false);
    let (renames, retypes) = (allows("allowNameChange"), allows("allowKindChange"));
    all.retain_mut(|resource| {
        if !matches(resource) {
            return true;
        }
        if renames || retypes {
            resource.remember();
        }
        let before = resource.value.clone();
        let Some(mut after) = strategic::merge(&before, patch) else {
            return false;
        };
        let kept: &[&str] = match (renames, retypes) {
            (false, false) => &[
                "/apiVersion",
                "/kind",
                "/metadata/name",
                "/metadata/namespace",
            ],
            (true, false) => &["/apiVersion", "/kind", "/metadata/namespace"],
            (false, true) => &["/metadata/name", "/metadata/namespace"],
            (true, true) => &["/metadata/namespace"],
        };
        for pointer in kept {
            keep(&mut after, pointer, before.pointer(pointer));
        }
        resource.value = after;
        true
    });
}

/// Puts an identifying field back to what it was.
fn keep(object: &mut Value, pointer: &str, value: Option<&Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    if let Some(map) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
        match value {
            Some(value) => map.insert(name.to_owned(), value.clone()),
            None => map.remove(name),
        };
    }
}

fn json_patch(
    loaded: &Loaded,
    text: &Text,
    operations: &Value,
    target: &Target,
    all: &mut [Resource],
) -> Result<(), Problem> {
    let selector = Selector::new(loaded, target)?;
    let patch: json_patch::Patch = serde_json::from_value(operations.clone()).map_err(|e| {
        problem(
            &text.file,
            None,
            format!("a JSON patch is not well formed: {e}"),
            "each operation needs `op` and `path`, and `value` or `from` where it is due",
        )
    })?;
    for resource in all.iter_mut().filter(|resource| selector.matches(resource)) {
        resource.remember();
        json_patch::patch(&mut resource.value, &patch).map_err(|e| {
            problem(
                &text.file,
                None,
                format!(
                    "operation {} of a JSON patch fails on {}: {}",
                    e.operation + 1,
                    resource.id(),
                    e.kind
                ),
                "correct its path, or add the parent first",
            )
        })?;
    }
    Ok(())
}
