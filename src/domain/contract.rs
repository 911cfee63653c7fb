//! The executor contract v1 as a reader sees it: start markers, result line, result (contract 5.5 to 5.7).

pub mod checks;
mod repair;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The start marker, alone on its line.
pub const STARTED: &str = "LLMCTL_EXECUTOR_STARTED";

/// What stands before the result on its line.
pub const RESULT_PREFIX: &str = "LLMCTL_EXECUTOR_RESULT_JSON=";

/// Bytes of a captured stream that a slimmed result keeps.
const STREAM_KEPT: usize = 4096;

/// What a log line is to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The literal marker.
    Started,
    /// The event that says the same in JSON, with its own time.
    StartedEvent(Option<Timestamp>),
    /// Another JSON event; not output either.
    Event,
    /// A result line: the text after the prefix.
    Result(&'a str),
    /// Everything else.
    Output,
}

impl<'a> Line<'a> {
    /// Tells what a line is. White space around it does not count; a marker inside a longer line is output.
    pub fn of(text: &'a str) -> Self {
        let text = text.trim();
        // Nearly every line ends here: a look at one byte.
        match text.as_bytes().first() {
            Some(b'L') if text == STARTED => Self::Started,
            Some(b'L') => text
                .strip_prefix(RESULT_PREFIX)
                .map_or(Self::Output, Self::Result),
            Some(b'{') if text.contains("\"event\"") => Self::of_event(text),
            _ => Self::Output,
        }
    }

    fn of_event(text: &str) -> Self {
        let Ok(event) = serde_json::from_str::<Value>(text) else {
            return Self::Event;
        };
        if event["event"] == "executor_started" && event["contract_version"] == "v1" {
            let at = event["ts"].as_str().and_then(|ts| ts.parse().ok());
            Self::StartedEvent(at)
        } else {
            Self::Event
        }
    }
}

/// What the executor printed as its last line, validated: an object with a `status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutorResult {
    /// A word of contract 2.1; an unknown word is kept and counts as a failure.
    pub status: String,
    pub exit_code: i64,
    /// The whole result as printed.
    pub raw: Value,
    /// The line as printed, when it had to be repaired for a strict JSON parser (`NaN`, lone surrogates; W31).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
}

impl ExecutorResult {
    /// Reads the text after the prefix of a result line.
    ///
    /// # Errors
    /// One sentence part that says what is wrong: no JSON, no object, another contract version, no status (W12).
    pub fn parse(text: &str) -> Result<Self, String> {
        let (raw, line) = match serde_json::from_str::<Value>(text) {
            Ok(raw) => (raw, None),
            Err(error) => {
                let repaired = repair::repair(text)
                    .and_then(|repaired| serde_json::from_str(&repaired).ok())
                    .ok_or_else(|| format!("it is not JSON ({error})"))?;
                (repaired, Some(text.to_owned()))
            }
        };
        let Some(object) = raw.as_object() else {
            return Err(format!("it is {} and not an object", kind(&raw)));
        };
        match object.get("contract_version") {
            None => {}
            Some(Value::String(version)) if version == "v1" => {}
            Some(version) => return Err(format!("its contract version is {version} and not v1")),
        }
        let status = match object.get("status").and_then(Value::as_str).map(str::trim) {
            Some(status) if !status.is_empty() => status.to_owned(),
            _ => return Err("it has no status".to_owned()),
        };
        let exit_code = object
            .get("exit_code")
            .and_then(Value::as_i64)
            .unwrap_or(i64::from(status != "success"));
        Ok(Self {
            status,
            exit_code,
            raw,
            line,
        })
    }

    /// The status is `success`; what it puts out may still break the output contract.
    pub fn is_success(&self) -> bool {
        self.status == "success"
    }

    /// Code and message of the error object.
    pub fn error(&self) -> Option<(&str, &str)> {
        let error = self.raw.get("error")?.as_object()?;
        let text = |key| error.get(key).and_then(Value::as_str).unwrap_or_default();
        Some((text("code"), text("message")))
    }

    /// A command and not a node ran, so that no node output is due (contract 5.8).
    pub fn is_command(&self) -> bool {
        self.metadata("execution_mode") == Some(&Value::from("command"))
    }

    /// The payload itself switched the start markers off.
    pub fn is_silent(&self) -> bool {
        self.metadata("emit_start_markers") == Some(&Value::from(false))
    }

    /// How long the work took, in seconds, as the executor measured it.
    pub fn duration_seconds(&self) -> Option<f64> {
        self.raw.pointer("/metrics/duration_seconds")?.as_f64()
    }

    /// Bytes of its captured streams: nearly all that a large result holds.
    pub fn weight(&self) -> usize {
        let stream = |key| {
            self.raw
                .get(key)
                .and_then(Value::as_str)
                .map_or(0, str::len)
        };
        stream("stdout") + stream("stderr") + self.line.as_ref().map_or(0, String::len)
    }

    /// Keeps only the ends of the captured streams; the line as printed is in the log.
    pub fn slim(&mut self) {
        self.line = None;
        for key in ["stdout", "stderr"] {
            if let Some(Value::String(text)) = self.raw.get_mut(key)
                && text.len() > STREAM_KEPT
            {
                let cut = (text.len() - STREAM_KEPT..text.len())
                    .find(|at| text.is_char_boundary(*at))
                    .unwrap_or(text.len());
                *text = format!("[{cut} bytes are in the log only]\n{}", &text[cut..]);
            }
        }
    }

