//! Patches: merge, JSON, strategic merge, and server-side apply.

use http::Response;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::requests::body::parse_json;
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
        return Err(request
            .invalid_options(&["force: Forbidden: may not be specified for non-apply patch"]));
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
            warnings = writer.check_patched(stored, patch.shown())?;
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
            request.invalid_options(&["fieldManager: Required value: is required for apply patch"])
        );
    }
    let writer = Writer::of(request, target)?;
    let mut config = requests::body::parse_yaml(&request.body)?;
    if !config.is_object() {
        let word = word_for(&config);
        return Err(Status::bad_request(format!(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {word} into Go value of type map[string]interface {{}}"
        )));
    }
    if !config["metadata"]["managedFields"].is_null() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    writer.check_applied(&mut config)?;
    write::place(target, &mut config)?;
    write::check_name(target, &config)?;
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
        let decode = |before: &str| {
            parse_json(&request.body).map_err(|why| Status::bad_request(format!("{before}{why}")))
        };
        match request.content_type() {
            "application/merge-patch+json" => Ok(Self::Merge(object(decode(DECODING)?)?)),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic(object(decode("")?)?)),
            "application/json-patch+json" => {
                let document = decode(DECODING)?;
                if !document.is_array() {
                    let word = word_for(&document);
                    return Err(Status::bad_request(format!(
                        "error decoding patch: json: cannot unmarshal {word} into Go value of type []handlers.jsonPatchOp"
                    )));
                }
                merge::json::Patch::parse(&document)
                    .map(Self::Json)
                    .map_err(|_| rejected())
            }
            _ => Err(writer::no_details(Status::new(
                415,
                "UnsupportedMediaType",
                "415: Unsupported Media Type",
            ))),
        }
    }

    /// What a complaint about the outcome shows when it is not the outcome itself.
    fn shown(&self) -> Option<String> {
        match self {
            Self::Strategic(patch) => Some(merge::printed::value(patch)),
            _ => None,
        }
    }

    fn apply(&self, kind: Kind, object: &mut Value) -> Result<(), Status> {
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

/// Before what is wrong with the text of a patch.
const DECODING: &str = "error decoding patch: ";

fn rejected() -> Status {
    writer::no_details(Status::new(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
    ))
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
