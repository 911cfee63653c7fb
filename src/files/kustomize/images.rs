//! Images and replica counts.

use super::resource::Resource;
use super::spec::{Image, Loaded};
use crate::domain::overlays::Problem;
use regex::Regex;
use serde_json::Value;

/// `replicas`: by present or earlier name.
pub(super) fn replicas(loaded: &Loaded, all: &mut [Resource]) -> Result<(), Problem> {
    const SCALABLE: &[&str] = &[
        "Deployment",
        "ReplicationController",
        "ReplicaSet",
        "StatefulSet",
    ];
    for entry in &loaded.spec.replicas {
        let mut found = false;
        for resource in all.iter_mut() {
            let is_named = resource
                .earlier
                .iter()
                .chain([&resource.id()])
                .any(|id| id.name == entry.name && SCALABLE.contains(&id.kind.as_str()));
            if is_named {
                found = true;
                super::resource::each_map(&mut resource.value, &["spec"], true, &mut |spec| {
                    spec.insert("replicas".into(), entry.count.into());
                });
            }
        }
        if !found {
            return Err(loaded.problem(
                format!("`replicas` names `{}`, and nothing that scales is called that", entry.name),
                "correct the name: Deployments, StatefulSets, ReplicaSets and ReplicationControllers scale",
            ));
        }
    }
    Ok(())
}

/// `images`: in every list of containers, wherever it is.
pub(super) fn images(loaded: &Loaded, all: &mut [Resource]) -> Result<(), Problem> {
    for entry in &loaded.spec.images {
        let pattern = format!(
            "^(?:{})(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$",
            entry.name
        );
        let regex = Regex::new(&pattern).map_err(|_| {
            loaded.problem(
                format!("`{}` in `images` is not an image name", entry.name),
                "write the name without tag and digest",
            )
        })?;
        for resource in all
            .iter_mut()
            .filter(|r| r.kind() != "CustomResourceDefinition")
        {
            walk(&mut resource.value, entry, &regex);
        }
    }
    Ok(())
}

fn walk(value: &mut Value, entry: &Image, regex: &Regex) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, entry, regex)),
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                let field = match key.as_str() {
                    "containers" | "initContainers" => "/image",
                    "volumes" => "/image/reference",
                    _ => {
                        walk(inner, entry, regex);
                        continue;
                    }
                };
                for item in inner.as_array_mut().into_iter().flatten() {
                    if let Some(Value::String(image)) = item.pointer_mut(field)
                        && regex.is_match(image)
                    {
                        *image = renamed(image, entry);
                    }
                }
            }
        }
        _ => {}
    }
}

/// An image reference with what the entry says; a new tag or digest replaces both.
fn renamed(image: &str, entry: &Image) -> String {
    let (name, tag, digest) = split(image);
    let name = entry
        .new_name
        .as_deref()
        .filter(|n| !n.is_empty())
        .unwrap_or(name);
    let set = |part: &Option<String>| part.clone().filter(|text| !text.is_empty());
    let (tag, digest) = match (set(&entry.new_tag), set(&entry.digest)) {
        (None, None) => (tag.to_owned(), digest.to_owned()),
        (tag, digest) => (tag.unwrap_or_default(), digest.unwrap_or_default()),
    };
    let mut whole = name.to_owned();
    for (mark, part) in [(':', tag), ('@', digest)] {
        if !part.is_empty() {
            whole.push(mark);
            whole.push_str(&part);
        }
    }
    whole
}

/// Name, tag and digest. A colon before the last slash belongs to a port.
fn split(image: &str) -> (&str, &str, &str) {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let after_slash = rest.find('/').filter(|at| *at > 0).unwrap_or(0);
    match rest[after_slash..].find(':') {
        Some(at) => (
            &rest[..after_slash + at],
            &rest[after_slash + at + 1..],
            digest,
        ),
        None => (rest, "", digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart_and_put_together() {
        for (image, parts) in [
            ("a", ("a", "", "")),
            ("a:1", ("a", "1", "")),
            ("h:80/a", ("h:80/a", "", "")),
            ("h:80/a:1@sha256:0", ("h:80/a", "1", "sha256:0")),
        ] {
            assert_eq!(split(image), parts, "{image}");
        }
        let entry = |tag: Option<&str>, digest: Option<&str>| Image {
            name: "a".into(),
            new_name: Some("b".into()),
            new_tag: tag.map(Into::into),
            digest: digest.map(Into::into),
        };
        assert_eq!(renamed("a:1@sha256:0", &entry(None, None)), "b:1@sha256:0");
        assert_eq!(renamed("a:1@sha256:0", &entry(Some("2"), None)), "b:2");
        assert_eq!(renamed("a:1", &entry(None, Some("sha256:9"))), "b@sha256:9");
    }
}
