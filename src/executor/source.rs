//! Where the payload comes from (contract 5.1): two options, two variables and standard input, in one fixed order.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use rustix::fs::{FileType, fstat};
use serde_json::Value;

use super::Invocation;
use super::payload::Rejection;

const FILE_VARIABLE: &str = "LLMCTL_EXECUTOR_PAYLOAD_FILE";
const JSON_VARIABLE: &str = "LLMCTL_EXECUTOR_PAYLOAD_JSON";

/// Most bytes read from standard input: ten million, the contract's own figure.
const STDIN_LIMIT: u64 = 10_000_000;

/// The one place this run takes its payload from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    File {
        path: PathBuf,
        named_by: &'static str,
    },
    Text {
        text: String,
        named_by: &'static str,
    },
    Stdin,
}

/// A payload as written and as read.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) text: String,
    pub(super) value: Value,
}

impl Source {
    /// The first source that is set. The order is the one the code always had, which is not the one its README told
    /// (W34): each option comes before its variable, and both file forms before both text forms.
    pub(super) fn choose(
        invocation: &Invocation,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let file = |path: PathBuf, named_by| Self::File { path, named_by };
        let text = |text: String, named_by| Self::Text { text, named_by };
        let option_file = invocation
            .payload_file
            .clone()
            .filter(|path| !path.as_os_str().is_empty());
        let option_json = invocation
            .payload_json
            .clone()
            .filter(|text| !text.is_empty());
        option_file
            .map(|path| file(path, "--payload-file"))
            .or_else(|| set(FILE_VARIABLE).map(|path| file(path.into(), FILE_VARIABLE)))
            .or_else(|| option_json.map(|json| text(json, "--payload-json")))
            .or_else(|| {
                set(JSON_VARIABLE)
                    .map(|json| text(json.to_string_lossy().into_owned(), JSON_VARIABLE))
            })
            .unwrap_or(Self::Stdin)
    }

    /// Reads it whole. Blocks until a piped writer is done.
    pub(super) fn read(self) -> Result<Document, Rejection> {
        match self {
            Self::File { path, named_by } => {
                let bytes = fs::read(&path).map_err(|error| unreadable(&path, named_by, &error))?;
                Document::parse(bytes, &format!("{} (from {named_by})", path.display()))
            }
            Self::Text { text, named_by } => Document::parse(text.into_bytes(), named_by),
            Self::Stdin => read_stdin(),
        }
    }
}

impl Document {
    fn parse(bytes: Vec<u8>, origin: &str) -> Result<Self, Rejection> {
        let text = String::from_utf8(bytes)
            .map_err(|_| Rejection::invalid(format!("payload is not UTF-8 text: {origin}.")))?;
        let value = serde_json::from_str(&text).map_err(|error| {
            Rejection::invalid(format!("payload is not valid JSON: {origin}: {error}."))
        })?;
        Ok(Self { text, value })
    }
}

fn unreadable(path: &std::path::Path, named_by: &str, error: &io::Error) -> Rejection {
    let path = path.display();
    Rejection::infra(if error.kind() == io::ErrorKind::NotFound {
        format!(
            "Payload file not found: {path}. {named_by} names it; is the payload volume mounted?"
        )
    } else {
        format!("Payload file {path} (named by {named_by}) cannot be read: {error}.")
    })
}

/// Waits for whoever writes the pipe and reads to its end (W58). A terminal or a device such as the null device is
/// nobody: there is no payload then.
fn read_stdin() -> Result<Document, Rejection> {
    let stdin = io::stdin();
    let mut bytes = Vec::new();
    if stdin_is_fed(&stdin) {
        stdin
            .lock()
            .take(STDIN_LIMIT + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| {
                Rejection::infra(format!(
                    "The payload on standard input cannot be read: {error}."
                ))
            })?;
    }
    if bytes.len() as u64 > STDIN_LIMIT {
        return Err(Rejection::invalid(format!(
            "The payload on standard input is larger than {STDIN_LIMIT} bytes; use --payload-file for it."
        )));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Rejection::infra(format!(
            "No payload: give --payload-file, {FILE_VARIABLE}, --payload-json or {JSON_VARIABLE}, or write it to standard input."
        )));
    }
    Document::parse(bytes, "standard input")
}

fn stdin_is_fed(stdin: &io::Stdin) -> bool {
    fstat(stdin.as_fd()).is_ok_and(|stat| {
        matches!(
            FileType::from_raw_mode(stat.st_mode),
            FileType::Fifo | FileType::Socket | FileType::RegularFile
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w34_the_sources_have_one_order() {
        let options = [Some("file"), None];
        for (file, file_variable, json, json_variable) in options
            .iter()
            .flat_map(|a| options.iter().map(move |b| (*a, *b)))
            .flat_map(|(a, b)| options.iter().map(move |c| (a, b, *c)))
            .flat_map(|(a, b, c)| options.iter().map(move |d| (a, b, c, *d)))
        {
            let invocation = Invocation {
                payload_file: file.map(|_| "/option".into()),
                payload_json: json.map(|_| "option".to_owned()),
                output_file: None,
            };
            let chosen = Source::choose(&invocation, |name| match name {
                FILE_VARIABLE => file_variable.map(|_| "/variable".into()),
                JSON_VARIABLE => json_variable.map(|_| "variable".into()),
                _ => None,
            });
            let expected = match (file, file_variable, json, json_variable) {
                (Some(_), ..) => Source::File {
                    path: "/option".into(),
                    named_by: "--payload-file",
                },
                (None, Some(_), ..) => Source::File {
                    path: "/variable".into(),
                    named_by: FILE_VARIABLE,
                },
                (None, None, Some(_), _) => Source::Text {
                    text: "option".into(),
                    named_by: "--payload-json",
                },
                (None, None, None, Some(_)) => Source::Text {
                    text: "variable".into(),
                    named_by: JSON_VARIABLE,
                },
                (None, None, None, None) => Source::Stdin,
            };
            assert_eq!(chosen, expected);
        }
    }

    #[test]
    fn a_blank_option_or_variable_is_not_set() {
        let invocation = Invocation {
            payload_file: Some(PathBuf::new()),
            payload_json: Some(String::new()),
            output_file: None,
        };
        assert_eq!(
            Source::choose(&invocation, |_| Some(OsString::new())),
            Source::Stdin
        );
    }
}
