//! Settings as texts of other forms than the settings file: JSON and `.env`, to be exchanged and checked.

use super::super::located::{self, Position, ReadError};
use super::{not_text, parse, splice, syntax, unknown};
use crate::domain::settings::key::{Key, Kind, PREFIX};
use crate::domain::settings::layers::Layer;
use crate::domain::settings::problem::{Broken, Place, Problem};
use crate::domain::settings::value::Value;
use serde_json::Value as Json;
use std::fmt::Write as _;
use std::path::Path;

/// How settings are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As `executor.toml`.
    Toml,
    /// One object with the keys.
    Json,
    /// Lines of variables, as a shell or Compose reads them.
    Env,
}

impl Form {
    /// The form that a file's name says; TOML when it says nothing.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let ends = |end: &str| name.rsplit_once('.').is_some_and(|(_, last)| last == end);
        if ends("json") {
            Self::Json
        } else if ends("env") || name.starts_with(".env") {
            Self::Env
        } else {
            Self::Toml
        }
    }

    /// Values as a text of this form, one key a line.
    pub fn write<'a>(self, values: impl IntoIterator<Item = (Key, &'a Value)>) -> String {
        let mut out = String::new();
        match self {
            Self::Toml => {
                for (key, value) in values {
                    let _ = writeln!(out, "{key} = {}", splice::written(value));
                }
            }
            Self::Env => {
                for (key, value) in values {
                    if let Some(variable) = key.variable() {
                        let _ = writeln!(out, "{variable}={}", quoted(&value.text()));
                    }
                }
            }
            Self::Json => {
                let object: serde_json::Map<String, Json> = values
                    .into_iter()
                    .map(|(key, value)| (key.name().to_owned(), value.json()))
                    .collect();
                let _ = writeln!(out, "{:#}", Json::Object(object));
            }
        }
        out
    }

    /// Reads a text of this form, with every problem at once. `path` is only named.
    pub fn read(self, path: &Path, text: &str) -> Layer {
        match self {
            Self::Toml => parse(path, text),
            Self::Json => from_json(path, text),
            Self::Env => from_env(path, text),
        }
    }
}

/// Reads a file in the form that its name says.
///
/// # Errors
/// When it is not there or cannot be read. What is wrong *in* it is in the layer.
pub fn load(path: &Path) -> Result<Layer, ReadError> {
    let missing = || ReadError {
        path: path.to_path_buf(),
        reason: "there is no such file".into(),
    };
    let bytes = located::read(path)?.ok_or_else(missing)?;
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) => Form::of(path).read(path, text),
        Err(e) => Layer {
            problems: vec![not_text(path, &bytes, e.valid_up_to())],
            ..Layer::default()
        },
    })
}

fn at(path: &Path, position: Position) -> Place {
    Place::File {
        path: path.to_path_buf(),
        line: position.line,
        column: position.column,
    }
}

/// An object of keys, alone or as `settings show -o json` prints it.
fn from_json(path: &Path, text: &str) -> Layer {
    let mut layer = Layer::default();
    let document: Json = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            let position = Position {
                line: error.line().max(1),
                column: error.column().max(1),
            };
            // What it says beside the place may quote the file.
            let reason = if error.is_eof() {
                "it ends too early"
            } else {
                "it is no JSON from here on"
            };
            layer
                .problems
                .push(syntax(at(path, position), reason.into()));
            return layer;
        }
    };
    let values = match document.get("values") {
        Some(values @ Json::Object(_)) if document.get("schema").is_some() => values,
        _ => &document,
    };
    let Some(values) = values.as_object() else {
        let start = at(path, Position { line: 1, column: 1 });
        layer
            .problems
            .push(syntax(start, "an object with the keys is wanted".into()));
        return layer;
    };
    for (name, value) in values {
        let quoted = Json::from(name.as_str()).to_string();
        let byte = text.find(&quoted).unwrap_or(0);
        let position = Position::of(text, byte);
        let Some(key) = Key::of_name(name) else {
            layer.remarks.push(unknown(path, position, name));
            continue;
        };
        let written = match (key.facts().kind, value) {
            (Kind::Secret, _) => Err(Problem::of(key, "", Broken::WriteOnly)),
            (_, Json::Null) => continue,
            // Rows and variables hold texts only.
            (_, Json::String(text)) => Ok(text.clone()),
            (Kind::Whole { .. }, Json::Number(number)) => Ok(number.to_string()),
            (Kind::Flag, Json::Bool(on)) => Ok(on.to_string()),
            (Kind::PullSecrets, Json::Array(_)) => Ok(value.to_string()),
            (kind, other) => Err(wrong_type(key, kind, other)),
        };
        match written {
            Ok(written) => layer.take(key, &written, at(path, position)),
            Err(problem) => layer.problems.push(problem.at(at(path, position))),
        }
    }
    in_order(&mut layer);
    layer
}

