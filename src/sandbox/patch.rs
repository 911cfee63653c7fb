//! Patches: merge, JSON, strategic merge, and server-side apply.

use http::Response;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::requests::{self, Request, Target};
use super::respond::{self, Body};
use super::status::Status;
use super::store::Store;
use super::view::View;
use super::write;
use super::writer::{self, Writer};
use crate::merge;

/// Answers a patch.
pub(super) fn patch(
    store: &Store,
    request: &Request,
    target: &Target,
) -> Result<Response<Body>, Status> {
    if request.content_type() == "application/apply-patch+yaml" {
        return apply(store, request, target);
    }
    if request.parameter("force").is_some() {
        return Err(
            request.invalid_options("force: Forbidden: may not be specified for non-apply patch")
        );
    }
    let view = View::of(request, target)?;
    let writer = Writer::of(request, target)?;
    let patch = Patch::of(request)?;
    let dry_run = request.dry_run()?;
    let mut warnings = Vec::new();
    let changed = store.try_modify(
        target.kind,
        target.namespace(),
        target.name(),
        dry_run,
        |stored| {
            let old = stored.clone();
            patch.apply(target.kind, stored)?;
            warnings = writer.check_patched(stored)?;
            write::place(target, stored)?;
            write::check_name(target, stored)?;
            writer.admit_change(&old, stored, store.clock())
        },
    )?;
    let response = respond::json(200, &view.one(&changed, store.clock().now()));
    Ok(write::warned(response, &warnings))
}

/// Answers a server-side apply, which makes the object when there is none.
fn apply(store: &Store, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let view = View::of(request, target)?;
    if request.parameter("fieldManager").is_none() {
        return Err(
            request.invalid_options("fieldManager: Required value: is required for apply patch")
        );
    }
    let writer = Writer::of(request, target)?;
    let mut config = requests::body::parse_yaml(&request.body)?;
    if !config["metadata"]["managedFields"].is_null() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    writer.check_applied(&mut config)?;
    write::place(target, &mut config)?;
    write::name_or_check(target, &mut config)?;
    let (dry_run, force) = (request.dry_run()?, request.flag("force"));
    let clock = store.clock();
    let (code, object) = if store
        .find(target.kind, target.namespace(), target.name())
        .is_some()
    {
        let changed = store.try_modify(
            target.kind,
            target.namespace(),
            target.name(),
            dry_run,
            |stored| {
                let old = stored.clone();
                *stored = writer.applied(&old, &config, force, clock)?;
                writer.settle(&old, stored)
            },
        )?;
        (200, changed)
    } else if target.subresource.is_some() {
        return Err(Status::not_found(target.kind, target.name()));
    } else {
        let fresh = writer.applied(&json!({}), &config, force, clock)?;
        (201, write::insert(store, target, fresh, dry_run, &writer)?)
    };
    Ok(respond::json(code, &view.one(&object, clock.now())))
}

/// A patch that is applied to what is stored.
enum Patch {
    Merge(Value),
    Json(merge::json::Patch),
    Strategic(Value),
}

impl Patch {
    fn of(request: &Request) -> Result<Self, Status> {
        let decode = || -> Result<Value, Status> {
            serde_json::from_slice(&request.body)
                .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))
        };
        match request.content_type() {
            "application/merge-patch+json" => Ok(Self::Merge(object(decode()?)?)),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic(object(decode()?)?)),
            "application/json-patch+json" => {
                let document = decode()?;
                if !document.is_array() {
                    let word = word_for(&document);
                    return Err(Status::bad_request(format!(
                        "error decoding patch: json: cannot unmarshal {word} into Go value of type []handlers.jsonPatchOp"
                    )));
                }
                merge::json::Patch::parse(&document)
                    .map(Self::Json)
                    .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))
            }
            _ => Err(writer::no_details(Status::new(
                415,
                "UnsupportedMediaType",
                format!(
                    "the body of the request was in an unknown format - accepted media types include: {}",
                    writer::PATCH_TYPES
                ),
            ))),
        }
    }

    fn apply(&self, kind: Kind, object: &mut Value) -> Result<(), Status> {
        let rejected = || {
            writer::no_details(Status::new(
                422,
                "Invalid",
                "the server rejected our request due to an error in our request",
            ))
        };
        match self {
            Self::Merge(patch) => merge::patch::apply(object, patch),
            Self::Json(patch) => patch.apply(object).map_err(|_| rejected())?,
            Self::Strategic(patch) => {
                let schema = merge::schema::of(&kind.api_version(), kind.name());
                merge::strategic::apply(object, patch, schema)
                    .map_err(|error| Status::new(500, "", error.to_string()))?;
            }
        }
        Ok(())
    }
}

/// A patch that merges is an object.
fn object(patch: Value) -> Result<Value, Status> {
    if patch.is_object() {
        return Ok(patch);
    }
    let word = word_for(&patch);
    Err(Status::bad_request(format!(
        "error decoding patch: json: cannot unmarshal {word} into Go value of type map[string]interface {{}}"
    )))
}

fn word_for(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
