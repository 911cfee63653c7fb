//! The log of a pod as the API gives it.

use futures::StreamExt as _;
use http::Response;

use super::faults::Faults;
use super::logs::{LogOptions, Logs};
use super::requests::{Request, Target};
use super::respond::{self, Body};
use super::status::Status;

/// Answers a read of a container's log; a follow ends with the container, or when every open stream has to end.
pub(super) fn read(
    logs: &Logs,
    faults: &Faults,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    let options = LogOptions {
        follow: request.flag("follow"),
        tail_lines: request.number("tailLines"),
        since_time: since(request)?,
        since_seconds: request
            .number("sinceSeconds")
            .and_then(|seconds| i64::try_from(seconds).ok()),
        timestamps: request.flag("timestamps"),
        limit_bytes: request.number("limitBytes"),
        previous: request.flag("previous"),
    };
    let container = request.parameter("container");
    let lines = logs.read(target.namespace(), target.name(), container, &options)?;
    let mut drops = faults.drops();
    drops.mark_unchanged();
    let dropped = async move {
        // A sandbox that is gone drops its streams too.
        let _ = drops.changed().await;
    };
    Ok(respond::stream(
        "text/plain",
        lines.take_until(Box::pin(dropped)),
    ))
}

fn since(request: &Request) -> Result<Option<jiff::Timestamp>, Status> {
    let Some(text) = request.parameter("sinceTime") else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|error| Status::bad_request(format!("sinceTime {text:?}: {error}")))
}
