//! The parameters of a request, read as the real server reads them.

use super::Request;
use crate::sandbox::status::Status;

impl Request {
    /// The first value of a parameter that is given and not empty.
    pub(in crate::sandbox) fn parameter(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    fn given(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(key, _)| key == name)?;
        Some(value)
    }

    /// A boolean parameter: whatever is given says yes, but for two words.
    pub(in crate::sandbox) fn flag(&self, name: &str) -> bool {
        self.given(name)
            .is_some_and(|word| !word.eq_ignore_ascii_case("false") && word != "0")
    }

    /// A parameter that counts something; a negative count is none.
    ///
    /// # Errors
    /// 400 for what is no number.
    pub(in crate::sandbox) fn number(&self, name: &str) -> Result<Option<u64>, Status> {
        let number = self.signed(name)?;
        Ok(number.and_then(|number| u64::try_from(number).ok()))
    }

    /// A numeric parameter.
    ///
    /// # Errors
    /// 400 for what is no number.
    pub(in crate::sandbox) fn signed(&self, name: &str) -> Result<Option<i64>, Status> {
        let Some(text) = self.parameter(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            Status::bad_request(format!(
                "strconv.ParseInt: parsing {text:?}: invalid syntax"
            ))
        })
    }

    /// Whether nothing may be stored.
    ///
    /// # Errors
    /// 422 for a word other than `All`.
    pub(in crate::sandbox) fn dry_run(&self) -> Result<bool, Status> {
        match self.parameter("dryRun") {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(other) => Err(self.unknown_dry_run(other)),
        }
    }

    /// 422 for a word of `dryRun` that means nothing.
    pub(in crate::sandbox) fn unknown_dry_run(&self, word: &str) -> Status {
        self.invalid_options(&[format!(
            "dryRun: Unsupported value: [{word:?}]: supported values: \"All\""
        )])
    }

    /// 422 for options that make no sense; they are named by the method. Each reason is `field: message`.
    pub(in crate::sandbox) fn invalid_options(&self, reasons: &[impl AsRef<str>]) -> Status {
        let kind = match self.method.as_str() {
            "GET" => "ListOptions",
            "POST" => "CreateOptions",
            "PUT" => "UpdateOptions",
            "PATCH" => "PatchOptions",
            _ => "DeleteOptions",
        };
        let reasons: Vec<&str> = reasons.iter().map(AsRef::as_ref).collect();
        let text = match reasons.as_slice() {
            [one] => (*one).to_owned(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{kind}.meta.k8s.io \"\" is invalid: {text}");
        let causes: Vec<_> = reasons.iter().map(|reason| cause(reason)).collect();
        let mut status = Status::new(422, "Invalid", message);
        *status.details =
            serde_json::json!({"group": "meta.k8s.io", "kind": kind, "causes": causes});
        status
    }
}

fn cause(reason: &str) -> serde_json::Value {
    let (field, message) = reason.split_once(": ").unwrap_or(("", reason));
    let reason = match message.split(':').next().unwrap_or_default() {
        "Unsupported value" => "FieldValueNotSupported",
        "Required value" => "FieldValueRequired",
        "Too long" => "FieldValueTooLong",
        "Invalid value" => "FieldValueInvalid",
        _ => "FieldValueForbidden",
    };
    serde_json::json!({"reason": reason, "message": message, "field": field})
}

/// The pairs of a query, decoded.
pub(super) fn parse(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| percent_decode(&text.replace('+', " "));
            (plain(key), plain(value))
        })
        .collect()
}

/// Text with its `%` escapes resolved; what is no escape stays.
pub(super) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escaped {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let pairs = parse("a=b%3D1&c&d=x+y%zz");
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(pairs, [("a", "b=1"), ("c", ""), ("d", "x y%zz")]);
    }
}
