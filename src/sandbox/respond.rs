//! Answers: documents, Status objects, streams of lines.

use std::convert::Infallible;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde::Serialize;

use super::status::Status;

/// The body of every answer.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A JSON document.
pub(super) fn json(code: u16, document: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(document) {
        Ok(bytes) => bytes_as(code, "application/json", bytes),
        Err(error) => status(&Status::new(
            500,
            "InternalError",
            format!("cannot write the answer: {error}"),
        )),
    }
}

/// Bytes of a media type.
pub(super) fn bytes_as(code: u16, media: &'static str, bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(bytes)).boxed_unsync());
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    response
}

/// Plain text.
pub(super) fn text(code: u16, text: impl Into<String>) -> Response<Body> {
    bytes_as(code, "text/plain; charset=utf-8", text.into().into_bytes())
}

/// Says when it was answered, as every HTTP server with a clock does; whole seconds, cut.
pub(super) fn dated(response: &mut Response<Body>, now: Timestamp) {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
    if let Some(date) = date.ok().and_then(|date| HeaderValue::try_from(date).ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
}

/// A refusal.
pub(super) fn status(status: &Status) -> Response<Body> {
    let mut response = json(status.code, &status.json());
    if let Some(seconds) = status.retry_seconds() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Chunks as they come.
pub(super) fn stream(
    media: &'static str,
    chunks: impl Stream<Item = Bytes> + Send + 'static,
) -> Response<Body> {
    let frames = chunks.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)));
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
