//! The document in a request's body, by its media type.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Request, syntax};
use crate::sandbox::kinds::Kind;
use crate::sandbox::protobuf;
use crate::sandbox::status::Status;

impl Request {
    /// The body as a document, read as JSON or YAML by its content type.
    ///
    /// # Errors
    /// 415 for another type, 400 for a body that does not parse.
    pub(in crate::sandbox) fn document(&self, kind: Kind) -> Result<Value, Status> {
        match self.content_type() {
            "" | "application/json" => {
                let seen = shown(&self.body);
                parse_json(&self.body)
                    .map_err(|why| unrecognized(kind, &format!("{why} ({seen})")))
                    .and_then(|document| object_or(kind, document, &seen))
            }
            "application/yaml" => match parse_yaml(&self.body) {
                Ok(document) => object_or(kind, document, &shown(&self.body)),
                Err(status) => {
                    let why = status
                        .message
                        .rsplit_once("JSON: ")
                        .map_or("yaml", |(_, why)| why)
                        .to_owned();
                    Err(Status::bad_request(format!(
                        "the object provided is unrecognized (must be of type {kind}): {why} ({})",
                        shown(&self.body)
                    )))
                }
            },
            protobuf::MEDIA => protobuf::decode(&self.body).map_err(|error| {
                Status::bad_request(format!(
                    "the object provided is unrecognized (must be of type {kind}): {error}"
                ))
            }),
            _ => Err(Status::new(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
            )),
        }
    }
}

/// YAML by the rules of the API: JSON is YAML too, old octal numbers count.
pub(in crate::sandbox) fn parse_yaml(bytes: &[u8]) -> Result<Value, Status> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    serde_saphyr::from_slice_with_options(bytes, options).map_err(|error| {
        let why = gist(&error.to_string());
        Status::bad_request(format!(
            "error decoding YAML: error converting YAML to JSON: yaml: {why}"
        ))
    })
}

/// JSON, or what Go's decoder says is wrong with it.
pub(in crate::sandbox) fn parse_json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).or_else(|error| match syntax::complaint(bytes) {
        Some(why) => Err(why),
        // It may be nested deeper than is read here; Go reads on, to a depth that no field has.
        None => serde_json::from_slice(&syntax::shallow(bytes)).map_err(|_| error.to_string()),
    })
}

/// A null is an object without fields.
fn object_or(kind: Kind, document: Value, seen: &str) -> Result<Value, Status> {
    let word = match document {
        Value::Object(_) => return Ok(document),
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => return Ok(json!({})),
    };
    let target = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
    Err(unrecognized(
        kind,
        &format!("json: cannot unmarshal {word} into Go value of type {target} ({seen})"),
    ))
}

fn unrecognized(kind: Kind, why: &str) -> Status {
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {why}"
    ))
}

/// The first line of a parser's complaint, with its place before it when that is not the first line.
fn gist(complaint: &str) -> String {
    let first = complaint
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    let place = first
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(' '));
    match (place, first.split_once(": ")) {
        (Some(("1", _)), Some((_, why))) => why.to_owned(),
        (Some((line, _)), Some((_, why))) => format!("line {line}: {why}"),
        _ => first.to_owned(),
    }
}

/// The beginning of a body that makes no sense, as the real server shows it: what may be JSON as it is.
pub(in crate::sandbox) fn shown(body: &[u8]) -> String {
    const MOST: usize = 30;
    if body.is_empty() {
        return "<empty>".to_owned();
    }
    let start = &body[..body.len().min(MOST)];
    let mut text = if body[0] == b'{' {
        String::from_utf8_lossy(start).into_owned()
    } else {
        let mut text = String::new();
        for byte in start {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    };
    if body.len() > MOST {
        text += " ...";
    }
    text
}
