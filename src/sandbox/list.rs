//! Getting and listing: selectors, pages, and lists of an earlier moment.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures::stream;
use http::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::packed::Packed;
use super::requests::body::parse_json;
use super::requests::{Request, Target};
use super::respond::{self, Body};
use super::selectors::Selector;
use super::status::Status;
use super::store::Store;
use super::view::View;

/// Answers a get of one object.
pub(super) fn get(
    store: &Store,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    let view = View::of(request, target)?;
    if let Some(version) = version(request)?.filter(|version| *version > store.version()) {
        return Err(too_large(version, store.version()));
    }
    let object = store
        .find(target.kind, target.namespace(), target.name())
        .ok_or_else(|| Status::not_found(target.kind, target.name()))?;
    Ok(respond::json(200, &view.one(&object, store.clock().now())))
}

/// Answers a list.
pub(super) fn list(
    store: &Store,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    let view = View::of(request, target)?;
    let selector = Selector::of(request, target.kind, target.new_events)?;
    let (version, objects, start) = moment(store, request, target)?;
    let mut objects = objects;
    objects.retain(|(name, _)| start.as_deref().is_none_or(|start| **name > *start));
    let end = objects.last().map(|(name, _)| name.clone());
    let mut chosen: Vec<(Arc<str>, Packed)> = objects
        .into_iter()
        .filter(|(_, object)| selector.takes(object))
        .collect();
    let mut meta = json!({"resourceVersion": version.to_string()});
    let limit = limit(request)?;
    if limit > 0 && chosen.len() >= limit {
        let rest = chosen.len() - limit;
        chosen.truncate(limit);
        // A real server does not know how many of the rest will match, and promises more when there is any.
        if let Some((last, _)) = chosen.last().filter(|(last, _)| Some(last) != end.as_ref()) {
            meta["continue"] = token(version, last).into();
        }
        if selector.is_all() && rest > 0 {
            meta["remainingItemCount"] = rest.into();
        }
    }
    let chosen = chosen.into_iter().map(|(_, object)| object).collect();
    Ok(written(view, &meta, chosen, store.clock().now()))
}

/// So many objects are written at a time, so that a long list is never there as a whole.
const PIECE: usize = 64;

/// The answer with these objects, written while it is sent.
pub(super) fn written(
    view: View,
    meta: &Value,
    objects: Vec<Packed>,
    now: Timestamp,
) -> Response<Body> {
    let shell = view.shell(meta, now);
    let (opening, closing) = shell.split_at(shell.len().saturating_sub("]}".len()));
    let begun = (
        opening.to_owned(),
        closing.to_owned(),
        objects.into_iter(),
        true,
    );
    let pieces = stream::unfold(Some(begun), move |state| {
        let view = view.clone();
        async move {
            let (mut piece, closing, mut objects, mut first) = state?;
            for object in objects.by_ref().take(PIECE) {
                if !first {
                    piece.push(b',');
                }
                first = false;
                view.write_item(&mut piece, &object, now);
            }
            if objects.len() == 0 {
                piece.extend(closing);
                return Some((Bytes::from(piece), None));
            }
            let rest = (Vec::with_capacity(piece.len()), closing, objects, first);
            Some((Bytes::from(piece), Some(rest)))
        }
    });
    respond::stream("application/json", pieces)
}

type Moment = (u64, Vec<(Arc<str>, Packed)>, Option<String>);

