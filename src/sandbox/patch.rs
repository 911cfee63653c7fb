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
        return Err(invalid_options(
            "force: Forbidden: may not be specified for non-apply patch",
        ));
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
            warnings = writer.check_form(stored)?;
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
        return Err(invalid_options(
            "fieldManager: Required value: is required for apply patch",
        ));
    }
    let writer = Writer::of(request, target)?;
    let mut config = requests::parse_yaml(&request.body)?;
    if !config["metadata"]["managedFields"].is_null() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    let warnings = writer.check_form(&config)?;
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
    let response = respond::json(code, &view.one(&object, clock.now()));
    Ok(write::warned(response, &warnings))
}

fn invalid_options(why: &str) -> Status {
    let mut status = Status::new(
        422,
        "Invalid",
        format!("PatchOptions.meta.k8s.io \"\" is invalid: {why}"),
    );
    *status.details = json!({"group": "meta.k8s.io", "kind": "PatchOptions"});
    status
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
            "application/merge-patch+json" => Ok(Self::Merge(decode()?)),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic(decode()?)),
            "application/json-patch+json" => match merge::json::Patch::parse(&decode()?) {
                Ok(patch) => Ok(Self::Json(patch)),
                Err(error) => Err(Status::bad_request(format!(
                    "error decoding patch: {error}"
                ))),
            },
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
                    .map_err(|error| Status::bad_request(error.to_string()))?;
            }
        }
        Ok(())
    }
}
