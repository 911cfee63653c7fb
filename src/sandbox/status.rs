//! Failures as the API reports them: a `Status` object with a code, a reason and, for bad input, its causes.

use serde_json::{Value, json};

use super::kinds::Kind;

/// A refused request, in the real server's words.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    /// The HTTP code.
    pub code: u16,
    /// The machine-readable reason, such as `NotFound`.
    pub reason: &'static str,
    pub message: String,
    /// `details` of the Status object; null when there are none.
    pub details: Box<Value>,
    /// Where a list that expired may go on all the same, with objects of another moment.
    pub(super) rest: Option<Box<str>>,
}

/// One field that is wrong: a cause of a 422.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid`, `FieldValueRequired`, …
    pub reason: &'static str,
    /// As printed: `Invalid value: "x": why`.
    pub message: String,
    /// Path of the field, such as `metadata.name`.
    pub field: String,
}

impl Cause {
    /// The value is of a form that the field does not take.
    pub fn invalid(field: impl Into<String>, value: &Value, why: impl AsRef<str>) -> Self {
        Self {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {}: {}", shown(value), why.as_ref()),
            field: field.into(),
        }
    }

    /// As [`Self::invalid`], with the value as it is to be shown.
    pub fn invalid_as(field: impl Into<String>, shown: &str, why: impl AsRef<str>) -> Self {
        Self {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {shown}: {}", why.as_ref()),
            field: field.into(),
        }
    }

    /// The field must be given; `why` may be empty.
    pub fn required(field: impl Into<String>, why: impl AsRef<str>) -> Self {
        let why = why.as_ref();
        Self {
            reason: "FieldValueRequired",
            message: if why.is_empty() {
                "Required value".to_owned()
            } else {
                format!("Required value: {why}")
            },
            field: field.into(),
        }
    }

    /// The value is not one of the few that the field takes.
    pub fn unsupported(field: impl Into<String>, value: &Value, allowed: &[&str]) -> Self {
        let list: Vec<String> = allowed.iter().map(|one| format!("{one:?}")).collect();
        Self {
            reason: "FieldValueNotSupported",
            message: format!(
                "Unsupported value: {}: supported values: {}",
                shown(value),
                list.join(", ")
            ),
            field: field.into(),
        }
    }

    /// The field may not be set in this place.
    pub fn forbidden(field: impl Into<String>, why: impl AsRef<str>) -> Self {
        Self {
            reason: "FieldValueForbidden",
            message: format!("Forbidden: {}", why.as_ref()),
            field: field.into(),
        }
    }

    /// Something refers to a thing that is not there.
    pub fn not_found(field: impl Into<String>, value: &Value) -> Self {
        Self {
            reason: "FieldValueNotFound",
            message: format!("Not found: {}", shown(value)),
            field: field.into(),
        }
    }

    /// Two items of a list have the same key.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self {
            reason: "FieldValueDuplicate",
            message: format!("Duplicate value: {}", shown(value)),
            field: field.into(),
        }
    }

    /// The value takes more than it may, in bytes.
    pub fn too_long(field: impl Into<String>, most: usize) -> Self {
        Self {
            reason: "FieldValueTooLong",
            message: format!("Too long: may not be more than {most} bytes"),
            field: field.into(),
        }
    }

    /// As one of the `causes` of a Status object.
    pub(super) fn json(&self) -> Value {
        json!({"reason": self.reason, "message": self.message, "field": self.field})
    }
}

/// A value inside a cause's message: strings quoted, the rest as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

