//! References by name: when an object's name changed, whoever names it follows.

use super::resource::{Id, Resource, each_value, pod_template};
use super::source::problem;
use crate::domain::overlays::Problem;
use serde_json::Value;

/// Fields of a pod spec that name another object: path, kind named.
const POD: &[(&str, &str)] = &[
    ("volumes/configMap/name", "ConfigMap"),
    ("volumes/projected/sources/configMap/name", "ConfigMap"),
    ("containers/env/valueFrom/configMapKeyRef/name", "ConfigMap"),
    (
        "initContainers/env/valueFrom/configMapKeyRef/name",
        "ConfigMap",
    ),
    ("containers/envFrom/configMapRef/name", "ConfigMap"),
    ("initContainers/envFrom/configMapRef/name", "ConfigMap"),
    ("volumes/secret/secretName", "Secret"),
    ("volumes/projected/sources/secret/name", "Secret"),
    ("containers/env/valueFrom/secretKeyRef/name", "Secret"),
    ("initContainers/env/valueFrom/secretKeyRef/name", "Secret"),
    ("containers/envFrom/secretRef/name", "Secret"),
    ("initContainers/envFrom/secretRef/name", "Secret"),
    ("imagePullSecrets/name", "Secret"),
    ("serviceAccountName", "ServiceAccount"),
    (
        "volumes/persistentVolumeClaim/claimName",
        "PersistentVolumeClaim",
    ),
    ("priorityClassName", "PriorityClass"),
];

/// Fields of other kinds: kind, path, kind named.
const OTHERS: &[(&str, &str, &str)] = &[
    (
        "HorizontalPodAutoscaler",
        "spec/scaleTargetRef/name",
        "Deployment",
    ),
    (
        "HorizontalPodAutoscaler",
        "spec/scaleTargetRef/name",
        "ReplicationController",
    ),
    (
        "HorizontalPodAutoscaler",
        "spec/scaleTargetRef/name",
        "ReplicaSet",
    ),
    (
        "HorizontalPodAutoscaler",
        "spec/scaleTargetRef/name",
        "StatefulSet",
    ),
    ("Role", "rules/resourceNames", "ConfigMap"),
    ("ClusterRole", "rules/resourceNames", "ConfigMap"),
    ("Role", "rules/resourceNames", "Secret"),
    ("ClusterRole", "rules/resourceNames", "Secret"),
    ("ClusterRole", "rules/resourceNames", "PersistentVolume"),
    ("Ingress", "spec/tls/secretName", "Secret"),
    ("ServiceAccount", "imagePullSecrets/name", "Secret"),
    ("StorageClass", "parameters/secretName", "Secret"),
    ("StatefulSet", "spec/serviceName", "Service"),
    (
        "Ingress",
        "spec/rules/http/paths/backend/serviceName",
        "Service",
    ),
    ("Ingress", "spec/backend/serviceName", "Service"),
    (
        "Ingress",
        "spec/rules/http/paths/backend/service/name",
        "Service",
    ),
    ("Ingress", "spec/defaultBackend/service/name", "Service"),
    ("APIService", "spec/service/name", "Service"),
    (
        "ValidatingWebhookConfiguration",
        "webhooks/clientConfig/service",
        "Service",
    ),
    (
        "MutatingWebhookConfiguration",
        "webhooks/clientConfig/service",
        "Service",
    ),
    ("RoleBinding", "roleRef/name", "Role"),
    ("RoleBinding", "roleRef/name", "ClusterRole"),
    ("ClusterRoleBinding", "roleRef/name", "ClusterRole"),
    ("RoleBinding", "subjects", "ServiceAccount"),
    ("ClusterRoleBinding", "subjects", "ServiceAccount"),
    (
        "PersistentVolumeClaim",
        "spec/volumeName",
        "PersistentVolume",
    ),
    ("PersistentVolume", "spec/storageClassName", "StorageClass"),
    (
        "PersistentVolumeClaim",
        "spec/storageClassName",
        "StorageClass",
    ),
    (
        "StatefulSet",
        "spec/volumeClaimTemplates/spec/storageClassName",
        "StorageClass",
    ),
    ("Ingress", "spec/ingressClassName", "IngressClass"),
    (
        "ValidatingAdmissionPolicyBinding",
        "spec/policyName",
        "ValidatingAdmissionPolicy",
    ),
];

/// What a reference is resolved against.
struct Candidate {
    now: Id,
    earlier: Vec<Id>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    namespace: Option<String>,
}

