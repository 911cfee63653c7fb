//! The kinds that a cluster serves, by aggregated discovery (two requests) or the older way (one request per group version).

use super::super::Cluster;
use super::super::error::Error;
use super::super::rest::Asked;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Asks for aggregated discovery; who does not know it answers the older document.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// What was discovered of a cluster.
pub(in crate::cluster) type Cache = Mutex<Option<Arc<Kinds>>>;

/// One kind in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster) struct Kind {
    /// Empty for the core group.
    pub(super) group: String,
    pub(super) version: String,
    pub(super) name: String,
    pub(in crate::cluster) plural: String,
    pub(super) namespaced: bool,
    pub(super) verbs: Vec<String>,
}

impl Kind {
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Path of all objects of the kind, in one namespace or everywhere.
    pub(in crate::cluster) fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            "/api"
        } else {
            "/apis"
        };
        let api = self.api_version();
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/{api}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{api}/{}", self.plural),
        }
    }

    pub(super) fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|one| one == verb)
    }
}

/// All of them, those of a group in the order of preference.
#[derive(Debug, Default)]
pub(in crate::cluster) struct Kinds(Vec<Kind>);

impl Kinds {
    /// The kind by the words of a manifest.
    pub(in crate::cluster) fn find(&self, api_version: &str, kind: &str) -> Option<&Kind> {
        self.0
            .iter()
            .find(|one| one.name == kind && one.api_version() == api_version)
    }

    /// Every kind once, in its preferred version.
    pub(super) fn once(&self) -> impl Iterator<Item = &Kind> {
        self.0.iter().enumerate().filter_map(|(at, kind)| {
            let is_first = !self.0[..at]
                .iter()
                .any(|before| before.group == kind.group && before.name == kind.name);
            is_first.then_some(kind)
        })
    }
}

impl Cluster {
    /// Asks the cluster which kinds it serves. A group whose server is away is left out.
    pub(super) async fn discover(&self) -> Result<Kinds, Error> {
        let (core, groups) = futures::try_join!(
            self.discovery("/api", AGGREGATED),
            self.discovery("/apis", AGGREGATED)
        )?;
        if is_aggregated(&core) && is_aggregated(&groups) {
            return Ok(Kinds(
                aggregated(&core).chain(aggregated(&groups)).collect(),
            ));
        }
        let paths: Vec<String> = texts(&core, "/versions")
            .map(|version| format!("/api/{version}"))
            .chain(group_versions(&groups).map(|version| format!("/apis/{version}")))
            .collect();
        let lists: Vec<_> = paths
            .iter()
            .map(|path| async move {
                match self.discovery(path, "application/json").await {
                    Ok(list) => Ok(plain(&list).collect::<Vec<Kind>>()),
                    Err(Error::Unreachable { .. }) if path.starts_with("/apis/") => Ok(Vec::new()),
                    Err(error) => Err(error),
                }
            })
            .collect();
        let lists = super::all(lists).await?;
        Ok(Kinds(lists.concat()))
    }

    async fn discovery(&self, path: &str, accept: &str) -> Result<Value, Error> {
        let asked = Asked::of_kind("read", "the kinds of", path, "", path);
        let request = http::Request::get(path).header(http::header::ACCEPT, accept);
        self.exchange(&asked, request, Vec::new())
            .await?
            .good(&asked, self.label())
    }
}

fn is_aggregated(document: &Value) -> bool {
    document.get("kind").and_then(Value::as_str) == Some("APIGroupDiscoveryList")
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn texts<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    items(value, pointer).filter_map(Value::as_str)
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn verbs(resource: &Value) -> Vec<String> {
    texts(resource, "/verbs").map(str::to_owned).collect()
}

fn aggregated(document: &Value) -> impl Iterator<Item = Kind> + '_ {
    items(document, "/items").flat_map(|group| {
        let name = text(group, "/metadata/name");
        items(group, "/versions").flat_map(move |version| {
            let name = name.clone();
            items(version, "/resources").map(move |resource| Kind {
                group: name.clone(),
                version: text(version, "/version"),
                name: text(resource, "/responseKind/kind"),
                plural: text(resource, "/resource"),
                namespaced: text(resource, "/scope") == "Namespaced",
                verbs: verbs(resource),
            })
        })
    })
}

fn group_versions(groups: &Value) -> impl Iterator<Item = String> + '_ {
    items(groups, "/groups").flat_map(|group| {
        let preferred = text(group, "/preferredVersion/groupVersion");
        let all = items(group, "/versions").map(|version| text(version, "/groupVersion"));
        let mut all: Vec<String> = all.collect();
        all.sort_by_key(|version| *version != preferred);
        all
    })
}

fn plain(list: &Value) -> impl Iterator<Item = Kind> + '_ {
    let api = text(list, "/groupVersion");
    let (group, version) = match api.split_once('/') {
        Some((group, version)) => (group.to_owned(), version.to_owned()),
        None => (String::new(), api),
    };
    items(list, "/resources")
        .filter(|resource| !text(resource, "/name").contains('/'))
        .map(move |resource| Kind {
            group: group.clone(),
            version: version.clone(),
            name: text(resource, "/kind"),
            plural: text(resource, "/name"),
            namespaced: resource
                .get("namespaced")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            verbs: verbs(resource),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_documents_say_the_same() {
        let new = json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "apps"}, "versions": [
            {"version": "v1", "resources": [{"resource": "deployments", "scope": "Namespaced", "verbs": ["list", "patch"],
             "responseKind": {"group": "apps", "version": "v1", "kind": "Deployment"}}]}]}]});
        let old = json!({"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [
            {"name": "deployments", "kind": "Deployment", "namespaced": true, "verbs": ["list", "patch"]},
            {"name": "deployments/status", "kind": "Deployment", "namespaced": true, "verbs": ["get"]}]});
        let (new, old): (Vec<Kind>, Vec<Kind>) =
            (aggregated(&new).collect(), plain(&old).collect());
        assert_eq!(new, old);
        let kind = &new[0];
        assert_eq!(
            kind.path(Some("n")),
            "/apis/apps/v1/namespaces/n/deployments"
        );
        assert_eq!(kind.path(None), "/apis/apps/v1/deployments");
        assert!(kind.can("list") && !kind.can("delete"));
    }

    #[test]
    fn the_preferred_version_comes_first() {
        let groups = json!({"groups": [{"versions": [{"groupVersion": "a/v2"}, {"groupVersion": "a/v1"}],
            "preferredVersion": {"groupVersion": "a/v1"}}]});
        assert_eq!(
            group_versions(&groups).collect::<Vec<_>>(),
            ["a/v1", "a/v2"]
        );
    }
}
