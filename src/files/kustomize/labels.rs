//! Labels and annotations for all objects, their pod templates and, where asked for, their selectors.

use super::resource::{Resource, each_map, pod_template};
use super::spec::Loaded;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Selectors that are extended only where they are: kind and path.
const OPEN_SELECTORS: &[(&str, &str)] = &[
    ("Job", "spec/selector/matchLabels"),
    ("CronJob", "spec/jobTemplate/spec/selector/matchLabels"),
    ("PodDisruptionBudget", "spec/selector/matchLabels"),
    ("NetworkPolicy", "spec/podSelector/matchLabels"),
    ("NetworkPolicy", "spec/ingress/from/podSelector/matchLabels"),
    ("NetworkPolicy", "spec/egress/to/podSelector/matchLabels"),
];

/// Selectors inside the pod spec of `Deployment` and `StatefulSet`.
const POD_SELECTORS: &[&str] = &[
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
];

/// `labels`, then `commonLabels`.
pub(super) fn labels(loaded: &Loaded, all: &mut [Resource]) {
    for entry in &loaded.spec.labels {
        for resource in all.iter_mut() {
            let templates = entry.include_templates || entry.include_selectors;
            label(resource, &entry.pairs, templates, entry.include_selectors);
        }
    }
    for resource in all.iter_mut() {
        label(resource, &loaded.spec.common_labels, true, true);
    }
}

fn label(
    resource: &mut Resource,
    pairs: &BTreeMap<String, String>,
    templates: bool,
    selectors: bool,
) {
    if pairs.is_empty() {
        return;
    }
    let kind = resource.kind().to_owned();
    let value = &mut resource.value;
    put(value, &["metadata", "labels"], true, pairs);
    if templates {
        for path in template_metadata(&kind) {
            put(value, &[path.as_slice(), &["labels"]].concat(), true, pairs);
        }
        if kind == "StatefulSet" {
            let path = ["spec", "volumeClaimTemplates", "metadata", "labels"];
            if value.pointer("/spec/volumeClaimTemplates").is_some() {
                put(value, &path, true, pairs);
            }
        }
    }
    if !selectors {
        return;
    }
    match kind.as_str() {
        "Service" | "ReplicationController" => put(value, &["spec", "selector"], true, pairs),
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" => {
            put(value, &["spec", "selector", "matchLabels"], true, pairs);
        }
        _ => {}
    }
    if matches!(kind.as_str(), "Deployment" | "StatefulSet") {
        for path in POD_SELECTORS {
            let path: Vec<&str> = ["spec", "template", "spec"]
                .into_iter()
                .chain(path.split('/'))
                .collect();
            put(value, &path, false, pairs);
        }
    }
    for (_, path) in OPEN_SELECTORS.iter().filter(|(of, _)| *of == kind) {
        let path: Vec<&str> = path.split('/').collect();
        put(value, &path, false, pairs);
    }
}

/// `commonAnnotations`.
pub(super) fn annotations(loaded: &Loaded, all: &mut [Resource]) {
    let pairs = &loaded.spec.common_annotations;
    if pairs.is_empty() {
        return;
    }
    for resource in all {
        put(
            &mut resource.value,
            &["metadata", "annotations"],
            true,
            pairs,
        );
        for path in template_metadata(resource.kind()) {
            put(
                &mut resource.value,
                &[path.as_slice(), &["annotations"]].concat(),
                true,
                pairs,
            );
        }
    }
}

/// Where the metadata of the templates in an object is.
fn template_metadata(kind: &str) -> Vec<Vec<&'static str>> {
    let mut paths = Vec::new();
    if kind == "CronJob" {
        paths.push(vec!["spec", "jobTemplate", "metadata"]);
    }
    if let Some(template) = pod_template(kind).filter(|_| !matches!(kind, "Pod" | "PodTemplate")) {
        paths.push([template, &["metadata"]].concat());
    }
    paths
}

fn put(value: &mut Value, path: &[&str], create: bool, pairs: &BTreeMap<String, String>) {
    each_map(value, path, create, &mut |map: &mut Map<String, Value>| {
        for (key, text) in pairs {
            map.insert(key.clone(), Value::String(text.clone()));
        }
    });
}