/// Makes every reference name its object as it is called now.
pub(super) fn update(all: &mut [Resource]) -> Result<(), Problem> {
    let candidates: Vec<Candidate> = all
        .iter()
        .map(|resource| Candidate {
            now: resource.id(),
            earlier: resource.earlier.clone(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            namespace: resource
                .value
                .pointer("/metadata/namespace")
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
        .collect();
    for resource in all {
        let kind = resource.first_id().kind;
        if let Some(template) = pod_template(&kind) {
            for (path, named) in POD {
                let path: Vec<&str> = template
                    .iter()
                    .copied()
                    .chain(["spec"])
                    .chain(path.split('/'))
                    .collect();
                follow(resource, &path, named, &candidates)?;
            }
        }
        for (_, path, named) in OTHERS.iter().filter(|(referrer, ..)| *referrer == kind) {
            let path: Vec<&str> = path.split('/').collect();
            follow(resource, &path, named, &candidates)?;
        }
    }
    Ok(())
}

fn follow(
    resource: &mut Resource,
    path: &[&str],
    named: &str,
    candidates: &[Candidate],
) -> Result<(), Problem> {
    // A role reference says itself which of the kinds it means.
    if path == ["roleRef", "name"]
        && resource
            .value
            .pointer("/roleRef/kind")
            .and_then(Value::as_str)
            != Some(named)
    {
        return Ok(());
    }
    let (referrer, file) = (resource.id(), resource.file.clone());
    let (prefixes, suffixes) = (resource.prefixes.clone(), resource.suffixes.clone());
    let mut failed = None;
    let mut visit = |value: &mut Value| {
        let (name, namespace) = match &*value {
            Value::String(name) => (name.clone(), None),
            Value::Object(map) => {
                let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
                match text("name") {
                    Some(name) => (name, text("namespace")),
                    None => return,
                }
            }
            _ => return,
        };
        let found = select(
            &name,
            namespace.as_deref(),
            named,
            &referrer,
            (&prefixes, &suffixes),
            candidates,
        );
        match found {
            Selected::One(target) => write(value, target),
            Selected::None => {}
            Selected::Many => failed = Some(name),
        }
    };
    each_value(&mut resource.value, path, &mut visit);
    match failed {
        None => Ok(()),
        Some(name) => Err(problem(
            &file,
            None,
            format!("{referrer} names {named}/{name}, and several objects were called that"),
            "give them different names in their bases",
        )),
    }
}

fn write(value: &mut Value, target: &Candidate) {
    match value {
        Value::String(name) => name.clone_from(&target.now.name),
        Value::Object(map) => {
            map.insert("name".into(), Value::String(target.now.name.clone()));
            if let Some(namespace) = &target.namespace {
                map.insert("namespace".into(), Value::String(namespace.clone()));
            }
        }
        _ => {}
    }
}

enum Selected<'a> {
    None,
    One(&'a Candidate),
    Many,
}

fn select<'a>(
    name: &str,
    namespace: Option<&str>,
    named: &str,
    referrer: &Id,
    affixes: (&[String], &[String]),
    candidates: &'a [Candidate],
) -> Selected<'a> {
    let was = |c: &Candidate| {
        c.earlier
            .iter()
            .any(|id| id.kind == named && id.name == name)
    };
    let near = |c: &Candidate| {
        referrer.namespace.is_empty()
            || c.now.namespace.is_empty()
            || c.now.kind == "ServiceAccount"
            || c.now.namespace == referrer.namespace
    };
    let mut fitting: Vec<&Candidate> = candidates.iter().filter(|c| was(c) && near(c)).collect();
    if let Some(namespace) = namespace {
        let first = |c: &&Candidate| {
            c.earlier
                .first()
                .is_some_and(|id| id.namespace == namespace)
        };
        fitting = if fitting.iter().any(first) {
            fitting.into_iter().filter(first).collect()
        } else {
            fitting
                .into_iter()
                .filter(|c| c.now.namespace == namespace)
                .collect()
        };
    }
    if fitting.len() > 1 {
        fitting.retain(|c| has_same_affixes(c, affixes, true));
    }
    if fitting.len() > 1 {
        fitting.retain(|c| has_same_affixes(c, affixes, false));
    }
    match fitting.as_slice() {
        [] => Selected::None,
        [one, rest @ ..] if rest.iter().all(|c| c.now.name == one.now.name) => Selected::One(one),
        _ => Selected::Many,
    }
}

fn has_same_affixes(
    c: &Candidate,
    (prefixes, suffixes): (&[String], &[String]),
    loosely: bool,
) -> bool {
    let same = |a: &[String], b: &[String]| {
        (loosely && (a.is_empty() || b.is_empty())) || ends_alike(a, b)
    };
    same(&c.prefixes, prefixes) && same(&c.suffixes, suffixes)
}

/// One list ends in the other: the layers that both went through added the same.
fn ends_alike(a: &[String], b: &[String]) -> bool {
    let shared = a.len().min(b.len());
    a[a.len() - shared..] == b[b.len() - shared..]
}
