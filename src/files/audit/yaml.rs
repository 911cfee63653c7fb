//! What YAML means once anchors, aliases and merge keys are resolved.

use crate::domain::audit::{Service, Structure};
use serde_json::{Map, Value};

/// The Docker socket on a machine.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];

/// The structure of every document in `text`; none when it is no YAML.
pub(super) fn structure(text: &str) -> Option<Structure> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).ok()?;
    let mut structure = Structure::default();
    for document in &documents {
        if let Some(services) = services(document, text) {
            structure.services.get_or_insert_default().extend(services);
        }
        walk(document, text, &mut structure);
    }
    structure.sockets.sort_unstable();
    structure.sockets.dedup();
    Some(structure)
}

/// The services of a Compose file: a map `services` of things with an image or a build, in a document that is no manifest.
fn services(document: &Value, text: &str) -> Option<Vec<Service>> {
    if document.get("apiVersion").is_some() || document.get("kind").is_some() {
        return None;
    }
    let services = document.get("services")?.as_object()?;
    let merged = services
        .iter()
        .map(|(name, service)| (name, merged(service)));
    let all: Vec<Service> = merged
        .filter(|(_, service)| {
            ["image", "build", "extends", "command", "ports"]
                .iter()
                .any(|key| service.contains_key(*key))
        })
        .map(|(name, service)| Service {
            line: line_of(text, &format!("{name}:")),
            name: name.clone(),
            image: service.get("image").and_then(Value::as_str).map(Into::into),
        })
        .collect();
    (!all.is_empty() || services.is_empty()).then_some(all)
}

/// A map with its merge keys (`<<`) taken in; its own keys win.
fn merged(value: &Value) -> Map<String, Value> {
    let Some(map) = value.as_object() else {
        return Map::new();
    };
    let mut all = Map::new();
    match map.get("<<") {
        Some(Value::Array(many)) => many.iter().rev().for_each(|one| all.extend(merged(one))),
        Some(one) => all.extend(merged(one)),
        None => {}
    }
    all.extend(
        map.iter()
            .filter(|(key, _)| *key != "<<")
            .map(|(k, v)| (k.clone(), v.clone())),
    );
    all
}

fn walk(value: &Value, text: &str, structure: &mut Structure) {
    match value {
        Value::Object(map) => {
            if let (Some(Value::String(name)), Some(Value::String(value))) =
                (map.get("name"), map.get("value"))
            {
                variable(name, value, text, structure);
            }
            for (key, value) in map {
                if key == "args" || key == "command" {
                    // Commands speak for themselves, line by line.
                    continue;
                }
                if let Value::String(value) = value {
                    variable(key, value, text, structure);
                    let is_mount = ["path", "source", "hostPath"].contains(&key.as_str());
                    if is_mount && SOCKETS.contains(&value.as_str()) {
                        structure.sockets.push(line_of(text, value));
                    }
                }
                walk(value, text, structure);
            }
        }
        Value::Array(items) => {
            for item in items {
                if let Value::String(item) = item {
                    if let Some((name, value)) = item.split_once('=') {
                        variable(name, value, text, structure);
                    }
                    let source = item.split(':').next().unwrap_or_default();
                    if item.contains(':') && SOCKETS.contains(&source) {
                        structure.sockets.push(line_of(text, item));
                    }
                }
                walk(item, text, structure);
            }
        }
        _ => {}
    }
}

fn variable(name: &str, value: &str, text: &str, structure: &mut Structure) {
    if name.starts_with("LLMCTL_NODE_EXECUTOR_") {
        let line = line_of(text, name);
        structure.variables.push((name.into(), value.into(), line));
    }
}

/// The first line that has `word`, from 1.
fn line_of(text: &str, word: &str) -> usize {
    text.lines()
        .position(|line| line.contains(word))
        .map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_and_merges_are_resolved() {
        let text = "x-base: &base\n  image: llmctl-studio:latest\n  volumes: &v\n    - /var/run/docker.sock:/var/run/docker.sock\nservices:\n  web:\n    <<: *base\n  db: {image: postgres}\n";
        let structure = structure(text).unwrap();
        let services = structure.services.unwrap();
        assert_eq!(services.len(), 2);
        let web = services.iter().find(|s| s.name == "web").unwrap();
        assert_eq!(web.image.as_deref(), Some("llmctl-studio:latest"));
        assert_eq!(web.line, 6);
        assert_eq!(structure.sockets, [4]);
    }

    #[test]
    fn manifests_are_no_compose_files() {
        let text = "apiVersion: v1\nkind: X\nservices: {a: {image: b}}\nspec:\n  path: &s /var/run/docker.sock\n  volumes:\n  - hostPath: {path: *s}\n  env:\n  - name: LLMCTL_NODE_EXECUTOR_PROVIDER\n    value: docker\n";
        let structure = structure(text).unwrap();
        assert_eq!(structure.services, None);
        assert_eq!(structure.sockets, [5]);
        assert_eq!(
            structure.variables,
            [("LLMCTL_NODE_EXECUTOR_PROVIDER".into(), "docker".into(), 9)]
        );
        assert!(super::structure("a: [").is_none());
    }
}
