//! Documents as Python's `json.dumps` writes them: sorted keys, ASCII only, spaces after separators (contract 5.6).

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::python::number;

/// One line.
pub(super) fn line(document: &Map<String, Value>) -> String {
    let mut out = String::new();
    write_object(&mut out, document, None);
    out
}

/// Indented by two spaces, with a line break at the end.
pub(super) fn indented(document: &Map<String, Value>) -> String {
    let mut out = String::new();
    write_object(&mut out, document, Some(0));
    out.push('\n');
    out
}

/// `depth` is the level of indentation; `None` writes one line.
fn write_value(out: &mut String, value: &Value, depth: Option<usize>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(on) => out.push_str(if *on { "true" } else { "false" }),
        Value::Number(value) => out.push_str(&number(value)),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index, depth);
                write_value(out, item, depth.map(|depth| depth + 1));
            }
            close(out, ']', items.is_empty(), depth);
        }
        Value::Object(fields) => write_object(out, fields, depth),
    }
}

fn write_object(out: &mut String, fields: &Map<String, Value>, depth: Option<usize>) {
    // serde_json's map is sorted unless a feature of it is on somewhere in the build; the contract may not hang on that.
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        separate(out, index, depth);
        write_text(out, key);
        out.push_str(": ");
        write_value(out, value, depth.map(|depth| depth + 1));
    }
    close(out, '}', fields.is_empty(), depth);
}

fn separate(out: &mut String, index: usize, depth: Option<usize>) {
    match (index, depth) {
        (0, None) => {}
        (_, None) => out.push_str(", "),
        (index, Some(depth)) => {
            out.push_str(if index > 0 { ",\n" } else { "\n" });
            indent(out, depth + 1);
        }
    }
}

fn close(out: &mut String, bracket: char, empty: bool, depth: Option<usize>) {
    if let Some(depth) = depth.filter(|_| !empty) {
        out.push('\n');
        indent(out, depth);
    }
    out.push(bracket);
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='\u{7f}' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn a_line_is_what_json_dumps_prints() {
        let document = object(
            json!({"b": [1, 2.0, 1e16, null], "a": {"é\u{7f}": "x\u{1}\u{1f600}\"\\\n\u{8}"}, "c": {}, "d": []}),
        );
        assert_eq!(
            line(&document),
            r#"{"a": {"\u00e9"#.to_owned()
                + "\u{7f}"
                + r#"": "x\u0001\ud83d\ude00\"\\\n\b"}, "b": [1, 2.0, 1e+16, null], "c": {}, "d": []}"#
        );
    }

    #[test]
    fn the_indented_form_is_that_of_python() {
        let document = object(json!({"a": [1, {"b": null}], "c": {}, "d": []}));
        assert_eq!(
            indented(&document),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}\n"
        );
    }

    proptest! {
        #[test]
        fn w31_every_text_comes_back_from_a_strict_parser(text in any::<String>(), key in any::<String>()) {
            let mut document = Map::new();
            document.insert(key, Value::String(text));
            let written = line(&document);
            prop_assert!(written.is_ascii());
            prop_assert!(!written.contains('\n'));
            prop_assert_eq!(&serde_json::from_str::<Map<String, Value>>(&written).unwrap(), &document);
            prop_assert_eq!(&serde_json::from_str::<Map<String, Value>>(&indented(&document)).unwrap(), &document);
        }
    }
}
