//! The namespace, and prefixes and suffixes of names.

use super::resource::{Resource, each_map, is_cluster_scoped};
use super::spec::Loaded;
use crate::domain::overlays::Problem;
use serde_json::Value;

/// Kinds whose names other things are built on; they take no prefix.
const FIXED_NAMES: &[&str] = &["CustomResourceDefinition", "APIService", "Namespace"];

/// Moves all objects to the namespace of the kustomization. A Namespace object becomes that namespace.
pub(super) fn namespace(loaded: &Loaded, all: &mut [Resource]) -> Result<(), Problem> {
    let Some(namespace) = loaded
        .spec
        .namespace
        .as_deref()
        .filter(|name| !name.is_empty())
    else {
        return Ok(());
    };
    for resource in all.iter_mut() {
        resource.remember();
        let kind = resource.kind().to_owned();
        let is_core = resource.id().group.is_empty();
        let word = || Value::String(namespace.to_owned());
        if !is_cluster_scoped(&kind) {
            if let Some(metadata) = resource.metadata() {
                metadata.insert("namespace".into(), word());
            }
        } else if kind == "Namespace" && is_core {
            resource.set_name(namespace.to_owned());
        }
        match kind.as_str() {
            // Other subjects follow the account they name, when it is among the objects.
            "RoleBinding" | "ClusterRoleBinding" => {
                each_map(&mut resource.value, &["subjects"], false, &mut |subject| {
                    if subject.get("name").and_then(Value::as_str) == Some("default") {
                        subject.insert("namespace".into(), word());
                    }
                });
            }
            "APIService" => each_map(&mut resource.value, &["spec", "service"], true, &mut |s| {
                s.insert("namespace".into(), word());
            }),
            "CustomResourceDefinition" => {
                let path = ["spec", "conversion", "webhook", "clientConfig", "service"];
                each_map(&mut resource.value, &path, false, &mut |service| {
                    if service.contains_key("namespace") {
                        service.insert("namespace".into(), word());
                    }
                });
            }
            _ => {}
        }
    }
    for (at, resource) in all.iter().enumerate() {
        if all[..at].iter().any(|other| other.id() == resource.id()) {
            return Err(loaded.problem(
                format!(
                    "two objects become {} by `namespace: {namespace}`",
                    resource.id()
                ),
                "give them different names, or take `namespace` out",
            ));
        }
    }
    Ok(())
}

/// Puts the prefix before and the suffix behind every name.
pub(super) fn affixes(loaded: &Loaded, all: &mut [Resource]) {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let (prefix, suffix) = (
        text(&loaded.spec.name_prefix),
        text(&loaded.spec.name_suffix),
    );
    for resource in all {
        if FIXED_NAMES.contains(&resource.first_id().kind.as_str()) {
            continue;
        }
        if !prefix.is_empty() {
            resource.prefixes.push(prefix.clone());
        }
        if !suffix.is_empty() {
            resource.suffixes.push(suffix.clone());
        }
        if !prefix.is_empty() || !suffix.is_empty() {
            resource.remember();
            let name = resource.id().name;
            resource.set_name(format!("{prefix}{name}{suffix}"));
        }
    }
}
