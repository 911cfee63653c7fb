//! Python's JSON made strict: what its encoder emits and no strict parser takes (W31).

/// The text with `NaN` and the infinities as `null` and lone surrogate escapes as U+FFFD; none when it holds neither.
pub(super) fn repair(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut in_string = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut take = c.len_utf8();
        match c {
            '"' => in_string = !in_string,
            '\\' if in_string => match lone_surrogate(rest) {
                Surrogate::None => take = 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
                Surrogate::Pair => take = 12,
                Surrogate::Lone => {
                    out.push_str("\\ufffd");
                    changed = true;
                    rest = &rest[6..];
                    continue;
                }
            },
            'N' | 'I' | '-' if !in_string => {
                if let Some(word) = ["NaN", "Infinity", "-Infinity"]
                    .into_iter()
                    .find(|word| rest.starts_with(word))
                {
                    out.push_str("null");
                    changed = true;
                    rest = &rest[word.len()..];
                    continue;
                }
            }
            _ => {}
        }
        out.push_str(&rest[..take]);
        rest = &rest[take..];
    }
    changed.then_some(out)
}

enum Surrogate {
    None,
    Pair,
    Lone,
}

/// What the escape at the beginning of `text` is.
fn lone_surrogate(text: &str) -> Surrogate {
    match unit(text) {
        Some(0xD800..=0xDBFF) => match text.get(6..).and_then(unit) {
            Some(0xDC00..=0xDFFF) => Surrogate::Pair,
            _ => Surrogate::Lone,
        },
        Some(0xDC00..=0xDFFF) => Surrogate::Lone,
        _ => Surrogate::None,
    }
}

/// The UTF-16 unit of the escape (`\u` and four hex digits) at the beginning of `text`.
fn unit(text: &str) -> Option<u16> {
    let hex = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(hex, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_python_adds_to_json_is_taken_out() {
        for (text, expected) in [
            (r#"{"x": NaN}"#, Some(r#"{"x": null}"#)),
            ("[Infinity,-Infinity,-1]", Some("[null,null,-1]")),
            (r#"{"t": "\ud800"}"#, Some(r#"{"t": "\ufffd"}"#)),
            (
                r#"{"t": "a\udc00b\ud83d\ude00"}"#,
                Some(r#"{"t": "a\ufffdb\ud83d\ude00"}"#),
            ),
            (r#"{"t": "\ud83d\ude00 NaN \\ud800 \" Infinity"}"#, None),
            (r#"{"broken"#, None),
            (r#"{"t": "\"#, None),
            (r#"{"t": "\u12"#, None),
        ] {
            assert_eq!(repair(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        /// It never panics, and what a strict parser takes is left alone.
        #[test]
        fn valid_json_needs_no_repair(text in "\\PC{0,60}") {
            let _ = repair(&text);
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(repair(&json), None);
        }
    }
}
