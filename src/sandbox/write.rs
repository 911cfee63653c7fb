//! Creating, updating and deleting.

use std::sync::Arc;

use http::Response;
use serde_json::{Value, json};

use super::admission;
use super::events_v1;
use super::kinds::Kind;
use super::list;
use super::packed::{Lexicon, Packed};
use super::requests::body::parse_json;
use super::requests::{Request, Target};
use super::respond::{self, Body};
use super::selectors::Selector;
use super::status::Status;
use super::store::{DeleteOptions, Deleted, Propagation, Store};
use super::view::View;
use super::writer::{self, Writer};

/// The default of Jobs surprises, so the API warns of it.
const ORPHANS: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

/// The namespaces without which there is no cluster.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Answers a create.
pub(super) fn create(
    store: &Store,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    let view = View::of(request, target)?;
    let writer = Writer::of(request, target)?;
    let mut object = document(request, target)?;
    let warnings = writer.check_body(request, &mut object)?;
    place(target, &mut object)?;
    if !object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        let why = "resourceVersion should not be set on objects to be created";
        return Err(Status::new(500, "", why));
    }
    let dry_run = request.dry_run()?;
    writer.own_new(&mut object, store.clock());
    let made = insert(store, target, object, dry_run, &writer)?;
    Ok(warned(
        respond::json(201, &view.one(&made, store.clock().now())),
        &warnings,
    ))
}

/// Answers an update of an object, or of one of its subresources.
pub(super) fn update(
    store: &Store,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    let view = View::of(request, target)?;
    let writer = Writer::of(request, target)?;
    let mut object = document(request, target)?;
    let warnings = writer.check_body(request, &mut object)?;
    place(target, &mut object)?;
    check_name(target, &object)?;
    let changed = store.try_modify(
        target.kind,
        target.namespace(),
        target.name(),
        request.dry_run()?,
        |stored| {
            let old = stored.clone();
            *stored = object;
            writer.admit_change(&old, stored, store.clock())
        },
    )?;
    Ok(warned(
        respond::json(200, &view.one(&changed, store.clock().now())),
        &warnings,
    ))
}

/// Answers a delete.
pub(super) fn delete(
    store: &Store,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    let options = delete_options(request)?;
    let mut warnings = Vec::new();
    if target.kind == Kind::Job && options.propagation.is_none() {
        warnings.push(ORPHANS.to_owned());
    }
    if target.kind == Kind::Namespace && IMMORTAL.contains(&target.name()) {
        let why = "this namespace may not be deleted";
        return Err(Status::forbidden(target.kind, target.name(), why));
    }
    let deleted = store.delete(target.kind, target.namespace(), target.name(), &options)?;
    if writer::returns_deleted(target.kind) || matches!(deleted, Deleted::Marked(_)) {
        let view = View::of(request, target)?;
        let response = respond::json(200, &view.one(deleted.object(), store.clock().now()));
        return Ok(warned(response, &warnings));
    }
    let row = target.kind.row();
    let mut details = json!({"name": target.name(), "kind": row.plural, "uid": deleted.object()["metadata"]["uid"]});
    if !row.group.is_empty() {
        details["group"] = row.group.into();
    }
    let success = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    Ok(warned(respond::json(200, &success), &warnings))
}

/// Answers a delete of every object that a selector means.
pub(super) fn delete_collection(
    store: &Store,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    let view = View::of(request, target)?;
    let selector = Selector::of(request, target.kind, target.new_events)?;
    let options = delete_options(request)?;
    let (_, objects) = store.packed(target.kind, target.namespace.as_deref());
    let (mut gone, lexicon) = (Vec::new(), Lexicon::default());
    for (place, _) in objects.iter().filter(|(_, object)| selector.takes(object)) {
        let (namespace, name) = place.split_once('\u{0}').unwrap_or_default();
        match store.delete(target.kind, namespace, name, &options) {
            Ok(deleted) => gone.push(Packed::new(deleted.object(), &lexicon)),
            // Somebody else was quicker.
            Err(status) if status.code == 404 => {}
            Err(status) => return Err(status),
        }
    }
    let meta = json!({"resourceVersion": store.version().to_string()});
    Ok(list::written(view, &meta, gone, store.clock().now()))
}

