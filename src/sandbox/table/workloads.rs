//! Rows of what runs pods.

use jiff::Timestamp;
use serde_json::Value;

use super::{count, each, human, joined, text};

pub(super) fn job(job: &Value, now: Timestamp, name: Value, age: Value) -> Vec<Value> {
    let (spec, status) = (&job["spec"], &job["status"]);
    let succeeded = count(&status["succeeded"]);
    let completions = match (spec["completions"].as_i64(), count(&spec["parallelism"])) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, many) if many > 1 => format!("{succeeded}/1 of {many}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let time = |field: &str| text(&status[field]).parse::<Timestamp>().ok();
    let duration = time("startTime").map(|start| {
        let end = time("completionTime").unwrap_or(now);
        human((end.as_second() - start.as_second()).max(0))
    });
    let mut row = vec![
        name,
        state(job).into(),
        completions.into(),
        duration.unwrap_or_default().into(),
        age,
    ];
    row.extend(pods_of(spec));
    row
}

fn state(job: &Value) -> &'static str {
    let has = |kind: &str| {
        each(&job["status"]["conditions"])
            .any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    if has("Complete") {
        "Complete"
    } else if has("Failed") {
        "Failed"
    } else if job["metadata"]["deletionTimestamp"].is_string() {
        "Terminating"
    } else if has("Suspended") {
        "Suspended"
    } else if has("FailureTarget") {
        "FailureTarget"
    } else if has("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

pub(super) fn deployment(deployment: &Value, name: Value, age: Value) -> Vec<Value> {
    let (spec, status) = (&deployment["spec"], &deployment["status"]);
    let ready = format!(
        "{}/{}",
        count(&status["readyReplicas"]),
        count(&spec["replicas"])
    );
    let mut row = vec![
        name,
        ready.into(),
        count(&status["updatedReplicas"]).into(),
        count(&status["availableReplicas"]).into(),
        age,
    ];
    row.extend(pods_of(spec));
    row
}

pub(super) fn replica_set(set: &Value, name: Value, age: Value) -> Vec<Value> {
    let (spec, status) = (&set["spec"], &set["status"]);
    let mut row = vec![
        name,
        count(&spec["replicas"]).into(),
        count(&status["replicas"]).into(),
        count(&status["readyReplicas"]).into(),
        age,
    ];
    row.extend(pods_of(spec));
    row
}

/// Containers, images and selector of a workload's pods.
fn pods_of(spec: &Value) -> [Value; 3] {
    let containers = &spec["template"]["spec"]["containers"];
    let of = |field: &str| joined(each(containers).map(|one| text(&one[field])), ",");
    [
        of("name").into(),
        of("image").into(),
        selector(&spec["selector"]).into(),
    ]
}

fn selector(selector: &Value) -> String {
    let labels = selector["matchLabels"].as_object();
    let mut parts: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", text(value)))
        .collect();
    for one in each(&selector["matchExpressions"]) {
        let key = text(&one["key"]);
        let values = joined(each(&one["values"]).map(text), ",");
        parts.push(match text(&one["operator"]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    if parts.is_empty() {
        "<none>".to_owned()
    } else {
        parts.join(",")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_in_the_states_of_its_life() {
        let now = "2026-11-24T08:01:30Z".parse().unwrap();
        let row = |status: Value| {
            let mut found = json!({
                "spec": {"completions": 1, "parallelism": 1, "selector": {"matchLabels": {"a": "b"}},
                    "template": {"spec": {"containers": [{"name": "c", "image": "i:1"}, {"name": "d", "image": "j"}]}}},
            });
            found["status"] = status;
            job(&found, now, "j".into(), "1m".into())
        };
        let shown = row(json!({"startTime": "2026-11-24T08:00:00Z"}));
        assert_eq!(
            shown,
            ["j", "Running", "0/1", "90s", "1m", "c,d", "i:1,j", "a=b"]
        );
        let done = json!({
            "succeeded": 1, "startTime": "2026-11-24T08:00:00Z", "completionTime": "2026-11-24T08:00:02Z",
            "conditions": [{"type": "Complete", "status": "True"}],
        });
        assert_eq!(row(done)[1..4], ["Complete", "1/1", "2s"]);
        assert_eq!(
            row(json!({"conditions": [{"type": "Failed", "status": "True"}]}))[1],
            "Failed"
        );
    }
}
