//! A request, taken apart: what it asks of which resource, with which parameters.

pub(super) mod body;
pub(super) mod outline;
mod query;
mod syntax;

use http::{HeaderMap, Method, header};

use super::kinds::{self, EVENTS_GROUP, Kind};
use super::status::Status;
use super::writer;

/// The largest body the server reads, in bytes.
pub(super) const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// An imitated resource.
    Resource(Target),
    /// Anything that is not about objects: discovery, version, health.
    Other,
}

/// The resource of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: Kind,
    /// Asked through `events.k8s.io`, so events have that group's shape.
    pub(super) new_events: bool,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
}

impl Target {
    /// The namespace, empty for cluster-wide objects and for lists over all namespaces.
    pub(super) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The `apiVersion` under which it was asked for.
    pub(super) fn api_version(&self) -> String {
        if self.new_events {
            format!("{EVENTS_GROUP}/v1")
        } else {
            self.kind.api_version()
        }
    }
}

/// A request without its transport.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn new(parts: &http::request::Parts, body: Vec<u8>) -> Self {
        Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: query::parse(parts.uri.query().unwrap_or_default()),
            headers: parts.headers.clone(),
            body,
        }
    }

    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The media type of the body, without parameters.
    pub(super) fn content_type(&self) -> &str {
        let full = self.header(header::CONTENT_TYPE);
        full.split(';').next().unwrap_or_default().trim()
    }

    /// Who writes: `fieldManager`, or what the user agent calls itself.
    pub(super) fn manager(&self) -> String {
        if let Some(named) = self.parameter("fieldManager") {
            return named.to_owned();
        }
        let agent = self.header(header::USER_AGENT);
        let name = agent.split('/').next().unwrap_or_default();
        let name: String = name.chars().filter(|c| !c.is_control()).take(128).collect();
        if name.is_empty() {
            "unknown".to_owned()
        } else {
            name
        }
    }
}

/// Finds the resource of a path.
///
/// # Errors
/// 404 when there is none, 501 when a real server has it and the sandbox does not.
pub(super) fn route(method: &Method, path: &str) -> Result<Route, Status> {
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(query::percent_decode)
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, rest) = match parts.as_slice() {
        ["api", "v1", rest @ ..] if !rest.is_empty() => ("", rest),
        // A group that nobody serves is no path at all.
        ["apis", group, ..] if !kinds::is_group(group) => return Ok(Route::Other),
        ["apis", group, "v1", rest @ ..] if !rest.is_empty() => (*group, rest),
        ["apis", group, _, _, ..] if kinds::known_elsewhere(group, "") => {
            return Err(Status::not_imitated(method.as_str(), path));
        }
        // A version that a served group does not have.
        ["apis", group, _, _, ..] if Kind::all().any(|kind| kind.row().group == *group) => {
            return Err(Status::no_such_path());
        }
        _ => return Ok(Route::Other),
    };
    let (namespace, rest) = match rest {
        // A namespace's own subresources look like resources in a namespace.
        ["namespaces", _, "status" | "finalize"] => (None, rest),
        ["namespaces", namespace, inner @ ..] if !inner.is_empty() => (Some(*namespace), inner),
        ["watch", ..] => return Err(Status::not_imitated(method.as_str(), path)),
        rest => (None, rest),
    };
    let [plural, rest @ ..] = rest else {
        return Err(Status::no_such_path());
    };
    let Some(kind) = Kind::at(group, plural) else {
        return Err(if kinds::known_elsewhere(group, plural) {
            Status::not_imitated(method.as_str(), path)
        } else {
            Status::no_such_path()
        });
    };
    let (name, subresource) = match rest {
        [] => (None, None),
        [name] => (Some(*name), None),
        [name, subresource] if kind.row().subresources.contains(subresource) => {
            (Some(*name), Some(*subresource))
        }
        [_, subresource, ..] if kinds::known_subresources(kind).contains(subresource) => {
            return Err(Status::not_imitated(method.as_str(), path));
        }
        _ => return Err(Status::no_such_path()),
    };
    if namespace.is_some() != kind.namespaced() && (namespace.is_some() || name.is_some()) {
        return Err(Status::no_such_path());
    }
    Ok(Route::Resource(Target {
        kind,
        new_events: group == EVENTS_GROUP,
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
    }))
}

/// The verb of a request to a resource.
///
/// # Errors
/// 405 for a method that makes no sense there, 501 for one the sandbox does not imitate.
pub(super) fn verb(request: &Request, target: &Target) -> Result<Verb, Status> {
    let verb = match (request.method.as_str(), target.name.is_some()) {
        ("GET", true) => Verb::Get,
        ("GET", false) if request.flag("watch") => Verb::Watch,
        ("GET", false) => Verb::List,
        ("POST", false) if target.kind.namespaced() == target.namespace.is_some() => Verb::Create,
        ("PUT", true) => Verb::Update,
        ("PATCH", true) => Verb::Patch,
        ("DELETE", true) if target.subresource.is_none() => Verb::Delete,
        ("DELETE", false) => Verb::DeleteCollection,
        _ => return Err(method_not_allowed()),
    };
    let row = target.kind.row();
    if target.subresource.is_none() && !row.verbs.contains(&verb.name()) {
        return Err(if row.verbs.len() > 3 {
            method_not_allowed()
        } else {
            Status::not_imitated(request.method.as_str(), &request.path)
        });
    }
    Ok(verb)
}

fn method_not_allowed() -> Status {
    writer::no_details(Status::new(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> Target {
        match route(&Method::GET, path) {
            Ok(Route::Resource(target)) => target,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn paths_lead_to_resources() {
        let pod = target("/api/v1/namespaces/a/pods/p/log");
        assert_eq!(
            (pod.kind, pod.namespace(), pod.name()),
            (Kind::Pod, "a", "p")
        );
        assert_eq!(pod.subresource.as_deref(), Some("log"));
        assert_eq!(target("/apis/batch/v1/jobs").namespace, None);
        assert_eq!(target("/api/v1/namespaces/a").name(), "a");
        assert_eq!(
            target("/api/v1/namespaces/a/finalize")
                .subresource
                .as_deref(),
            Some("finalize")
        );
        assert!(target("/apis/events.k8s.io/v1/namespaces/a/events").new_events);
    }

    #[test]
    fn what_is_not_there_is_told_from_what_is_not_imitated() {
        let code = |path: &str| route(&Method::GET, path).unwrap_err().code;
        assert_eq!(code("/api/v1/namespaces/a/widgets"), 404);
        assert_eq!(code("/apis/batch/v1/namespaces/a/cronjobs"), 501);
        assert_eq!(code("/api/v1/namespaces/a/pods/p/exec"), 501);
        assert_eq!(code("/api/v1/namespaces/a/pods/p/nothing"), 404);
        assert_eq!(code("/apis/storage.k8s.io/v1/storageclasses"), 501);
        assert_eq!(code("/api/v1/pods/p"), 404);
        assert_eq!(route(&Method::GET, "/version"), Ok(Route::Other));
    }
}
