//! Whether a Job has succeeded or failed, and the conditions that say so.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::count::Count;
use crate::sandbox::clock::Clock;

/// How a Job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) success: bool,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Verdict {
    /// The verdict that is due: one that was announced before stands.
    pub(super) fn of(job: &Value, status: &Value, count: &Count, clock: &Clock) -> Option<Self> {
        if let Some(announced) = Self::announced_before(status) {
            return Some(announced);
        }
        let spec = &job["spec"];
        let number = |field: &str| spec[field].as_u64().and_then(|n| usize::try_from(n).ok());
        let limit = number("backoffLimit").unwrap_or(6);
        let restarts = usize::try_from(count.restarts).unwrap_or(0);
        let restarted_too_often = spec["template"]["spec"]["restartPolicy"] == "OnFailure"
            && if limit == 0 {
                restarts > 0
            } else {
                restarts >= limit
            };
        if (!count.new_failed.is_empty() && count.failed() > limit) || restarted_too_often {
            return Some(Self::failure(
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            ));
        }
        if spec["suspend"] != true && is_late(spec, status, clock) {
            return Some(Self::failure(
                "DeadlineExceeded",
                "Job was active longer than specified deadline",
            ));
        }
        let complete = match number("completions") {
            Some(completions) => count.succeeded() >= completions && spec["suspend"] != true,
            None => count.succeeded() > 0 && count.active.is_empty(),
        };
        complete.then(|| Self {
            success: true,
            reason: "CompletionsReached".to_owned(),
            message: "Reached expected number of succeeded pods".to_owned(),
        })
    }

    fn failure(reason: &str, message: &str) -> Self {
        Self {
            success: false,
            reason: reason.to_owned(),
            message: message.to_owned(),
        }
    }

    fn announced_before(status: &Value) -> Option<Self> {
        let (success, found) = [(true, "SuccessCriteriaMet"), (false, "FailureTarget")]
            .into_iter()
            .find_map(|(success, name)| Some((success, true_condition(status, name)?)))?;
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        Some(Self {
            success,
            reason: text("reason"),
            message: text("message"),
        })
    }

    /// The status's conditions with the first step's.
    pub(super) fn announced(&self, status: &Value, now: &str) -> Value {
        let name = if self.success {
            "SuccessCriteriaMet"
        } else {
            "FailureTarget"
        };
        if has_condition(status, name) {
            return status["conditions"].clone();
        }
        replaced(
            status,
            condition(name, "True", &self.reason, &self.message, now),
        )
    }

    /// The status's conditions with the last step's.
    pub(super) fn done(&self, status: &Value, now: &str) -> Value {
        let name = if self.success { "Complete" } else { "Failed" };
        replaced(
            status,
            condition(name, "True", &self.reason, &self.message, now),
        )
    }
}

/// When a Job ended, for one that has: its completion, or its failure.
pub(crate) fn finished_at(status: &Value) -> Option<Timestamp> {
    let end = true_condition(status, "Complete").or_else(|| true_condition(status, "Failed"))?;
    end["lastTransitionTime"].as_str()?.parse().ok()
}

pub(super) fn condition(name: &str, status: &str, reason: &str, message: &str, now: &str) -> Value {
    json!({
        "type": name, "status": status, "reason": reason, "message": message,
        "lastProbeTime": now, "lastTransitionTime": now,
    })
}

/// Whether the condition is there and true.
pub(super) fn has_condition(status: &Value, name: &str) -> bool {
    true_condition(status, name).is_some()
}

/// The conditions with this one in the place of its predecessor, or at the end.
pub(super) fn replaced(status: &Value, condition: Value) -> Value {
    let mut all = status["conditions"].as_array().cloned().unwrap_or_default();
    match all.iter_mut().find(|one| one["type"] == condition["type"]) {
        Some(old) => *old = condition,
        None => all.push(condition),
    }
    Value::Array(all)
}

fn true_condition<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    status["conditions"]
        .as_array()?
        .iter()
        .find(|one| one["type"] == name && one["status"] == "True")
}

fn is_late(spec: &Value, status: &Value, clock: &Clock) -> bool {
    let Some(seconds) = spec["activeDeadlineSeconds"].as_i64() else {
        return false;
    };
    let start: Option<Timestamp> = status["startTime"]
        .as_str()
        .and_then(|time| time.parse().ok());
    start
        .and_then(|start| start.checked_add(SignedDuration::from_secs(seconds)).ok())
        .is_some_and(|due| clock.now() >= due)
}
