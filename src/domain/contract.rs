//! The executor contract v1 as types: start markers, result line, result (contract 5.5 to 5.7).

use serde::{Deserialize, Serialize};

/// What the executor printed as its last line, validated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutorResult {
    pub status: String,
    pub exit_code: i64,
    /// The whole result as printed.
    pub raw: serde_json::Value,
}
