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
    let mut chosen: Vec<(Arc<str>, Packed)> = objects
        .into_iter()
        .filter(|(name, _)| start.as_deref().is_none_or(|start| **name > *start))
        .filter(|(_, object)| selector.takes(object))
        .collect();
    let mut meta = json!({"resourceVersion": version.to_string()});
    let limit = usize::try_from(request.number("limit").unwrap_or(0)).unwrap_or(0);
    if limit > 0 && chosen.len() > limit {
        let rest = chosen.len() - limit;
        chosen.truncate(limit);
        if let Some((last, _)) = chosen.last() {
            meta["continue"] = token(version, last).into();
        }
        // With a selector a real server does not know how many will match.
        if selector.is_all() {
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
        let (version, start) = parse_token(text)?;
        let objects = store.packed_at(target.kind, namespace, version).map_err(|_| {
            Status::expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.",
            )
        })?;
        return Ok((version, objects, Some(start)));
    }
    let (current, objects) = store.packed(target.kind, namespace);
    match version(request)? {
        None | Some(0) => {}
        Some(version) if version > current => return Err(too_large(version, current)),
        Some(version) if request.parameter("resourceVersionMatch") == Some("Exact") => {
            return Ok((
                version,
                store.packed_at(target.kind, namespace, version)?,
                None,
            ));
        }
        Some(_) => {}
    }
    Ok((current, objects, None))
}

/// Whether `resourceVersionMatch` makes sense in a list.
fn check_match(request: &Request) -> Result<(), Status> {
    let Some(word) = request.parameter("resourceVersionMatch") else {
        return Ok(());
    };
    if request.parameter("resourceVersion").is_none() {
        let why = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
        return Err(request.invalid_options(why));
    }
    if request.parameter("continue").is_some() {
        let why = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided";
        return Err(request.invalid_options(why));
    }
    if !matches!(word, "Exact" | "NotOlderThan") {
        let known = "\"Exact\", \"NotOlderThan\", \"\"";
        let why =
            format!("resourceVersionMatch: Unsupported value: {word:?}: supported values: {known}");
        return Err(request.invalid_options(&why));
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
    let fields: Value = serde_json::from_slice(&bytes).map_err(|error| bad(&error.to_string()))?;
    if fields["v"] != "meta.k8s.io/v1" {
        return Err(bad("server does not recognize this encoded version"));
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
