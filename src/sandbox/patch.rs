//! Patches: merge, JSON, strategic merge, and server-side apply.

use http::Response;
use serde_json::Value;

use super::kinds::Kind;
use super::requests::{Request, Target};
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
    let view = View::of(request, target)?;
    let writer = Writer::of(request, target, "Update")?;
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
