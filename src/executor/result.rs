//! Result v1: what one run came to, and the exit code it means (contract 5.6).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::payload::{CONTRACT_VERSION, PROVIDER, Payload, Rejection};

/// Begins the result line, the last line on standard output.
pub const RESULT_PREFIX: &str = "LLMCTL_EXECUTOR_RESULT_JSON=";
/// First of the two lines that say a valid payload has started.
pub const START_MARKER: &str = "LLMCTL_EXECUTOR_STARTED";

/// `request_id` of a result whose payload could not be read far enough to know it.
const UNKNOWN_REQUEST: &str = "executor-error";

/// What an executor's result may say (contract 2.1; the other statuses are the dispatcher's).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Success,
    Failed,
    Cancelled,
    Timeout,
    InfraError,
}

/// Error codes that the executor produces (contract 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    ValidationError,
    ExecutionError,
    Timeout,
    Cancelled,
    InfraError,
}

/// How one run ended.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) status: Status,
    /// As the result reports it: the child's, negative for a signal.
    pub(super) exit_code: i32,
    pub(super) error: Option<Failure>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// `output_state` and `routing_state` of a node that succeeded.
    pub(super) states: Option<(Value, Value)>,
    pub(super) warnings: Vec<String>,
}

/// The `error` object of a result.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: ErrorCode,
    pub(super) message: String,
    pub(super) details: Option<Value>,
}

/// A finished result document and the exit code that goes with it.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) document: Map<String, Value>,
    pub(super) exit_code: i32,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
            Self::InfraError => "infra_error",
        }
    }
}

impl ErrorCode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ValidationError => "validation_error",
            Self::ExecutionError => "execution_error",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::InfraError => "infra_error",
        }
    }

    /// Whether the same payload may do better another time (contract 2.6).
    pub fn retryable(self) -> bool {
        matches!(self, Self::Timeout | Self::InfraError)
    }
}

impl Outcome {
    pub(super) fn success() -> Self {
        Self {
            status: Status::Success,
            exit_code: 0,
            error: None,
            stdout: String::new(),
            stderr: String::new(),
            states: None,
            warnings: Vec::new(),
        }
    }

    /// A run that ended without success and left no output.
    pub(super) fn failed(
        status: Status,
        exit_code: i32,
        code: ErrorCode,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            exit_code,
            error: Some(Failure {
                code,
                message: message.into(),
                details: None,
            }),
            ..Self::success()
        }
    }

    pub(super) fn infra(message: impl Into<String>) -> Self {
        Self::failed(Status::InfraError, 1, ErrorCode::InfraError, message)
    }

    pub(super) fn with_details(mut self, details: Value) -> Self {
        if let Some(error) = &mut self.error {
            error.details = Some(details);
        }
        self
    }

    /// The exit code of the process (contract 5.6): a plain code passes, signals and the rest have fixed ones.
    fn process_exit(&self) -> i32 {
        match self.status {
            Status::Success => 0,
            Status::Cancelled => 130,
            Status::Timeout => 124,
            Status::Failed if self.exit_code > 0 => self.exit_code,
            Status::Failed | Status::InfraError => 1,
        }
    }
}

impl Report {
    /// The result of a payload that ran.
    pub(super) fn of_run(
        payload: &Payload,
        about: Map<String, Value>,
        started: Timestamp,
        finished: Timestamp,
        outcome: Outcome,
    ) -> Self {
        let mut provider_metadata = about;
        provider_metadata.insert("executor".to_owned(), json!("llmctl-executor"));
        provider_metadata.insert("provider".to_owned(), json!(PROVIDER));
        provider_metadata.insert("request_id".to_owned(), json!(payload.request_id));
        provider_metadata.insert(
            "emit_start_markers".to_owned(),
            json!(payload.emit_start_markers),
        );
        if let Some(metadata) = &payload.metadata {
            provider_metadata.insert(
                "request_metadata".to_owned(),
                Value::Object(metadata.clone()),
            );
        }
        let mut report = Self::new(outcome, provider_metadata, started, finished);
        let seconds = finished.duration_since(started).as_secs_f64();
        let rounded = (seconds * 1e6).round() / 1e6;
        report
            .document
            .insert("metrics".to_owned(), json!({"duration_seconds": rounded}));
        report
    }

    /// The result of a payload that was not run. It says `kubernetes` and the real request, where Python says
    /// `workspace` and `executor-error` whatever was asked.
    pub(super) fn of_rejection(rejection: Rejection, now: Timestamp) -> Self {
        let request = rejection
            .request_id
            .unwrap_or_else(|| UNKNOWN_REQUEST.to_owned());
        let outcome = Outcome::failed(rejection.status, 1, rejection.code, rejection.message);
        Self::new(outcome, bare_metadata(&request), now, now)
    }

    /// The result of an executor that ended before it knew its payload.
    pub(super) fn before_payload(outcome: Outcome, started: Timestamp) -> Self {
        Self::new(
            outcome,
            bare_metadata(UNKNOWN_REQUEST),
            started,
            Timestamp::now(),
        )
    }

    pub(super) fn warn(&mut self, warning: String) {
        let warnings = self.document.entry("warnings").or_insert_with(|| json!([]));
        if let Value::Array(warnings) = warnings {
            warnings.push(Value::String(warning));
        }
    }

    fn new(
        outcome: Outcome,
        provider_metadata: Map<String, Value>,
        started: Timestamp,
        finished: Timestamp,
    ) -> Self {
        let exit_code = outcome.process_exit();
        let mut document = Map::new();
        let mut put = |key: &str, value: Value| document.insert(key.to_owned(), value);
        put("contract_version", json!(CONTRACT_VERSION));
        put("status", json!(outcome.status.as_str()));
        put("exit_code", json!(outcome.exit_code));
        put("started_at", json!(iso(started)));
        put("finished_at", json!(iso(finished)));
        put("stdout", Value::String(outcome.stdout));
        put("stderr", Value::String(outcome.stderr));
        put(
            "error",
            outcome.error.map_or(Value::Null, Failure::into_json),
        );
        put("provider_metadata", Value::Object(provider_metadata));
        if let Some((output, routing)) = outcome.states {
            put("output_state", output);
            put("routing_state", routing);
        }
        if !outcome.warnings.is_empty() {
            put("warnings", json!(outcome.warnings));
        }
        Self {
            document,
            exit_code,
        }
    }
}

impl Failure {
    fn into_json(self) -> Value {
        let mut error = json!({
            "code": self.code.as_str(),
            "message": self.message,
            "retryable": self.code.retryable(),
        });
        if let Some(details) = self.details {
            error["details"] = details;
        }
        error
    }
}

/// ISO 8601 in UTC with microseconds and an offset, as Python's `isoformat` writes it.
pub(super) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
}

fn bare_metadata(request: &str) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("executor".to_owned(), json!("llmctl-executor"));
    metadata.insert("provider".to_owned(), json!(PROVIDER));
    metadata.insert("request_id".to_owned(), json!(request));
    metadata
}