impl Status {
    /// A status without details.
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Box::new(Value::Null),
            rest: None,
        }
    }

    fn about(kind: Kind, name: &str, code: u16, reason: &'static str, message: String) -> Self {
        let row = kind.row();
        let mut details = json!({"name": name, "kind": row.plural});
        if !row.group.is_empty() {
            details["group"] = row.group.into();
        }
        if name.is_empty() {
            details.as_object_mut().map(|map| map.remove("name"));
        }
        Self {
            code,
            reason,
            message,
            details: Box::new(details),
            rest: None,
        }
    }

    /// 404: the object is not there.
    pub fn not_found(kind: Kind, name: &str) -> Self {
        let message = format!("{} {name:?} not found", kind.resource());
        Self::about(kind, name, 404, "NotFound", message)
    }

    /// 404: the path leads nowhere.
    pub fn no_such_path() -> Self {
        let mut status = Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        );
        status.details = Box::new(json!({}));
        status
    }

    /// 409: the name is taken.
    pub fn already_exists(kind: Kind, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", kind.resource());
        Self::about(kind, name, 409, "AlreadyExists", message)
    }

    /// 409: the write is based on an older version, or a precondition does not hold.
    pub fn conflict(kind: Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            kind.resource()
        );
        Self::about(kind, name, 409, "Conflict", message)
    }

    /// 409: a precondition of a deletion does not hold. The real server names the kind here and not the resource.
    pub fn precondition(kind: Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            kind.qualified()
        );
        let mut status = Self::about(kind, name, 409, "Conflict", message);
        status.details["kind"] = kind.name().into();
        status
    }

    /// 403: the request is understood and refused.
    pub fn forbidden(kind: Kind, name: &str, why: &str) -> Self {
        let message = format!("{} {name:?} is forbidden: {why}", kind.resource());
        Self::about(kind, name, 403, "Forbidden", message)
    }

    /// 422: the object is well formed and says something that it must not.
    pub fn invalid(kind: Kind, name: &str, causes: &[Cause]) -> Self {
        let mut status = Self::invalid_as(&kind.qualified(), name, causes);
        status.details["kind"] = kind.name().into();
        if !kind.row().group.is_empty() {
            status.details["group"] = kind.row().group.into();
        }
        status
    }

    /// [`Self::invalid`] for something that is no object of a kind, such as the options of a request.
    pub(super) fn invalid_as(what: &str, name: &str, causes: &[Cause]) -> Self {
        let list: Vec<String> = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        let text = match list.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut status = Self::new(
            422,
            "Invalid",
            format!("{what} {name:?} is invalid: {text}"),
        );
        let causes: Vec<Value> = causes.iter().map(Cause::json).collect();
        *status.details = json!({"kind": what, "causes": causes});
        if !name.is_empty() {
            status.details["name"] = name.into();
        }
        status
    }

    /// 400: the request itself makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 410: the history that the request asks for is gone.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 501: a real cluster does this, the sandbox does not.
    pub fn not_imitated(verb: &str, path: &str) -> Self {
        Self::new(
            501,
            "NotImplemented",
            format!("the sandbox does not imitate {verb} {path}; use a real cluster for it"),
        )
    }

    /// Adds the time after which the client may try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        if !self.details.is_object() {
            *self.details = json!({});
        }
        self.details["retryAfterSeconds"] = seconds.into();
        self
    }

    /// The seconds of [`Self::retry_after`], for the header of the same name.
    pub fn retry_seconds(&self) -> Option<u64> {
        self.details.get("retryAfterSeconds")?.as_u64()
    }

    /// The object as it goes over the wire.
    pub fn json(&self) -> Value {
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if let Some(rest) = &self.rest {
            body["metadata"]["continue"] = (**rest).into();
        }
        if !self.reason.is_empty() {
            body["reason"] = self.reason.into();
        }
        if !self.details.is_null() {
            body["details"] = (*self.details).clone();
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_real_server() {
        let missing = Status::not_found(Kind::Job, "x");
        assert_eq!(missing.message, r#"jobs.batch "x" not found"#);
        assert_eq!(
            *missing.details,
            json!({"name": "x", "group": "batch", "kind": "jobs"})
        );
        let invalid = Status::invalid(
            Kind::Pod,
            "p",
            &[
                Cause::required("spec.containers", ""),
                Cause::unsupported("spec.restartPolicy", &"x".into(), &["Always", "Never"]),
            ],
        );
        assert_eq!(
            invalid.message,
            r#"Pod "p" is invalid: [spec.containers: Required value, spec.restartPolicy: Unsupported value: "x": supported values: "Always", "Never"]"#
        );
        assert_eq!(
            invalid.json()["details"]["causes"][0]["reason"],
            "FieldValueRequired"
        );
        assert_eq!(
            Status::new(429, "TooManyRequests", "slow")
                .retry_after(3)
                .retry_seconds(),
            Some(3)
        );
    }
}
