//! Payload documents as a person writes them: JSON or YAML.

use super::located::{Position, ReadError};
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;

/// The largest payload that is read: what a ConfigMap holds, and room for white space.
const LARGEST: u64 = 4 << 20;

/// Why a text is no document. It quotes nothing of the text, which may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {reason}", at.line, at.column)]
pub struct Mistake {
    pub at: Position,
    pub reason: String,
}

/// The text of a file, or of standard input when the path is `-`.
///
/// # Errors
/// When it cannot be read, is no UTF-8, or is larger than any payload.
pub fn read(path: &Path) -> Result<String, ReadError> {
    let refused = |reason: String| ReadError {
        path: path.to_path_buf(),
        reason,
    };
    let mut text = String::new();
    let limit = LARGEST + 1;
    let read = if path == Path::new("-") {
        std::io::stdin().take(limit).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    read.map_err(|error| refused(error.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(refused("it is larger than 4 MiB".to_owned()));
    }
    Ok(text)
}

/// Reads a text as JSON when it begins as an object of JSON does, else as YAML.
///
/// # Errors
/// Where it is neither.
pub fn parse(text: &str) -> Result<Value, Mistake> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| Mistake {
            at: Position {
                line: error.line(),
                column: error.column(),
            },
            reason: match error.classify() {
                serde_json::error::Category::Eof => "the text ends too early".to_owned(),
                _ => "this is no JSON".to_owned(),
            },
        });
    }
    // `yes` is text, as a person means it in an environment.
    let options = serde_saphyr::options! { legacy_octal_numbers: true, strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let at = error.location().map(|location| Position {
            line: usize::try_from(location.line()).unwrap_or(usize::MAX),
            column: usize::try_from(location.column()).unwrap_or(usize::MAX),
        });
        Mistake {
            at: at.unwrap_or(Position { line: 1, column: 1 }),
            reason: "this is no YAML".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_languages_say_the_same() {
        let expected =
            json!({"contract_version": "v1", "command": ["echo", "a: b"], "timeout_seconds": 5});
        for text in [
            r#"{"contract_version": "v1", "command": ["echo", "a: b"], "timeout_seconds": 5}"#,
            "contract_version: v1\ncommand: [echo, 'a: b']\ntimeout_seconds: 5\n",
            "# mine\ncontract_version: v1\ncommand:\n  - echo\n  - 'a: b'\ntimeout_seconds: 5\n",
        ] {
            assert_eq!(parse(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn a_mistake_is_placed_and_not_quoted() {
        for (text, line) in [
            ("{\"env\": {\"T\": \"s3cret\"},\n \"command\": [s3cret]}", 2),
            ("{\"env\": {\"T\": \"s3cret\"}", 1),
            ("env:\n  T: s3cret\n bad: [\n", 3),
        ] {
            let mistake = parse(text).unwrap_err();
            assert_eq!(mistake.at.line, line, "{mistake}");
            assert!(!mistake.to_string().contains("s3cret"), "{mistake}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("/nonexistent/p.yaml")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/p.yaml"), "{error}");
    }
}
