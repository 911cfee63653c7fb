//! Payload v1: what a run is asked to do, read and checked in the contract's order (contract 5.2 and 5.3).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::fields::{bounded, text_or, truth};
use super::python::text;
use super::result::{ErrorCode, Status};

/// The one contract version there is, for payloads and for results.
pub const CONTRACT_VERSION: &str = "v1";
/// The one provider there is.
pub const PROVIDER: &str = "kubernetes";
/// `request_id` of a payload that has none.
pub const DEFAULT_REQUEST_ID: &str = "executor-run";
/// Entry point of a `node_execution` that names none.
pub const DEFAULT_ENTRYPOINT: &str = "services.tasks:_execute_flowchart_node_request";
/// Module path of a `node_execution` that names none.
pub const DEFAULT_PYTHON_PATH: &str = "/app/app/llmctl-studio-backend/src";

const TIMEOUT_SECONDS: (i64, i64, i64) = (1, 1_800, 86_400);
const CAPTURE_LIMIT_BYTES: (i64, i64, i64) = (1_024, 1_000_000, 10_000_000);

/// A payload that keeps every rule of contract 5.2.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    pub request_id: String,
    pub work: Work,
    /// Where to run; `None` is the executor's default directory.
    pub cwd: Option<PathBuf>,
    /// Added to the executor's own environment.
    pub env: BTreeMap<String, String>,
    /// 1 to 86400. Holds for commands and for nodes (W29).
    pub timeout_seconds: u64,
    /// Bytes kept of each output stream, 1024 to 10,000,000.
    pub capture_limit_bytes: usize,
    pub emit_start_markers: bool,
    /// Echoed in the result.
    pub metadata: Option<Map<String, Value>>,
    /// What was read differently from how it was written, in words for a person. The result carries it.
    pub warnings: Vec<String>,
}

/// What is to be run.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Program and arguments, and what it reads on standard input.
    Command {
        argv: Vec<String>,
        stdin: String,
    },
    Node(NodeCall),
}

/// A Python callable and the request it gets (contract 5.3).
#[derive(Clone, Debug, PartialEq)]
pub struct NodeCall {
    /// `<module>:<callable>`.
    pub entrypoint: String,
    /// Put first on the module path.
    pub python_paths: Vec<String>,
    pub request: Map<String, Value>,
    pub request_context: Map<String, Value>,
}

/// Why a payload is not run: the first problem found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    pub status: Status,
    pub code: ErrorCode,
    pub message: String,
    /// The payload's own `request_id`, when it could be read.
    pub request_id: Option<String>,
}

impl Payload {
    /// Reads a payload document, checking in the contract's order: object, contract version, result version,
    /// provider, `node_execution`, command, `env`.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn parse(document: &Value) -> Result<Self, Rejection> {
        let Value::Object(fields) = document else {
            return Err(Rejection::invalid("payload must be a JSON object."));
        };
        let request_id = text_or(fields, "request_id");
        Self::from_fields(fields, request_id.clone()).map_err(|rejection| Rejection {
            request_id,
            ..rejection
        })
    }

    fn from_fields(
        fields: &Map<String, Value>,
        request_id: Option<String>,
    ) -> Result<Self, Rejection> {
        check_versions(fields)?;
        check_provider(fields)?;
        let work = match given(fields, "node_execution") {
            Some(node) => Work::Node(NodeCall::parse(node)?),
            None => Work::Command {
                argv: command(fields)?,
                stdin: given(fields, "stdin").map(text).unwrap_or_default(),
            },
        };
        let env = environment(fields)?;
        let mut warnings = Vec::new();
        let timeout = bounded(fields, "timeout_seconds", TIMEOUT_SECONDS, &mut warnings);
        let capture = bounded(
            fields,
            "capture_limit_bytes",
            CAPTURE_LIMIT_BYTES,
            &mut warnings,
        );
        let metadata = match given(fields, "metadata") {
            Some(Value::Object(map)) => Some(map.clone()),
            Some(_) => {
                warnings.push("payload.metadata is not an object and was ignored.".to_owned());
                None
            }
            None => None,
        };
        Ok(Self {
            request_id: request_id.unwrap_or_else(|| DEFAULT_REQUEST_ID.to_owned()),
            work,
            cwd: text_or(fields, "cwd").map(PathBuf::from),
            env,
            timeout_seconds: timeout.unsigned_abs(),
            capture_limit_bytes: usize::try_from(capture).unwrap_or(usize::MAX),
            emit_start_markers: truth(fields, "emit_start_markers", true, &mut warnings),
            metadata,
            warnings,
        })
    }
}

