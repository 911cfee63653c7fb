//! The hash of a generated object in its name, as kustomize computes it: other tools must find the same name.

use super::resource::Resource;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Appends the hash to the name of a generated object that wants it.
pub(super) fn suffix(resource: &mut Resource) {
    if resource.hashed {
        let hash = hash(&resource.value);
        resource.remember();
        let name = resource.id().name;
        resource.set_name(format!("{name}-{hash}"));
    }
}

/// Ten characters of the SHA-256 of what the object holds; the alphabet is without letters that make words.
fn hash(object: &Value) -> String {
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let part = |name: &str| object.get(name).cloned().unwrap_or_else(|| json!(""));
    // kustomize looks the name up in a place where it never is; the blank is part of every hash there is.
    let mut content = json!({
        "kind": kind,
        "name": "",
        "data": part("data"),
    });
    let extra: &[&str] = if kind == "Secret" {
        content["type"] = part("type");
        &["stringData"]
    } else {
        &["binaryData"]
    };
    for name in extra {
        if let Some(Value::Object(map)) = object.get(*name) {
            content[*name] = Value::Object(map.clone());
        }
    }
    let digest = Sha256::digest(go_json(&content).as_bytes());
    let mut hash = String::with_capacity(10);
    for byte in digest.iter().take(5) {
        for digit in [byte >> 4, byte & 15] {
            hash.push(match digit {
                0 => 'g',
                1 => 'h',
                3 => 'k',
                10 => 'm',
                14 => 't',
                digit => char::from_digit(digit.into(), 16).unwrap_or('x'),
            });
        }
    }
    hash
}

/// JSON as Go writes it: characters that matter to HTML or JavaScript are escaped.
fn go_json(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    // Go writes these two control characters in the long form, serde_json in the short one.
    text.replace("\\b", "\\u0008").replace("\\f", "\\u000c")
}