fn wrong_type(key: Key, kind: Kind, found: &Json) -> Problem {
    let wanted = match kind {
        Kind::Whole { .. } => "a whole number",
        Kind::Flag => "true or false",
        Kind::PullSecrets => "an array of Secret names",
        _ => "a text",
    };
    let found = match found {
        Json::Null => "nothing",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    };
    Problem {
        value: None,
        ..Problem::of(key, "", Broken::WrongType { wanted, found })
    }
}

/// Lines `NAME=value`; other variables than the executor's are somebody else's.
fn from_env(path: &Path, text: &str) -> Layer {
    let mut layer = Layer::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let place = at(
            path,
            Position {
                line: number + 1,
                column: 1,
            },
        );
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            // The line itself is not told: it may be a part of somebody's secret.
            layer.problems.push(syntax(
                place,
                "a line is NAME=value, a comment, or blank".into(),
            ));
            continue;
        };
        let name = name.trim();
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let Some(key) = Key::of_name(&rest.to_ascii_lowercase()) else {
            let position = Position {
                line: number + 1,
                column: 1,
            };
            layer.remarks.push(unknown(path, position, name));
            continue;
        };
        if key.is_secret() {
            let problem = Problem::of(key, "", Broken::WriteOnly);
            layer.problems.push(problem.at(place));
            continue;
        }
        match unquoted(value.trim()) {
            // As in the environment: a blank variable counts as not set.
            Some(value) if value.trim().is_empty() => {}
            Some(value) => layer.take(key, &value, place),
            None => layer
                .problems
                .push(syntax(place, "the quotes are not closed".into())),
        }
    }
    in_order(&mut layer);
    layer
}

fn in_order(layer: &mut Layer) {
    layer.problems.sort_by_key(|problem| match problem.place {
        Place::File { line, column, .. } => (line, column),
        _ => (0, 0),
    });
}

/// A value as a shell and Compose both read it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:/@+-".contains(c);
    if text.chars().all(plain) {
        return text.to_owned();
    }
    if !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        if "\\\"$`".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// What the quotes hold; `None` when they are not closed. A comment behind the value does not count.
