//! The log of a pod as the API gives it.

use futures::StreamExt as _;
use http::Response;

use super::faults::Faults;
use super::logs::{LogOptions, Logs};
use super::requests::{Request, Target};
use super::respond::{self, Body};
use super::status::{Cause, Status};

/// Answers a read of a container's log; a follow ends with the container, or when every open stream has to end.
pub(super) fn read(
    logs: &Logs,
    faults: &Faults,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    check(request, target.name())?;
    let options = LogOptions {
        follow: request.flag("follow"),
        tail_lines: request.number("tailLines")?,
        since_time: since(request)?,
        since_seconds: request
            .number("sinceSeconds")?
            .and_then(|seconds| i64::try_from(seconds).ok()),
        timestamps: request.flag("timestamps"),
        limit_bytes: request.number("limitBytes")?,
        previous: request.flag("previous"),
    };
    if !logs.is_placed(target.namespace(), target.name())? {
        return Ok(respond::bytes_as(204, "application/json", Vec::new()));
    }
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
    text.parse().map(Some).map_err(|_| {
        let form = "2006-01-02T15:04:05Z07:00";
        Status::bad_request(format!(
            "parsing time {text:?} as {form:?}: cannot parse {text:?} as \"2006\""
        ))
    })
}

/// Whether the options make sense.
fn check(request: &Request, pod: &str) -> Result<(), Status> {
    let least = [
        ("tailLines", 0, "must be greater than or equal to 0"),
        ("limitBytes", 1, "must be greater than 0"),
        ("sinceSeconds", 1, "must be greater than 0"),
    ];
    let mut causes = Vec::new();
    for (field, least, why) in least {
        if let Some(number) = request.signed(field)?.filter(|number| *number < least) {
            causes.push(Cause::invalid(field, &number.into(), why));
        }
    }
    let given = |name: &str| request.parameter(name).is_some();
    if given("sinceTime") && given("sinceSeconds") {
        since(request)?;
        let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
        causes.push(Cause::forbidden("[]", why));
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid_as("PodLogOptions", pod, &causes))
}