/// Puts a new object in.
pub(super) fn insert(
    store: &Store,
    target: &Target,
    mut object: Value,
    dry_run: bool,
    writer: &Writer,
) -> Result<Arc<Value>, Status> {
    // How an object is doing is not the client's to say when it makes one.
    if target.kind.has_status() {
        object.as_object_mut().map(|fields| fields.remove("status"));
    }
    if target.kind == Kind::Pod {
        admission::admit_pod(store, &mut object)?;
    }
    store.try_create(target.kind, object, dry_run, |object| {
        writer.admit_new(object)
    })
}

/// The object that a request carries, in the form in which it would be stored.
fn document(request: &Request, target: &Target) -> Result<Value, Status> {
    let document = request.document(target.kind)?;
    Ok(if target.new_events {
        events_v1::to_core(&document)
    } else {
        document
    })
}

/// Puts the object where the path says, unless it says otherwise itself.
pub(super) fn place(target: &Target, object: &mut Value) -> Result<(), Status> {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    if target.kind.namespaced() {
        let meta = &mut object["metadata"];
        match meta["namespace"].as_str().unwrap_or_default() {
            "" => meta["namespace"] = target.namespace().into(),
            own if own == target.namespace() => {}
            _ => {
                return Err(Status::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
        }
    }
    Ok(())
}

/// The object may not call itself something else than the path does.
pub(super) fn check_name(target: &Target, object: &Value) -> Result<(), Status> {
    match object["metadata"]["name"].as_str().unwrap_or_default() {
        "" => Err(Status::bad_request(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            target.name()
        ))),
        own if own == target.name() => Ok(()),
        own => Err(Status::bad_request(format!(
            "the name of the object ({own}) does not match the name on the URL ({})",
            target.name()
        ))),
    }
}

/// Adds `Warning` headers, as the API does for accepted but doubtful input.
pub(super) fn warned(mut response: Response<Body>, warnings: &[String]) -> Response<Body> {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = http::HeaderValue::try_from(format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(http::header::WARNING, value);
        }
    }
    response
}

fn delete_options(request: &Request) -> Result<DeleteOptions, Status> {
    let body = if request.body.is_empty() {
        json!({})
    } else {
        parse_json(&request.body).map_err(|why| {
            let why = format!("couldn't get version/kind; json parse error: {why}");
            Status::new(500, "", why)
        })?
    };
    check_options(request, &body)?;
    let word = |field: &str| {
        body[field]
            .as_str()
            .or_else(|| request.parameter(field))
            .map(str::to_owned)
    };
    let propagation = match word("propagationPolicy").as_deref() {
        None => match body["orphanDependents"].as_bool() {
            None => None,
            Some(true) => Some(Propagation::Orphan),
            Some(false) => Some(Propagation::Background),
        },
        Some("Background") => Some(Propagation::Background),
        Some("Foreground") => Some(Propagation::Foreground),
        Some("Orphan") => Some(Propagation::Orphan),
        Some(other) => {
            let known = "\"Foreground\", \"Background\", \"Orphan\", \"nil\"";
            return Err(request.invalid_options(&[format!(
                "propagationPolicy: Unsupported value: {other:?}: supported values: {known}"
            )]));
        }
    };
    let mut options = DeleteOptions {
        propagation,
        ..DeleteOptions::default()
    };
    options.preconditions.uid = body["preconditions"]["uid"].as_str().map(str::to_owned);
    options.preconditions.resource_version = body["preconditions"]["resourceVersion"]
        .as_str()
        .map(str::to_owned);
    let asked = request.number("gracePeriodSeconds")?;
    options.grace = body["gracePeriodSeconds"].as_u64().or(asked);
    options.dry_run = request.dry_run()? || body["dryRun"] == json!(["All"]);
    Ok(options)
}

/// Whether the body of a delete holds options, and none that contradict each other.
fn check_options(request: &Request, body: &Value) -> Result<(), Status> {
    let text = |field: &str| body[field].as_str();
    if let Some(kind) = text("kind").filter(|kind| *kind != "DeleteOptions") {
        let version = text("apiVersion").unwrap_or_default();
        let why = format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:110\""
        );
        return Err(Status::new(500, "", why));
    }
    let unknown = body["dryRun"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|word| **word != "All");
    if let Some(word) = unknown {
        return Err(request.unknown_dry_run(word.as_str().unwrap_or_default()));
    }
    match text("propagationPolicy") {
        Some(policy) if !body["orphanDependents"].is_null() => Err(request.invalid_options(&[
            format!("propagationPolicy: Invalid value: {policy:?}: orphanDependents and deletionPropagation cannot be both set"),
        ])),
        _ => Ok(()),
    }
}
