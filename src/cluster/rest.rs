//! Single requests: paths, the time limit, and what was asked in words, for messages.

use super::error::Error;
use super::{Cluster, PATIENCE};
use http::Request as HttpRequest;
use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;

/// The name that our writes carry as field manager.
pub(super) const FIELD_MANAGER: &str = crate::domain::overlays::FIELD_MANAGER;

/// The kinds that runs are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Namespaces,
    Jobs,
    Pods,
    ConfigMaps,
    Events,
}

impl Resource {
    fn noun(self) -> &'static str {
        match self {
            Self::Namespaces => "namespace",
            Self::Jobs => "job",
            Self::Pods => "pod",
            Self::ConfigMaps => "configmap",
            Self::Events => "event",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Jobs => "jobs",
            Self::Pods => "pods",
            Self::ConfigMaps => "configmaps",
            Self::Events => "events",
        }
    }

    /// Requests for this kind in `namespace` (of no meaning for namespaces).
    pub(super) fn request(self, namespace: &str) -> Request {
        let plural = self.plural();
        Request::new(match self {
            Self::Namespaces => "/api/v1/namespaces".to_owned(),
            Self::Jobs => format!("/apis/batch/v1/namespaces/{namespace}/{plural}"),
            Self::Pods | Self::ConfigMaps | Self::Events => {
                format!("/api/v1/namespaces/{namespace}/{plural}")
            }
        })
    }
}

/// What was asked of a cluster; `Display` completes the sentence "cannot …".
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) verb: &'static str,
    pub(super) resource: Cow<'static, str>,
    what: String,
}

impl Asked {
    /// One object.
    pub(super) fn object(
        verb: &'static str,
        resource: Resource,
        namespace: &str,
        name: &str,
    ) -> Self {
        let noun = resource.noun();
        let what = if namespace.is_empty() {
            format!("{noun} {name}")
        } else {
            format!("{noun} {name} in namespace {namespace}")
        };
        Self {
            verb,
            resource: resource.plural().into(),
            what,
        }
    }

    /// All objects of a kind.
    pub(super) fn all(verb: &'static str, resource: Resource, namespace: &str) -> Self {
        let plural = resource.plural();
        Self {
            verb,
            resource: plural.into(),
            what: format!("{plural} in namespace {namespace}"),
        }
    }

    /// Something that is no object.
    pub(super) fn path(verb: &'static str, what: &str, path: &'static str) -> Self {
        Self {
            verb,
            resource: path.into(),
            what: what.to_owned(),
        }
    }

    /// One object of any kind.
    pub(super) fn of_kind(
        verb: &'static str,
        kind: &str,
        plural: &str,
        namespace: &str,
        name: &str,
    ) -> Self {
        let what = if namespace.is_empty() {
            format!("{kind} {name}")
        } else {
            format!("{kind} {name} in namespace {namespace}")
        };
        Self {
            verb,
            resource: plural.to_owned().into(),
            what,
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.what)
    }
}

/// A plain GET.
pub(super) fn get(path: &'static str) -> Result<HttpRequest<Vec<u8>>, Error> {
    let asked = Asked::path("read", path, path);
    HttpRequest::get(path)
        .body(Vec::new())
        .map_err(|e| unbuilt(&asked, &e))
}

fn unbuilt(asked: &Asked, error: &(dyn std::error::Error + 'static)) -> Error {
    Error::Invalid {
        what: asked.to_string(),
        cluster: "this machine".to_owned(),
        reason: super::error::innermost(error),
    }
}

impl Cluster {
    /// Runs one exchange with the time limit, and puts errors in our words.
    pub(super) async fn within<T>(
        &self,
        asked: &Asked,
        exchange: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Error::of(asked, self.label(), &error)),
            Err(_) => Err(Error::silence(asked, self.label(), PATIENCE.as_secs())),
        }
    }

    pub(super) async fn request<T: DeserializeOwned>(
        &self,
        asked: &Asked,
        request: HttpRequest<Vec<u8>>,
    ) -> Result<T, Error> {
        self.within(asked, self.client.request(request)).await
    }

    pub(super) async fn request_text(
        &self,
        asked: &Asked,
        request: HttpRequest<Vec<u8>>,
    ) -> Result<String, Error> {
        self.within(asked, self.client.request_text(request)).await
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
    ) -> Result<T, Error> {
        let asked = Asked::object("get", resource, namespace, name);
        let request = resource.request(namespace).get(name, &GetParams::default());
        self.request(&asked, request.map_err(|e| unbuilt(&asked, &e))?)
            .await
    }

    /// One page of a list as the server wrote it; see [`Cluster::read_page`].
    pub(super) async fn page_text(
        &self,
        resource: Resource,
        namespace: &str,
        params: &ListParams,
    ) -> Result<String, Error> {
        let asked = Asked::all("list", resource, namespace);
        let request = resource.request(namespace).list(params);
        self.request_text(&asked, request.map_err(|e| unbuilt(&asked, &e))?)
            .await
    }

    /// What a page says.
    pub(super) fn read_page<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        text: &str,
    ) -> Result<T, Error> {
        let asked = Asked::all("list", resource, namespace);
        serde_json::from_str(text)
            .map_err(|error| Error::of(&asked, self.label(), &kube::Error::SerdeError(error)))
    }

    /// One page of a list; errors as they are for the caller to tell an expired page from others.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        params: &ListParams,
    ) -> Result<T, Error> {
        let asked = Asked::all("list", resource, namespace);
        let request = resource.request(namespace).list(params);
        self.request(&asked, request.map_err(|e| unbuilt(&asked, &e))?)
            .await
    }

    /// Creates an object; `name` is for the message.
    pub(super) async fn create<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        object: &impl Serialize,
    ) -> Result<T, Error> {
        let asked = Asked::object("create", resource, namespace, name);
        let body = serde_json::to_vec(object).map_err(|e| unbuilt(&asked, &e))?;
        let params = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let request = resource.request(namespace).create(&params, body);
        self.request(&asked, request.map_err(|e| unbuilt(&asked, &e))?)
            .await
    }

    /// Merges `patch` into an object.
    pub(super) async fn merge<T: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        patch: &serde_json::Value,
    ) -> Result<T, Error> {
        let asked = Asked::object("patch", resource, namespace, name);
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let request = resource
            .request(namespace)
            .patch(name, &params, &Patch::Merge(patch));
        self.request(&asked, request.map_err(|e| unbuilt(&asked, &e))?)
            .await
    }

    /// Deletes an object. The answer, the object or a status, is of no interest.
    pub(super) async fn delete(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        params: &DeleteParams,
    ) -> Result<(), Error> {
        let asked = Asked::object("delete", resource, namespace, name);
        let request = resource.request(namespace).delete(name, params);
        self.request_text(&asked, request.map_err(|e| unbuilt(&asked, &e))?)
            .await
            .map(drop)
    }
}
