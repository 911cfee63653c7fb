//! The document in a request's body, by its media type.

use std::fmt::Write as _;

use serde_json::Value;

use super::Request;
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
            "" | "application/json" => match serde_json::from_slice(&self.body) {
                Ok(document) => object_or(kind, document),
                Err(_) if self.body.is_empty() => {
                    Err(unrecognized(kind, "unexpected end of JSON input (<empty>)"))
                }
                Err(error) if error.is_eof() => Err(unrecognized(
                    kind,
                    &format!("unexpected end of JSON input ({})", hex(&self.body)),
                )),
                Err(error) => Err(unrecognized(
                    kind,
                    &format!("{error} ({})", hex(&self.body)),
                )),
            },
            "application/yaml" => match parse_yaml(&self.body) {
                Ok(document) => object_or(kind, document),
                Err(status) => {
                    let why = status
                        .message
                        .rsplit_once("JSON: ")
                        .map_or("yaml", |(_, why)| why)
                        .to_owned();
                    Err(Status::bad_request(format!(
                        "the object provided is unrecognized (must be of type {kind}): {why} ({})",
                        hex(&self.body)
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

fn object_or(kind: Kind, document: Value) -> Result<Value, Status> {
    let word = match document {
        Value::Object(_) => return Ok(document),
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => "null",
    };
    let target = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
    let body = hex(document.to_string().as_bytes());
    Err(unrecognized(
        kind,
        &format!("json: cannot unmarshal {word} into Go value of type {target} ({body})"),
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

/// The beginning of a body that makes no sense, as the real server shows it.
fn hex(body: &[u8]) -> String {
    const SHOWN: usize = 1024;
    let mut text = String::new();
    for byte in body.iter().take(SHOWN) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    if body.len() > SHOWN {
        text += " ...";
    }
    text
}