fn unquoted(text: &str) -> Option<String> {
    let mut chars = text.chars();
    match chars.next() {
        Some('\'') => {
            let (inside, _) = chars.as_str().split_once('\'')?;
            Some(inside.to_owned())
        }
        Some('"') => {
            let mut out = String::new();
            loop {
                match chars.next()? {
                    '"' => return Some(out),
                    '\\' => match chars.next()? {
                        'n' => out.push('\n'),
                        other => out.push(other),
                    },
                    other => out.push(other),
                }
            }
        }
        _ => {
            let value = text.split(" #").next().unwrap_or_default();
            Some(value.trim_end().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::any_layer;
    use super::*;
    use crate::domain::settings::held::Held;
    use proptest::prelude::*;

    fn read(name: &str, text: &str) -> Layer {
        let path = Path::new(name);
        Form::of(path).read(path, text)
    }

    #[test]
    fn the_name_says_the_form() {
        for (name, form) in [
            ("executor.toml", Form::Toml),
            ("x", Form::Toml),
            ("a/b.JSON", Form::Json),
            (".env", Form::Env),
            (".env.local", Form::Env),
            ("prod.env", Form::Env),
            ("env", Form::Toml),
        ] {
            assert_eq!(Form::of(Path::new(name)), form, "{name}");
        }
    }

    #[test]
    fn every_problem_of_a_json_file_is_there_with_its_line() {
        let layer = read(
            "x.json",
            "{\n \"k8s_job_ttl_seconds\": 30,\n \"k8s_gpu_limit\": \"2\",\n \"k8s_in_cluster\": [],\n \"k8s_kubeconfig\": \"s3cret\",\n \"docker_host\": 1,\n \"k8s_image_pull_secrets_json\": [\"a\"]\n}",
        );
        let told: Vec<String> = layer.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("x.json:2:2: k8s_job_ttl_seconds = 30: out of range"));
        assert!(
            told[1]
                .starts_with("x.json:4:2: k8s_in_cluster must be true or false, and is an array")
        );
        assert!(told[2].starts_with("x.json:5:2: k8s_kubeconfig is a secret"));
        assert_eq!(layer.values.len(), 2);
        assert!(layer.remarks[0].contains("docker_host belonged to"));
        assert!(!format!("{layer:?}").contains("s3cret"));
        for broken in ["{\"k8s_kubeconfig\": \"s3cret", "s3cret", "[1]", ""] {
            let layer = read("x.json", broken);
            assert_eq!(layer.problems.len(), 1, "{broken}");
            assert!(!format!("{layer:?}").contains("s3cret"));
        }
    }

    #[test]
    fn what_show_prints_can_be_read() {
        let layer = read(
            "x.json",
            r#"{"schema": "llmctl-dev/settings/v1", "values": {"k8s_gpu_limit": 1}, "keys": []}"#,
        );
        assert_eq!(layer.values[&Key::K8sGpuLimit], Value::Whole(1));
    }

    #[test]
    fn lines_of_variables() {
        let layer = read(
            ".env",
            "# mine\nFLASK_SECRET_KEY=s3cret\nexport LLMCTL_NODE_EXECUTOR_K8S_GPU_LIMIT=2 # two\n\
             LLMCTL_NODE_EXECUTOR_K8S_IMAGE_PULL_SECRETS_JSON='[\"a\"]'\n\
             LLMCTL_NODE_EXECUTOR_K8S_LIVE_CODE_HOST_PATH=\"/a \\\"b\\\"\"\n\
             LLMCTL_NODE_EXECUTOR_K8S_JOB_TTL_SECONDS=1\nLLMCTL_NODE_EXECUTOR_K8S_SERVICE_ACCOUNT=\n\
             LLMCTL_NODE_EXECUTOR_K8S_KUBECONFIG=s3cret\ns3cret\nLLMCTL_NODE_EXECUTOR_K8S_NAMESPACE='x\n\
             LLMCTL_NODE_EXECUTOR_NOPE=s3cret\n",
        );
        assert_eq!(layer.values.len(), 3);
        assert_eq!(
            layer.values[&Key::K8sLiveCodeHostPath],
            Value::Text("/a \"b\"".into())
        );
        let told: Vec<String> = layer.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].starts_with(".env:6:1: k8s_job_ttl_seconds = 1"));
        assert!(told[3].contains("quotes"));
        assert_eq!(layer.remarks.len(), 1);
        assert!(!format!("{layer:?}").contains("s3cret"));
    }

    /// A blank value is no value for a variable: what is blank there is the default, which for an image runs the same.
    fn as_variables(layer: &Layer) -> Layer {
        let mut layer = layer.clone();
        layer.values.retain(|_, value| !value.text().is_empty());
        layer
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_written_is_read_back_in_every_form(layer in any_layer()) {
            let values = || layer.values.iter().map(|(key, value)| (*key, value));
            prop_assert_eq!(&read("x.toml", &Form::Toml.write(values())), &layer);
            prop_assert_eq!(&read("x.json", &Form::Json.write(values())), &layer);
            let variables = as_variables(&layer);
            prop_assert_eq!(&read("x.env", &Form::Env.write(values())), &variables);
            // The same through this process' environment and through a ConfigMap.
            let pairs: Vec<(String, String)> = values()
                .filter_map(|(key, value)| Some((key.variable()?, value.text())))
                .collect();
            prop_assert_eq!(&Layer::environment(pairs.clone()), &variables);
            let pairs = pairs.iter().map(|(name, text)| (&name[..], &text[..]));
            prop_assert_eq!(&Held::of_variables("x", pairs).layer, &layer);
            // And through Studio's rows, which know no variables of the environment alone.
            let rows: Vec<(&str, String)> = values()
                .filter(|(key, _)| key.is_studio_row())
                .map(|(key, value)| (key.name(), value.text()))
                .collect();
            let held = Held::of_rows("x", rows.iter().map(|(name, text)| (*name, &text[..])));
            for (key, value) in values().filter(|(key, _)| key.is_studio_row()) {
                prop_assert_eq!(held.says(key), Some(value));
            }
            prop_assert!(held.layer.remarks.is_empty());
        }
    }
}