impl NodeCall {
    fn parse(node: &Value) -> Result<Self, Rejection> {
        let Value::Object(fields) = node else {
            return Err(Rejection::invalid(
                "payload.node_execution must be a JSON object.",
            ));
        };
        let entrypoint =
            text_or(fields, "entrypoint").unwrap_or_else(|| DEFAULT_ENTRYPOINT.to_owned());
        if !matches!(entrypoint.split_once(':'), Some((module, callable)) if !module.trim().is_empty() && !callable.trim().is_empty())
        {
            return Err(Rejection::invalid(
                "payload.node_execution.entrypoint must use '<module>:<callable>' format.",
            ));
        }
        let python_paths = match given(fields, "python_paths") {
            None => vec![DEFAULT_PYTHON_PATH.to_owned()],
            Some(Value::Array(paths)) => paths
                .iter()
                .filter(|path| !path.is_null())
                .map(|path| text(path).trim().to_owned())
                .filter(|path| !path.is_empty())
                .collect(),
            Some(_) => {
                return Err(Rejection::invalid(
                    "payload.node_execution.python_paths must be an array when set.",
                ));
            }
        };
        let Some(Value::Object(request)) = fields.get("request") else {
            return Err(Rejection::invalid(
                "payload.node_execution.request must be a JSON object.",
            ));
        };
        let request_context = match given(fields, "request_context") {
            None => Map::new(),
            Some(Value::Object(context)) => context.clone(),
            Some(_) => {
                return Err(Rejection::invalid(
                    "payload.node_execution.request_context must be a JSON object.",
                ));
            }
        };
        Ok(Self {
            entrypoint,
            python_paths,
            request: request.clone(),
            request_context,
        })
    }

    /// The request's `node_type` in lower case; empty when it names none.
    pub fn node_type(&self) -> String {
        let named = self.request.get("node_type").and_then(Value::as_str);
        named.unwrap_or_default().trim().to_lowercase()
    }
}

impl Rejection {
    /// A rule of the payload is broken; trying again will not help.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: Status::Failed,
            code: ErrorCode::ValidationError,
            message: message.into(),
            request_id: None,
        }
    }

    /// The payload is missing or speaks another version of the contract.
    pub(super) fn infra(message: impl Into<String>) -> Self {
        Self {
            status: Status::InfraError,
            code: ErrorCode::InfraError,
            message: message.into(),
            request_id: None,
        }
    }
}

/// A field that is there and not null: both forms of absence mean the default.
fn given<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    fields.get(key).filter(|value| !value.is_null())
}

fn check_versions(fields: &Map<String, Value>) -> Result<(), Rejection> {
    if fields.get("contract_version").and_then(Value::as_str) != Some(CONTRACT_VERSION) {
        return Err(Rejection::infra(
            "payload.contract_version must be exactly 'v1'.",
        ));
    }
    match given(fields, "result_contract_version") {
        None => Ok(()),
        Some(version) if version == CONTRACT_VERSION => Ok(()),
        Some(_) => Err(Rejection::infra(
            "payload.result_contract_version must be exactly 'v1' when provided.",
        )),
    }
}

/// Kubernetes is the only way to run, so the older providers are refused instead of being run here (W33).
fn check_provider(fields: &Map<String, Value>) -> Result<(), Rejection> {
    match given(fields, "provider") {
        None => Ok(()),
        Some(provider) if provider == PROVIDER => Ok(()),
        Some(_) => Err(Rejection::invalid(
            "payload.provider must be 'kubernetes': it is the only provider, leave the field out or set it so.",
        )),
    }
}

fn command(fields: &Map<String, Value>) -> Result<Vec<String>, Rejection> {
    if let Some(command) = given(fields, "command") {
        let parts = command.as_array().filter(|parts| !parts.is_empty());
        let Some(parts) = parts else {
            return Err(Rejection::invalid(
                "payload.command must be a non-empty array of strings.",
            ));
        };
        return parts
            .iter()
            .map(|part| match part.as_str() {
                Some(part) if !part.trim().is_empty() => Ok(part.to_owned()),
                _ => Err(Rejection::invalid(
                    "payload.command entries must be non-empty strings.",
                )),
            })
            .collect();
    }
    match given(fields, "shell_command").and_then(Value::as_str) {
        Some(line) if !line.trim().is_empty() => Ok(vec![
            "/bin/bash".to_owned(),
            "-lc".to_owned(),
            line.to_owned(),
        ]),
        _ => Err(Rejection::invalid(
            "payload must include command[] or shell_command.",
        )),
    }
}

