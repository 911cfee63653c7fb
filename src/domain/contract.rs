//! The executor contract v1 as types: start markers, result line, result (contract 5.5 to 5.7).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the executor printed as its last line, validated: an object with a `status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutorResult {
    /// A word of contract 2.1; an unknown word is kept and counts as a failure.
    pub status: String,
    pub exit_code: i64,
    /// The whole result as printed.
    pub raw: serde_json::Value,
    /// What had to be repaired for a strict JSON parser (`NaN`, lone surrogates); the line as printed is then in `line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
}

/// Reads a log line by line for what the contract says of it (contract 5.7).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reader {
    started: Option<Started>,
    result: Option<ExecutorResult>,
    malformed: Option<String>,
}

/// The start marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// When the line was written: by the cluster's log clock, failing that by the marker itself.
    pub at: Option<Timestamp>,
}
