//! The report as SARIF 2.1.0, which CI systems show beside the lines.

use crate::domain::audit::{Finding, Level, Report, Rule};
use serde_json::{Value, json};

/// One log with one run.
pub(super) fn log(report: &Report) -> Value {
    let rules: Vec<Value> = Rule::ALL
        .iter()
        .map(|rule| json!({"id": rule.id(), "shortDescription": {"text": rule.about()}}))
        .collect();
    let results: Vec<Value> = report.findings.iter().map(result).collect();
    let notes: Vec<Value> = report
        .skipped
        .iter()
        .map(|skipped| {
            json!({
                "level": "note",
                "message": {"text": format!("{} was not read: {}", skipped.path, skipped.why)},
            })
        })
        .collect();
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "llmctl-dev",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notes,
            }],
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let level = match finding.level {
        Level::Error => "error",
        Level::Notice => "warning",
        Level::Allowed => "none",
    };
    let message = if finding.instead.is_empty() {
        finding.why.clone()
    } else {
        format!("{}. Instead: {}", finding.why, finding.instead)
    };
    let mut result = json!({
        "ruleId": finding.rule.id(),
        "level": level,
        "message": {"text": message},
    });
    // The standard has `none` for what is neither good nor bad only with a kind that says so.
    if finding.level == Level::Allowed {
        result["kind"] = json!("informational");
    }
    if finding.rule == Rule::Leftover {
        result["locations"] = json!([{"logicalLocations": [{"fullyQualifiedName": finding.path}]}]);
    } else {
        result["locations"] = json!([{"physicalLocation": {
            "artifactLocation": {"uri": encoded(&finding.path)},
            "region": {"startLine": finding.line.max(1), "snippet": {"text": finding.excerpt}},
        }}]);
    }
    result
}

/// A path as a relative URI.
fn encoded(path: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