/// The objects at the moment that the request means, and the key after which its page begins.
fn moment(store: &Store, request: &Request, target: &Target) -> Result<Moment, Status> {
    check_match(request)?;
    let namespace = target.namespace.as_deref();
    if let Some(text) = request.parameter("continue") {
        if request
            .parameter("resourceVersion")
            .is_some_and(|version| version != "0")
        {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let (version, start) = parse_token(text)?;
        if version == NOW {
            let (current, objects) = store.packed(target.kind, namespace);
            return Ok((current, objects, Some(start)));
        }
        let objects = store
            .packed_at(target.kind, namespace, version)
            .map_err(|_| too_old(&start))?;
        return Ok((version, objects, Some(start)));
    }
    let (current, objects) = store.packed(target.kind, namespace);
    match version(request)? {
        None | Some(0) => {}
        Some(version) if version > current => return Err(too_large(version, current)),
        Some(version) if request.parameter("resourceVersionMatch") == Some("Exact") => {
            return Ok((
                version,
                store
                    .packed_at(target.kind, namespace, version)
                    .map_err(|_| {
                        Status::expired("The resourceVersion for the provided list is too old.")
                    })?,
                None,
            ));
        }
        Some(_) => {}
    }
    Ok((current, objects, None))
}

/// The version in a token that goes on with what is there now.
const NOW: u64 = 0;

/// 410: the moment of the earlier pages is forgotten. The rest may be had as it is now.
fn too_old(start: &str) -> Status {
    let mut status = Status::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    status.rest = Some(token(NOW, start).into());
    status
}

/// How many objects a page holds at most; zero for all. What is asked of the cache comes whole, as from the real server.
fn limit(request: &Request) -> Result<usize, Status> {
    let limit = request.number("limit")?.unwrap_or(0);
    let cached = request.parameter("resourceVersion") == Some("0")
        && request.parameter("continue").is_none();
    Ok(if cached {
        0
    } else {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

/// Whether `resourceVersionMatch` makes sense in a list.
fn check_match(request: &Request) -> Result<(), Status> {
    if request.parameter("sendInitialEvents").is_some() {
        let why = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list";
        return Err(request.invalid_options(&[why]));
    }
    let Some(word) = request.parameter("resourceVersionMatch") else {
        return Ok(());
    };
    if request.parameter("resourceVersion").is_none() {
        let why = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
        return Err(request.invalid_options(&[why]));
    }
    if request.parameter("continue").is_some() {
        let why = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided";
        return Err(request.invalid_options(&[why]));
    }
    if word == "Exact" && request.parameter("resourceVersion") == Some("0") {
        let why = "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
        return Err(request.invalid_options(&[why]));
    }
    if !matches!(word, "Exact" | "NotOlderThan") {
        let known = "\"Exact\", \"NotOlderThan\", \"\"";
        let why =
            format!("resourceVersionMatch: Unsupported value: {word:?}: supported values: {known}");
        return Err(request.invalid_options(&[why]));
    }
    Ok(())
}

/// The `resourceVersion` parameter.
///
/// # Errors
/// 400 when it is not a number.
pub(super) fn version(request: &Request) -> Result<Option<u64>, Status> {
    let Some(text) = request.parameter("resourceVersion") else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        Status::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
        ))
    })
}

/// 504: the version is of a future that has not come, within the time a server waits.
pub(super) fn too_large(version: u64, current: u64) -> Status {
    let mut status = Status::new(
        504,
        "Timeout",
        format!("Timeout: Too large resource version: {version}, current: {current}"),
    );
    *status.details = json!({
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    });
    status
}

fn token(version: u64, start: &str) -> String {
    URL_SAFE_NO_PAD
        .encode(json!({"v": "meta.k8s.io/v1", "rv": version, "start": start}).to_string())
}

fn parse_token(text: &str) -> Result<(u64, String), Status> {
    let bad = |why: &str| {
        Status::bad_request(format!(
            "invalid continue token: continue key is not valid: {why}"
        ))
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| bad(&error.to_string()))?;
    let fields = parse_json(&bytes).map_err(|why| bad(&why))?;
    if fields["v"] != "meta.k8s.io/v1" {
        let version = fields["v"].as_str().unwrap_or_default();
        let why = format!("server does not recognize this encoded version {version}");
        return Err(bad(&why));
    }
    match (fields["rv"].as_u64(), fields["start"].as_str()) {
        (Some(version), Some(start)) => Ok((version, start.to_owned())),
        _ => Err(bad("incorrect encoded start resourceVersion")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back() {
        assert_eq!(
            parse_token(&token(7, "a\u{0}b")).unwrap(),
            (7, "a\u{0}b".to_owned())
        );
        for bad in ["zzz", "e30", "%%%"] {
            assert_eq!(parse_token(bad).unwrap_err().code, 400, "{bad}");
        }
    }
}
