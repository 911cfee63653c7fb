//! An API server that answers from a function: for answers and faults that no real one gives on demand.

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kube::client::Body;
use llmctl_dev::cluster::Cluster;
use llmctl_dev::domain::target::{Target, TargetKind};
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the function sees of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Null for a request without a body.
    pub(crate) body: Value,
}

impl Asked {
    /// Value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn is_watch(&self) -> bool {
        self.parameter("watch") == Some("true")
    }
}

/// A piece of a streamed body.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    Wait(Duration),
    /// The connection breaks.
    Break,
    /// Nothing comes any more.
    Silence,
}

/// An answer.
pub(crate) enum Answer {
    Json(u16, Value),
    /// Anything but JSON.
    Text(u16, &'static str),
    Stream(Vec<Piece>),
    /// Nobody listens.
    Refuse,
    /// Somebody listens and says nothing.
    Silence,
}

impl Answer {
    pub(crate) fn status(code: u16, reason: &str, message: &str) -> Self {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message});
        Self::Json(code, status)
    }

    /// A list of objects at a version.
    pub(crate) fn list(items: &[Value], version: u64) -> Self {
        Self::Json(
            200,
            json!({"kind": "List", "metadata": {"resourceVersion": version.to_string()}, "items": items}),
        )
    }
}

/// One line of a watch.
pub(crate) fn event(kind: &str, object: &Value) -> Piece {
    Piece::Bytes(format!("{}\n", json!({"type": kind, "object": object})).into_bytes())
}

/// A connection to a server that answers with `answer`; and the requests it got.
pub(crate) fn cluster(
    answer: impl FnMut(&Asked) -> Answer + Send + 'static,
) -> (Cluster, Arc<Mutex<Vec<Asked>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let answer = Arc::new(Mutex::new(answer));
    let requests = Arc::clone(&log);
    let service = tower::service_fn(move |request: Request<Body>| {
        let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let asked = Asked {
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            };
            log.lock().unwrap().push(asked.clone());
            let answer = (answer.lock().unwrap())(&asked);
            respond(answer).await
        }
    });
    let target = Target {
        kind: TargetKind::Context,
        name: "fake".into(),
        server: "fake".into(),
    };
    (Cluster::from_service(service, &target), requests)
}

async fn respond(answer: Answer) -> io::Result<Response<UnsyncBoxBody<Bytes, io::Error>>> {
    let (code, body) = match answer {
        Answer::Json(code, value) => (
            code,
            Full::new(Bytes::from(value.to_string()))
                .map_err(|never| match never {})
                .boxed_unsync(),
        ),
        Answer::Text(code, text) => (
            code,
            Full::new(Bytes::from(text))
                .map_err(|never| match never {})
                .boxed_unsync(),
        ),
        Answer::Stream(pieces) => (200, StreamBody::new(stream(pieces)).boxed_unsync()),
        Answer::Refuse => {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "connection refused",
            ));
        }
        Answer::Silence => std::future::pending().await,
    };
    let response = Response::builder()
        .status(code)
        .header("content-type", "application/json")
        .body(body);
    response.map_err(io::Error::other)
}

fn stream(pieces: Vec<Piece>) -> impl futures::Stream<Item = io::Result<Frame<Bytes>>> + Send {
    futures::stream::iter(pieces).filter_map(|piece| async move {
        match piece {
            Piece::Bytes(bytes) => Some(Ok(Frame::data(Bytes::from(bytes)))),
            Piece::Wait(time) => {
                tokio::time::sleep(time).await;
                None
            }
            Piece::Break => Some(Err(io::Error::new(
                io::ErrorKind::ConnectionReset,
                "connection reset",
            ))),
            Piece::Silence => std::future::pending().await,
        }
    })
}