    fn metadata(&self, key: &str) -> Option<&Value> {
        self.raw.get("provider_metadata")?.get(key)
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The start marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// When the line was written: by the cluster's log clock, failing that by the marker itself.
    pub at: Option<Timestamp>,
}

/// Reads a log line by line for what the contract says of it (contract 5.7).
///
/// The last result line *that can be used* counts. The Python reader lets a later broken line erase a good result (W12); here it is
/// noted and the good one stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reader {
    started: Option<Started>,
    result: Option<ExecutorResult>,
    malformed: Option<String>,
}

impl Reader {
    /// Takes one line, written at `at`. Says whether something was learnt.
    pub fn take(&mut self, text: &str, at: Option<Timestamp>) -> bool {
        match Line::of(text) {
            Line::Output | Line::Event => false,
            Line::Started => self.start(at),
            Line::StartedEvent(own) => self.start(at.or(own)),
            Line::Result(json) => {
                match ExecutorResult::parse(json) {
                    Ok(result) => self.result = Some(result),
                    Err(reason) => self.malformed = Some(reason),
                }
                true
            }
        }
    }

    /// The first start marker, in either form.
    pub fn started(&self) -> Option<Started> {
        self.started
    }

    /// The last result that can be used.
    pub fn result(&self) -> Option<&ExecutorResult> {
        self.result.as_ref()
    }

    /// What was wrong with the last result line that cannot be used.
    pub fn malformed(&self) -> Option<&str> {
        self.malformed.as_deref()
    }

    fn start(&mut self, at: Option<Timestamp>) -> bool {
        match &mut self.started {
            Some(Started { at: known }) if known.is_none() && at.is_some() => *known = at,
            Some(_) => return false,
            None => self.started = Some(Started { at }),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &str) -> Reader {
        let mut reader = Reader::default();
        for line in log.lines() {
            reader.take(line, None);
        }
        reader
    }

    /// Every pod log of the fixture: same findings as the Python reader, but for W12.
    #[test]
    fn logs_are_read_as_by_the_python_reader_but_for_its_flaws() {
        let fixture: Value =
            serde_json::from_str(include_str!("../../tests/it/fixtures/executor-output.json"))
                .unwrap();
        let cases = fixture["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 28);
        for case in cases {
            let name = case["name"].as_str().unwrap();
            let reader = read(case["log"].as_str().unwrap());
            let python = &case["python"];
            assert_eq!(
                python["startup_seen"],
                reader.started().is_some(),
                "{name}: start marker"
            );
            let status = reader.result().map(|result| result.status.as_str());
            match name {
                // The good result stays; that the last line is broken is noted.
                "later_bad_result_erases_earlier" => {
                    assert_eq!(status, Some("success"));
                    assert!(reader.malformed().unwrap().starts_with("it is not JSON"));
                }
                // Not a success by silence.
                "result_without_status" => {
                    assert_eq!(status, None);
                    assert_eq!(reader.malformed(), Some("it has no status"));
                }
                "result_is_json_array" => {
                    assert_eq!(status, None);
                    assert_eq!(reader.malformed(), Some("it is an array and not an object"));
                }
                _ => {
                    assert_eq!(python["result_status"].as_str(), status, "{name}");
                    assert_eq!(reader.malformed(), None, "{name}");
                }
            }
            let kept = reader.result().and_then(|result| result.line.as_ref());
            let repaired = ["result_contains_nan", "result_contains_lone_surrogate"];
            assert_eq!(kept.is_some(), repaired.contains(&name), "{name}");
        }
    }

    #[test]
    fn the_sample_log_tells_start_and_result() {
        let reader = read(include_str!("../../tests/it/fixtures/sample-pod.log"));
        // The literal has no time; the event that follows has.
        assert_eq!(
            reader.started().unwrap().at,
            Some("2026-02-17T20:15:04.1198Z".parse().unwrap())
        );
        let result = reader.result().unwrap();
        assert!(result.is_success() && !result.is_command());
        assert_eq!(result.duration_seconds(), Some(1.36));
        assert_eq!(result.error(), None);
    }

    #[test]
    fn the_clock_of_the_log_goes_before_the_marker_s_own() {
        let at = "2026-02-17T20:00:00.5Z".parse().unwrap();
        let mut reader = Reader::default();
        assert!(reader.take(STARTED, Some(at)));
        assert!(!reader.take(STARTED, None), "said already");
        assert_eq!(reader.started(), Some(Started { at: Some(at) }));
    }

    #[test]
    fn a_slim_result_keeps_the_ends_of_its_streams() {
        let text = format!(
            r#"{{"status": "success", "stdout": "{}end", "stderr": "short"}}"#,
            "ä".repeat(9000)
        );
        let mut result = ExecutorResult::parse(&text).unwrap();
        assert_eq!(result.weight(), 18_000 + 3 + 5);
        result.slim();
        let stdout = result.raw["stdout"].as_str().unwrap();
        assert!(
            stdout.starts_with("[13908 bytes are in the log only]\nä") && stdout.ends_with("äend"),
            "{stdout}"
        );
        assert_eq!(result.raw["stderr"], "short");
        assert!(result.weight() < 4200);
    }

    #[test]
    fn a_result_of_another_version_is_not_one_of_ours() {
        let error = ExecutorResult::parse(r#"{"contract_version": "v2", "status": "success"}"#);
        assert_eq!(
            error,
            Err("its contract version is \"v2\" and not v1".to_owned())
        );
        let plain = ExecutorResult::parse(r#"{"status": "failed"}"#).unwrap();
        assert_eq!(plain.exit_code, 1);
    }
}
