//! Who owns the fields that an apply was refused for.

use super::ByOwner;
use super::exchange::Answer;
use crate::domain::overlays::plan::Ownership;
use serde_json::Value;

/// The owners in the way; empty when the answer is something else.
pub(in crate::cluster) fn owners(answer: &Answer) -> Vec<Ownership> {
    if answer.code != 409 {
        return Vec::new();
    }
    let mut owners = ByOwner::new();
    let causes = answer
        .body
        .pointer("/details/causes")
        .and_then(Value::as_array);
    for cause in causes.into_iter().flatten() {
        let text = |field: &str| cause.get(field).and_then(Value::as_str).unwrap_or_default();
        if text("reason") == "FieldManagerConflict" {
            let fields = owners.entry(owner(text("message"))).or_default();
            fields.push(text("field").to_owned());
        }
    }
    owners
        .into_iter()
        .map(|(owner, fields)| Ownership { owner, fields })
        .collect()
}

/// `conflict with "kubectl-edit" using apps/v1` → `kubectl-edit`.
fn owner(message: &str) -> String {
    message
        .split('"')
        .nth(1)
        .unwrap_or("somebody else")
        .to_owned()
}

/// In one line, for a report.
pub(in crate::cluster) fn line(owners: &[Ownership]) -> String {
    let parts: Vec<String> = owners
        .iter()
        .map(|one| format!("{} owned by {}", one.fields.join(", "), one.owner))
        .collect();
    format!("conflict: {}", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn causes_are_grouped_by_owner() {
        let cause = |who: &str, field: &str| json!({"reason": "FieldManagerConflict", "message": format!("conflict with \"{who}\" using apps/v1"), "field": field});
        let answer = Answer {
            code: 409,
            body: json!({"details": {"causes": [
                cause("kubectl-edit", ".spec.replicas"), cause("hpa", ".spec.x"), cause("kubectl-edit", ".spec.paused"),
            ]}}),
        };
        let owners = owners(&answer);
        assert_eq!(
            line(&owners),
            "conflict: .spec.x owned by hpa; .spec.replicas, .spec.paused owned by kubectl-edit"
        );
        let other = Answer {
            code: 409,
            body: json!({"reason": "Conflict", "message": "being deleted"}),
        };
        assert!(super::owners(&other).is_empty());
    }
}
