//! Reading loosely typed payload fields: defaults and clamps instead of errors, with a warning for each change.

use serde_json::{Map, Value};

use super::python::text;

/// A text field, trimmed; `None` when it is absent, null or blank. Other scalars are taken as their text.
pub(super) fn text_or(fields: &Map<String, Value>, key: &str) -> Option<String> {
    let value = fields.get(key).filter(|value| !value.is_null())?;
    let read = text(value).trim().to_owned();
    (!read.is_empty()).then_some(read)
}

/// A whole number within `(least, default, most)`; absent or unreadable is the default.
pub(super) fn bounded(
    fields: &Map<String, Value>,
    key: &str,
    (least, default, most): (i64, i64, i64),
    warnings: &mut Vec<String>,
) -> i64 {
    let Some(value) = fields.get(key).filter(|value| !value.is_null()) else {
        return default;
    };
    let Some(number) = whole(value) else {
        warnings.push(format!(
            "payload.{key} is not a whole number; {default} was used."
        ));
        return default;
    };
    let kept = number.clamp(least, most);
    if kept != number {
        warnings.push(format!(
            "payload.{key} is outside {least} to {most}; {kept} was used."
        ));
    }
    kept
}

/// A boolean word (contract 3.3); anything else is the default.
pub(super) fn truth(
    fields: &Map<String, Value>,
    key: &str,
    default: bool,
    warnings: &mut Vec<String>,
) -> bool {
    let Some(value) = fields.get(key).filter(|value| !value.is_null()) else {
        return default;
    };
    match text(value).trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => true,
        "0" | "false" | "no" | "off" => false,
        _ => {
            warnings.push(format!(
                "payload.{key} is not a boolean word; {default} was used."
            ));
            default
        }
    }
}

/// What Python's `int()` makes of a JSON value, held to 64 bits: fractions are cut off, text may carry a sign and `_`.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(on) => Some(i64::from(*on)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Some(whole),
            None => digits(&format!("{:.0}", number.as_f64()?.trunc())),
        },
        Value::String(written) => digits(&written.trim().replace('_', "")),
        _ => None,
    }
}

fn digits(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Only the length can still be wrong, and the clamp that follows needs no more than the right side of zero.
    let beyond = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    Some(text.parse().unwrap_or(beyond))
}