fn environment(fields: &Map<String, Value>) -> Result<BTreeMap<String, String>, Rejection> {
    let entries = match given(fields, "env") {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(entries)) => entries,
        Some(_) => {
            return Err(Rejection::invalid("payload.env must be a JSON object map."));
        }
    };
    entries
        .iter()
        .map(|(key, value)| {
            if key.trim().is_empty() {
                return Err(Rejection::invalid(
                    "payload.env keys must be non-empty strings.",
                ));
            }
            Ok((key.clone(), text(value)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn valid(extra: &Value) -> Payload {
        let mut payload = json!({"contract_version": "v1", "command": ["true"]});
        let fields = payload.as_object_mut().unwrap();
        fields.extend(extra.as_object().unwrap().clone());
        Payload::parse(&payload).unwrap()
    }

    #[test]
    fn w33_an_absent_provider_is_kubernetes_and_every_other_one_is_refused() {
        valid(&json!({}));
        valid(&json!({"provider": null}));
        valid(&json!({"provider": "kubernetes"}));
        for provider in [
            json!("workspace"),
            json!("docker"),
            json!("podman"),
            json!(""),
            json!(1),
        ] {
            let payload = json!({"contract_version": "v1", "provider": provider, "command": ["true"], "request_id": "r"});
            let rejection = Payload::parse(&payload).unwrap_err();
            assert_eq!(rejection.code, ErrorCode::ValidationError, "{provider}");
            assert!(rejection.message.contains("'kubernetes'"), "{provider}");
            assert_eq!(rejection.request_id.as_deref(), Some("r"));
        }
    }

    #[test]
    fn w35_the_timeout_may_be_a_day_and_is_clamped_to_it() {
        for (given, seconds, warned) in [
            (json!(null), 1_800, false),
            (json!(7_200), 7_200, false),
            (json!(86_400), 86_400, false),
            (json!(86_401), 86_400, true),
            (json!(0), 1, true),
            (json!(-5), 1, true),
            (json!(" 30 "), 30, false),
            (json!(2.9), 2, false),
            (json!(1e300), 86_400, true),
            (json!(-1e300), 1, true),
            (json!("-99999999999999999999"), 1, true),
            (json!("1_000"), 1_000, false),
            (json!("--5"), 1_800, true),
            (json!(true), 1, false),
            (json!("soon"), 1_800, true),
            (json!([]), 1_800, true),
        ] {
            let payload = valid(&json!({"timeout_seconds": given}));
            assert_eq!(payload.timeout_seconds, seconds, "{given}");
            assert_eq!(!payload.warnings.is_empty(), warned, "{given}");
        }
    }

    #[test]
    fn the_capture_limit_is_clamped() {
        for (given, bytes) in [
            (json!(1), 1_024),
            (json!(2_000), 2_000),
            (json!(99_999_999), 10_000_000),
        ] {
            assert_eq!(
                valid(&json!({"capture_limit_bytes": given})).capture_limit_bytes,
                bytes
            );
        }
        assert_eq!(valid(&json!({})).capture_limit_bytes, 1_000_000);
    }

    #[test]
    fn markers_take_boolean_words() {
        for (given, on) in [
            (json!(false), false),
            (json!("OFF"), false),
            (json!(" no "), false),
            (json!(0), false),
            (json!("yes"), true),
            (json!("perhaps"), true),
            (json!(null), true),
        ] {
            assert_eq!(
                valid(&json!({"emit_start_markers": given})).emit_start_markers,
                on,
                "{given}"
            );
        }
    }

    #[test]
    fn environment_values_become_text_as_python_writes_them() {
        let payload = valid(
            &json!({"env": {"A": true, "B": null, "C": 1, "D": 1.5, "E": "x", "F": [1, "y"]}}),
        );
        let values: Vec<&str> = payload.env.values().map(String::as_str).collect();
        assert_eq!(values, ["True", "None", "1", "1.5", "x", "[1, 'y']"]);
    }

    #[test]
    fn a_node_wins_over_a_command_and_a_command_over_a_shell_line() {
        let node = valid(&json!({"node_execution": {"request": {"node_type": " Start "}}}));
        let Work::Node(call) = node.work else {
            panic!("not a node: {node:?}")
        };
        assert_eq!(call.node_type(), "start");
        assert_eq!(call.entrypoint, DEFAULT_ENTRYPOINT);
        assert_eq!(call.python_paths, [DEFAULT_PYTHON_PATH]);
        let command = valid(&json!({"shell_command": "false"}));
        assert!(matches!(command.work, Work::Command { argv, .. } if argv == ["true"]));
    }

    #[test]
    fn blank_python_paths_are_dropped() {
        let payload =
            valid(&json!({"node_execution": {"request": {}, "python_paths": ["", " /a ", null]}}));
        assert!(matches!(payload.work, Work::Node(call) if call.python_paths == ["/a"]));
    }

    #[test]
    fn the_first_problem_in_the_contracts_order_wins() {
        let mut payload = json!({
            "contract_version": "v2", "result_contract_version": "v2", "provider": "docker", "node_execution": 1, "env": 1,
        });
        let steps = [
            ("contract_version", json!("v1"), "payload.contract_version"),
            (
                "result_contract_version",
                json!("v1"),
                "payload.result_contract_version",
            ),
            ("provider", json!("kubernetes"), "payload.provider"),
            ("node_execution", json!(null), "payload.node_execution"),
            ("command", json!(["true"]), "payload must include command[]"),
            ("env", json!({}), "payload.env"),
        ];
        for (key, cure, problem) in steps {
            let rejection = Payload::parse(&payload).unwrap_err();
            assert!(
                rejection.message.starts_with(problem),
                "{rejection} instead of {problem}"
            );
            payload[key] = cure;
        }
        Payload::parse(&payload).unwrap();
    }

    #[test]
    fn metadata_that_is_no_object_is_ignored_with_a_warning() {
        let payload = valid(&json!({"metadata": [1]}));
        assert_eq!(payload.metadata, None);
        assert_eq!(payload.warnings.len(), 1);
    }
}
