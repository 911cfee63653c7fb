//! What a Deployment and its ReplicaSets say about themselves, and how far a rollout may go.

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{HASH, REVISION};

/// How many more pods than wanted there may be, and how many fewer available ones.
pub(super) fn room(deployment: &Value) -> (u64, u64) {
    let wanted = replicas(deployment);
    let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
    let part = |value: &Value, up: bool| match value {
        Value::String(text) => {
            let percent = text
                .strip_suffix('%')
                .and_then(|digits| digits.parse::<u64>().ok())
                .unwrap_or(25);
            if up {
                (wanted * percent).div_ceil(100)
            } else {
                wanted * percent / 100
            }
        }
        Value::Null if up => wanted.div_ceil(4),
        Value::Null => wanted / 4,
        value => number(value),
    };
    match (
        part(&rolling["maxSurge"], true),
        part(&rolling["maxUnavailable"], false),
    ) {
        (0, 0) => (0, 1),
        room => room,
    }
}

pub(super) fn replicas(object: &Value) -> u64 {
    object["spec"]["replicas"].as_u64().unwrap_or(1)
}

/// How many pods of a set can be counted on: what it was scaled down to, its status may not say yet.
pub(super) fn available_of(set: &Value) -> u64 {
    number(&set["status"]["availableReplicas"]).min(replicas(set))
}

pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

pub(super) fn revision(set: &Value) -> u64 {
    set["metadata"]["annotations"][REVISION]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

pub(super) fn is_current(deployment: &Value, set: &Value) -> bool {
    set["metadata"]["labels"][HASH] == hash(&deployment["spec"]["template"]).as_str()
}

/// A short name for a template, in the letters that Kubernetes uses for it.
pub(super) fn hash(template: &Value) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digest = Sha1::digest(template.to_string());
    digest
        .iter()
        .take(10)
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}

pub(super) fn set_condition(
    status: &mut Value,
    name: &str,
    is: bool,
    reason: &str,
    message: &str,
    now: &str,
) {
    let mut all = status["conditions"].as_array().cloned().unwrap_or_default();
    let is = if is { "True" } else { "False" };
    let condition = json!({
        "type": name, "status": is, "reason": reason, "message": message, "lastUpdateTime": now, "lastTransitionTime": now,
    });
    match all.iter_mut().find(|one| one["type"] == name) {
        Some(old)
            if old["status"] == is && old["reason"] == reason && old["message"] == message => {}
        Some(old) => {
            let since = if old["status"] == is {
                old["lastTransitionTime"].clone()
            } else {
                now.into()
            };
            *old = condition;
            old["lastTransitionTime"] = since;
        }
        None => all.push(condition),
    }
    status["conditions"] = all.into();
}
