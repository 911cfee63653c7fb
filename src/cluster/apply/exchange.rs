//! One request and its whole answer, whatever the answer is: here a refusal is often the thing to know.

use super::super::error::{Error, innermost};
use super::super::rest::{Asked, FIELD_MANAGER};
use super::super::{Cluster, PATIENCE};
use super::kinds::Kind;
use crate::domain::overlays::objects::ObjectRef;
use http::request::Builder;
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;
use std::fmt::Write as _;

/// A status code and the JSON document with it.
#[derive(Debug)]
pub(in crate::cluster) struct Answer {
    pub(in crate::cluster) code: u16,
    pub(in crate::cluster) body: Value,
}

impl Answer {
    fn text(&self, field: &str) -> &str {
        self.body
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The document of a good answer, the error of another.
    pub(in crate::cluster) fn good(self, asked: &Asked, cluster: &str) -> Result<Value, Error> {
        if self.code < 400 {
            return Ok(self.body);
        }
        Err(self.error(asked, cluster))
    }

    /// The error that it is.
    pub(in crate::cluster) fn error(&self, asked: &Asked, cluster: &str) -> Error {
        Error::of_status(
            asked,
            cluster,
            self.code,
            self.text("reason"),
            self.text("message"),
        )
    }

    /// What the API server says of a refusal.
    pub(in crate::cluster) fn message(&self) -> String {
        match self.text("message") {
            "" => format!("status {}", self.code),
            message => message.to_owned(),
        }
    }

    /// The server is there and means this object. (A field that the kind does not have is a plain 500 to an apply.)
    pub(super) fn is_about_the_object(&self) -> bool {
        matches!(
            self.code,
            400 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 500
        )
    }
}

/// How a server-side apply is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Apply {
    pub(super) dry_run: bool,
    pub(super) force: bool,
}

impl Cluster {
    /// Sends a request and reads the answer, within the time limit.
    ///
    /// # Errors
    /// When no answer came. An answer that refuses is no error here.
    pub(in crate::cluster) async fn exchange(
        &self,
        asked: &Asked,
        request: Builder,
        body: Vec<u8>,
    ) -> Result<Answer, Error> {
        let request = request.body(Body::from(body)).map_err(|e| Error::Invalid {
            what: asked.to_string(),
            cluster: self.label().to_owned(),
            reason: innermost(&e),
        })?;
        let exchange = async {
            let response = self.client().send(request).await?;
            let code = response.status().as_u16();
            let bytes = response.into_body().collect().await?.to_bytes();
            Ok::<_, kube::Error>((code, bytes))
        };
        let (code, bytes) = match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(Error::of(asked, self.label(), &error)),
            Err(_) => return Err(Error::silence(asked, self.label(), PATIENCE.as_secs())),
        };
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            // Proxies and overloaded servers answer in plain text.
            let text = String::from_utf8_lossy(&bytes);
            serde_json::json!({"message": text.trim()})
        });
        Ok(Answer { code, body })
    }

    /// Reads an object as it is.
    pub(super) async fn live(
        &self,
        asked: &Asked,
        reference: &ObjectRef,
        kind: &Kind,
    ) -> Result<Answer, Error> {
        self.exchange(asked, http::Request::get(path(reference, kind)), Vec::new())
            .await
    }

    /// Sends an object as a server-side apply.
    pub(super) async fn send_apply(
        &self,
        asked: &Asked,
        reference: &ObjectRef,
        kind: &Kind,
        object: &Value,
        how: Apply,
    ) -> Result<Answer, Error> {
        let dry_run = if how.dry_run { "&dryRun=All" } else { "" };
        let force = how.force;
        let uri = format!(
            "{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force={force}{dry_run}",
            path(reference, kind)
        );
        let request = http::Request::patch(uri)
            .header(http::header::CONTENT_TYPE, "application/apply-patch+yaml");
        self.exchange(asked, request, object.to_string().into_bytes())
            .await
    }
}

/// Path of one object; what a path cannot hold is escaped.
pub(super) fn path(reference: &ObjectRef, kind: &Kind) -> String {
    let mut path = kind.path(reference.namespace.as_deref());
    path.push('/');
    for byte in reference.name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.:~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}
