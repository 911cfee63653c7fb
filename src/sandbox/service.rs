//! The service itself: a request in, an answer out, over memory or a socket alike.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt as _, Limited};

use super::discovery;
use super::faults::Faults;
use super::list;
use super::logs::Logs;
use super::patch;
use super::podlog;
use super::requests::{self, LARGEST_BODY, Request, Route, Target, Verb};
use super::respond::{self, Body};
use super::scale;
use super::status::Status;
use super::store::Store;
use super::watch;
use super::write;

/// Any failure below HTTP.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The API server. `kube::Client::new` takes it as it is, and hyper serves it.
#[derive(Debug, Clone)]
pub struct Service {
    api: Arc<Api>,
}

#[derive(Debug)]
pub(super) struct Api {
    pub(super) store: Store,
    pub(super) faults: Faults,
    pub(super) logs: Logs,
}

impl Service {
    pub(super) fn new(store: Store, faults: Faults, logs: Logs) -> Self {
        Self {
            api: Arc::new(Api {
                store,
                faults,
                logs,
            }),
        }
    }
}

impl<B> tower::Service<http::Request<B>> for Service
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let api = self.api.clone();
        Box::pin(async move {
            let mut response = answer(&api, request).await?;
            respond::dated(&mut response, api.store.clock().now());
            Ok(response)
        })
    }
}

async fn answer<B>(api: &Api, request: http::Request<B>) -> Result<Response<Body>, io::Error>
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if api.faults.is_down() {
        return Err(refused());
    }
    let delay = api.faults.delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
        if api.faults.is_down() {
            return Err(refused());
        }
    }
    if let Some(status) = api.faults.take_refusal() {
        return Ok(respond::status(&status));
    }
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Ok(respond::status(&too_large()));
        }
        Err(error) => return Err(io::Error::other(error)),
    };
    let request = Request::new(&parts, body);
    Ok(dispatch(api, &request).unwrap_or_else(|status| respond::status(&status)))
}

fn dispatch(api: &Api, request: &Request) -> Result<Response<Body>, Status> {
    match requests::route(&request.method, &request.path)? {
        Route::Other => discovery::answer(request),
        Route::Resource(target) => {
            let verb = requests::verb(request, &target)?;
            resource(api, request, &target, verb)
        }
    }
}

fn resource(
    api: &Api,
    request: &Request,
    target: &Target,
    verb: Verb,
) -> Result<Response<Body>, Status> {
    let Api {
        store,
        faults,
        logs,
    } = api;
    match (target.subresource.as_deref(), verb) {
        (None | Some("status"), Verb::Get) => list::get(store, request, target),
        (None, Verb::List) => list::list(store, request, target),
        (None, Verb::Watch) => watch::watch(store, faults, request, target),
        (None, Verb::Create) => write::create(store, request, target),
        (None | Some("status" | "finalize"), Verb::Update) => write::update(store, request, target),
        (None | Some("status"), Verb::Patch) => patch::patch(store, request, target),
        (None, Verb::Delete) => write::delete(store, request, target),
        (None, Verb::DeleteCollection) => write::delete_collection(store, request, target),
        (Some("scale"), Verb::Get) => scale::get(store, target),
        (Some("scale"), Verb::Update | Verb::Patch) => scale::set(store, request, target),
        (Some("log"), Verb::Get) => podlog::read(logs, faults, request, target),
        _ => Err(Status::not_imitated(request.method.as_str(), &request.path)),
    }
}

fn refused() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionRefused,
        "connection refused: the sandbox's API is switched off",
    )
}

fn too_large() -> Status {
    Status::new(
        413,
        "RequestEntityTooLarge",
        format!("Request entity too large: limit is {LARGEST_BODY}"),
    )
}
