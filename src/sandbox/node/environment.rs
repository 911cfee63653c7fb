//! The environment of a container's process: what its spec says, and nothing of the developer's own.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::sandbox::kinds::Kind;
use crate::sandbox::object::meta;
use crate::sandbox::store::Store;

/// Names and values.
pub(crate) type Environment = BTreeMap<String, String>;

/// What the container's spec says about its environment. The error is the kubelet's message for a reference that leads nowhere.
pub(crate) fn of_spec(
    store: &Store,
    pod: &Value,
    container: &Value,
) -> Result<Environment, String> {
    let namespace = meta(pod, "namespace");
    let mut all = Environment::new();
    for source in container["envFrom"].as_array().into_iter().flatten() {
        let prefix = source["prefix"].as_str().unwrap_or_default();
        for (name, value) in everything_of(store, namespace, source)? {
            all.insert(format!("{prefix}{name}"), value);
        }
    }
    for one in container["env"].as_array().into_iter().flatten() {
        let Some(name) = one["name"].as_str() else {
            continue;
        };
        let value = match one["valueFrom"].as_object() {
            None => Some(expanded(one["value"].as_str().unwrap_or_default(), &all)),
            Some(_) => referenced(store, pod, container, &one["valueFrom"])?,
        };
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    }
    Ok(all)
}

/// A field of the pod by the path that the downward API names it with.
pub(crate) fn field(pod: &Value, path: &str) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some((map, key)) = path
        .split_once("['")
        .and_then(|(map, rest)| Some((map, rest.strip_suffix("']")?)))
    {
        return Some(
            text(&pod["metadata"][map.strip_prefix("metadata.")?][key]).unwrap_or_default(),
        );
    }
    match path {
        "metadata.labels" | "metadata.annotations" => {
            let map = pod["metadata"][path.strip_prefix("metadata.")?].as_object();
            let line = |(key, value): (&String, &Value)| {
                format!("{key}={:?}", value.as_str().unwrap_or_default())
            };
            Some(
                map.into_iter()
                    .flatten()
                    .map(line)
                    .collect::<Vec<_>>()
                    .join("\n"),
            )
        }
        _ => {
            let found = pod.pointer(&format!("/{}", path.replace('.', "/")))?;
            text(found)
        }
    }
}

/// Replaces `$(NAME)` by the variable's value where there is one; `$$` stands for one dollar.
pub(crate) fn expanded(text: &str, known: &Environment) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest
            .strip_prefix("$(")
            .and_then(|inner| inner.split_once(')'))
        {
            match known.get(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&rest[..name.len() + 3]),
            }
            rest = after;
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn everything_of(
    store: &Store,
    namespace: &str,
    source: &Value,
) -> Result<Vec<(String, String)>, String> {
    for (field, kind, called) in [
        ("configMapRef", Kind::ConfigMap, "configmap"),
        ("secretRef", Kind::Secret, "secret"),
    ] {
        let Some(name) = source[field]["name"].as_str() else {
            continue;
        };
        let Some(found) = store.find(kind, namespace, name) else {
            return if source[field]["optional"] == true {
                Ok(Vec::new())
            } else {
                Err(format!("{called} {name:?} not found"))
            };
        };
        let pairs = found["data"].as_object().into_iter().flatten();
        return Ok(pairs
            .filter_map(|(key, value)| Some((key.clone(), plain(kind, value)?)))
            .collect());
    }
    Ok(Vec::new())
}

fn referenced(
    store: &Store,
    pod: &Value,
    container: &Value,
    source: &Value,
) -> Result<Option<String>, String> {
    let namespace = meta(pod, "namespace");
    for (field, kind, called, capital) in [
        ("configMapKeyRef", Kind::ConfigMap, "configmap", "ConfigMap"),
        ("secretKeyRef", Kind::Secret, "secret", "Secret"),
    ] {
        let reference = &source[field];
        let (Some(name), Some(key)) = (reference["name"].as_str(), reference["key"].as_str())
        else {
            continue;
        };
        let optional = reference["optional"] == true;
        let Some(found) = store.find(kind, namespace, name) else {
            return if optional {
                Ok(None)
            } else {
                Err(format!("{called} {name:?} not found"))
            };
        };
        return match plain(kind, &found["data"][key]) {
            Some(value) => Ok(Some(value)),
            None if optional => Ok(None),
            None => Err(format!(
                "couldn't find key {key} in {capital} {namespace}/{name}"
            )),
        };
    }
    if let Some(path) = source["fieldRef"]["fieldPath"].as_str() {
        return Ok(Some(field(pod, path).unwrap_or_default()));
    }
    if let Some(path) = source["resourceFieldRef"]["resource"].as_str() {
        let amount = path
            .split_once('.')
            .map(|(which, name)| &container["resources"][which][name]);
        return Ok(Some(
            amount.and_then(Value::as_str).unwrap_or("0").to_owned(),
        ));
    }
    Ok(Some(String::new()))
}

/// A value of a ConfigMap as it is, of a Secret decoded; none when it cannot be an environment variable's.
fn plain(kind: Kind, value: &Value) -> Option<String> {
    let text = value.as_str()?;
    if kind == Kind::Secret {
        return String::from_utf8(STANDARD.decode(text).ok()?).ok();
    }
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::clock::Clock;

    fn store() -> Store {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let store = Store::new(Clock::new("2026-11-24T08:00:00Z".parse().unwrap()));
        store
            .create(Kind::Namespace, json!({"metadata": {"name": "n"}}))
            .unwrap();
        store
            .create(
                Kind::ConfigMap,
                json!({"metadata": {"namespace": "n", "name": "c"}, "data": {"A": "1", "B": "2"}}),
            )
            .unwrap();
        store
            .create(
                Kind::Secret,
                json!({"metadata": {"namespace": "n", "name": "s"}, "data": {"K": "c2VjcmV0"}}),
            )
            .unwrap();
        store
    }

    fn of(container: Value) -> Result<Environment, String> {
        let pod = json!({"metadata": {"namespace": "n", "name": "p", "labels": {"l": "v"}}, "spec": {"nodeName": "sandbox"}});
        of_spec(&store(), &pod, &container)
    }

    #[test]
    fn every_source() {
        let all = of(json!({
            "envFrom": [{"configMapRef": {"name": "c"}}, {"prefix": "X_", "configMapRef": {"name": "c"}}],
            "env": [
                {"name": "B", "value": "own"},
                {"name": "E", "value": "$(A)-$(B)-$(NOPE)-$$(A)"},
                {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "K"}}},
                {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['l']"}}},
                {"name": "O", "valueFrom": {"configMapKeyRef": {"name": "nope", "key": "x", "optional": true}}},
            ],
        }))
        .unwrap();
        let expected = [
            ("A", "1"),
            ("B", "own"),
            ("E", "1-own-$(NOPE)-$(A)"),
            ("L", "v"),
            ("N", "p"),
            ("S", "secret"),
            ("X_A", "1"),
            ("X_B", "2"),
        ];
        assert_eq!(
            all,
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        for (container, message) in [
            (
                json!({"envFrom": [{"configMapRef": {"name": "no"}}]}),
                r#"configmap "no" not found"#,
            ),
            (
                json!({"envFrom": [{"secretRef": {"name": "no"}}]}),
                r#"secret "no" not found"#,
            ),
            (
                json!({"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "no"}}}]}),
                "couldn't find key no in Secret n/s",
            ),
        ] {
            assert_eq!(of(container).unwrap_err(), message);
        }
    }
}
