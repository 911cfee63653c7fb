//! Rules of what keeps pods by a selector, and of selectors.

use serde_json::Value;

use super::{each, immutable, not_negative, pods, text};
use crate::sandbox::kinds::Kind;
use crate::sandbox::status::Cause;

pub(super) fn check(kind: Kind, object: &Value) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes: Vec<Cause> = [
        "replicas",
        "minReadySeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
    ]
    .into_iter()
    .filter_map(|field| not_negative(spec, "spec", field))
    .collect();
    let empty = |part: &Value| {
        part.as_object().is_none_or(serde_json::Map::is_empty)
            && part.as_array().is_none_or(Vec::is_empty)
    };
    let selector = &spec["selector"];
    if selector.is_null() {
        causes.push(Cause::required("spec.selector", ""));
    } else if empty(&selector["matchLabels"]) && empty(&selector["matchExpressions"]) {
        let why = format!(
            "empty selector is invalid for {}",
            kind.name().to_lowercase()
        );
        causes.push(Cause::invalid("spec.selector", selector, why));
    }
    let labels = &spec["template"]["metadata"]["labels"];
    if selector.is_null() || !selects(selector, labels) {
        causes.push(does_not_match(labels));
    }
    if kind == Kind::Deployment
        && !matches!(
            text(&spec["strategy"]["type"]),
            "Recreate" | "RollingUpdate"
        )
    {
        causes.push(Cause::unsupported(
            "spec.strategy",
            &spec["strategy"],
            &["Recreate", "RollingUpdate"],
        ));
    }
    if spec["strategy"]["type"] == "Recreate" && !spec["strategy"]["rollingUpdate"].is_null() {
        causes.push(Cause::forbidden(
            "spec.strategy.rollingUpdate",
            "may not be specified when strategy `type` is 'Recreate'",
        ));
    }
    causes.extend(pods::check_template(&spec["template"], "spec.template"));
    let policy = &spec["template"]["spec"]["restartPolicy"];
    if !matches!(text(policy), "" | "Always") {
        let path = "spec.template.spec.restartPolicy";
        causes.retain(|cause| cause.field != path);
        causes.push(Cause::unsupported(path, policy, &["Always"]));
    }
    causes
}

pub(super) fn check_change(old: &Value, new: &Value) -> Vec<Cause> {
    immutable(&old["spec"], &new["spec"], "spec", "selector")
        .into_iter()
        .collect()
}

/// The labels of the template are not those that the selector looks for.
pub(super) fn does_not_match(labels: &Value) -> Cause {
    Cause::invalid(
        "spec.template.metadata.labels",
        labels,
        "`selector` does not match template `labels`",
    )
}

/// Whether a label selector means an object with these labels.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let has = |key: &str| labels.get(key).and_then(Value::as_str);
    let equal = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(key, value)| has(key) == value.as_str());
    equal
        && each(&selector["matchExpressions"]).all(|(_, one)| {
            let found = has(text(&one["key"]));
            let listed =
                each(&one["values"]).any(|(_, value)| value.as_str() == found && found.is_some());
            match text(&one["operator"]) {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => false,
            }
        })
}
