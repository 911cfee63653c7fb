//! Whether a client's document is an object of its kind, told in the words for where it came from.

use serde_json::Value;

use super::{Strictness, Writer};
use crate::sandbox::form::{self, Wrong};
use crate::sandbox::kinds::Kind;
use crate::sandbox::requests::Request;
use crate::sandbox::requests::body;
use crate::sandbox::requests::outline::Outline;
use crate::sandbox::status::{Cause, Status};

impl Writer {
    /// Brings the body of a create or an update into form, and gives the warnings about it.
    ///
    /// # Errors
    /// 400 for another kind, a value of a wrong type, or (when strict) an unknown field.
    pub(in crate::sandbox) fn check_body(
        &self,
        request: &Request,
        object: &mut Value,
    ) -> Result<Vec<String>, Status> {
        let (version, kind) = self.type_of(object);
        if version.matches('/').count() > 1 {
            return Err(Status::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): unexpected GroupVersion string: {version} ({})",
                self.kind,
                body::shown(&request.body)
            )));
        }
        self.shape(object, &Outline::of(&request.body), |wrong| wrong.message)
            .map_err(|why| {
                let short = version.rsplit('/').next().unwrap_or(&version);
                Status::bad_request(format!(
                    "{kind} in version {short:?} cannot be handled as a {}: {why}",
                    self.kind
                ))
            })
    }

    /// Brings what a patch made into form, and gives the warnings about it.
    ///
    /// # Errors
    /// 422 as for a body.
    pub(in crate::sandbox) fn check_patched(
        &self,
        object: &mut Value,
        shown: Option<String>,
    ) -> Result<Vec<String>, Status> {
        // A strategic patch is not decoded but laid over what is there, and fails in other words.
        let say = if shown.is_some() {
            |wrong: Wrong| wrong.patched
        } else {
            |wrong: Wrong| wrong.message
        };
        let before = shown.unwrap_or_else(|| object.to_string());
        self.shape(object, &Outline::default(), say).map_err(|why| {
            let cause = Cause::invalid("patch", &before.into(), why);
            let message = format!(" \"\" is invalid: patch: {}", cause.message);
            let mut status = Status::new(422, "Invalid", message);
            *status.details = serde_json::json!({"causes": [cause.json()]});
            status
        })
    }

    /// Checks the form of an applied configuration, which may not hold anything unknown.
    ///
    /// # Errors
    /// 400 for another kind, 500 (as the real server does) for an unknown field or a value of a wrong type.
    pub(in crate::sandbox) fn check_applied(&self, config: &mut Value) -> Result<(), Status> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (version, kind) = (text(&config["apiVersion"]), text(&config["kind"]));
        if Kind::named(&version, &kind) != Some(self.kind) {
            let group_version = if version.is_empty() {
                "/".to_owned()
            } else {
                slashed(&version)
            };
            return Err(Status::bad_request(format!(
                "invalid object type: {group_version}, Kind={kind}"
            )));
        }
        let why = match form::shape(config, self.schema()) {
            Ok(unknown) => match unknown.first() {
                None => return Ok(()),
                Some(field) => format!(".{field}: field not declared in schema"),
            },
            Err(Wrong { applied, .. }) => applied,
        };
        let (namespace, name) = (
            text(&config["metadata"]["namespace"]),
            text(&config["metadata"]["name"]),
        );
        Err(Status::new(
            500,
            "",
            format!(
                "failed to create typed patch object ({namespace}/{name}; {}, Kind={kind}): {why}",
                slashed(&version)
            ),
        ))
    }

    /// What the object says it is, or what it must be when it does not say.
    fn type_of(&self, object: &Value) -> (String, String) {
        let or = |value: &Value, own: String| value.as_str().map_or(own, str::to_owned);
        (
            or(&object["apiVersion"], self.api_version.clone()),
            or(&object["kind"], self.kind.name().to_owned()),
        )
    }

    /// The warnings come in the order of the document that `outline` tells.
    fn shape(
        &self,
        object: &mut Value,
        outline: &Outline,
        say: impl Fn(Wrong) -> String,
    ) -> Result<Vec<String>, String> {
        let (version, kind) = self.type_of(object);
        match Kind::named(&version, &kind) {
            Some(found) if found == self.kind => {}
            Some(_) => {
                let (short, own) = (version.rsplit('/').next().unwrap_or_default(), self.kind);
                let group = if self.kind.row().group.is_empty() {
                    "core"
                } else {
                    self.kind.row().group
                };
                let group = group.split('.').next().unwrap_or_default();
                return Err(format!(
                    "converting ({short}.{kind}) to ({group}.{own}): unknown conversion"
                ));
            }
            None => {
                return Err(format!(
                    "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:110\""
                ));
            }
        }
        let unknown = form::shape(object, self.schema()).map_err(say)?;
        let named = outline.complaints(&unknown);
        match self.strictness {
            Strictness::Strict if !named.is_empty() => {
                Err(format!("strict decoding error: {}", named.join(", ")))
            }
            Strictness::Ignore => Ok(Vec::new()),
            _ => Ok(named),
        }
    }
}

/// A group and version as messages join them; the core group has an empty name.
fn slashed(version: &str) -> String {
    if version.contains('/') {
        version.to_owned()
    } else {
        format!("/{version}")
    }
}
