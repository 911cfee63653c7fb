//! Field selectors: `metadata.name=x,status.phase!=Running`, on the fields that each kind offers.

use serde_json::Value;

use crate::sandbox::kinds::Kind;
use crate::sandbox::status::Status;

/// One condition on a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    /// The path in the stored object.
    path: &'static [&'static str],
    value: String,
    equal: bool,
}

/// A field's name in selectors, and its path in the object.
type Field = (&'static str, &'static [&'static str]);

impl Requirement {
    pub(super) fn holds(&self, object: &Value) -> bool {
        let found = self.path.iter().fold(object, |at, part| &at[*part]);
        let text = match found {
            Value::String(text) => text.clone(),
            // Absent booleans and numbers read as Go's zero.
            Value::Null if matches!(self.value.as_str(), "false" | "0") => self.value.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        (text == self.value) == self.equal
    }
}

pub(super) fn parse(kind: Kind, new_events: bool, text: &str) -> Result<Vec<Requirement>, Status> {
    text.split(',')
        .filter(|part| !part.trim().is_empty())
        .map(|part| one(kind, new_events, part))
        .collect()
}

fn one(kind: Kind, new_events: bool, part: &str) -> Result<Requirement, Status> {
    let (name, value, equal) = if let Some((name, value)) = part.split_once("!=") {
        (name, value, false)
    } else if let Some((name, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        (name, value, true)
    } else {
        return Err(Status::bad_request(format!(
            "invalid selector: '{part}'; can't understand '{part}'"
        )));
    };
    let fields = fields(kind, new_events);
    let Some((_, path)) = fields.iter().find(|(field, _)| *field == name.trim()) else {
        let only = r#"only "metadata.name", "metadata.namespace""#;
        return Err(Status::bad_request(match fields.len() {
            2 => format!("{name:?} is not a known field selector: {only}"),
            _ if kind == Kind::Job => format!("field label {name:?} not supported for Job"),
            _ => format!("field label not supported: {name}"),
        }));
    };
    Ok(Requirement {
        path,
        value: unescape(value),
        equal,
    })
}

/// `\,`, `\=` and `\\` stand for the sign itself.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut escaped = false;
    for c in value.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    out
}

fn fields(kind: Kind, new_events: bool) -> Vec<Field> {
    let mut fields: Vec<Field> = vec![
        ("metadata.name", &["metadata", "name"]),
        ("metadata.namespace", &["metadata", "namespace"]),
    ];
    let more: &[Field] = match kind {
        Kind::Pod => &[
            ("spec.nodeName", &["spec", "nodeName"]),
            ("spec.restartPolicy", &["spec", "restartPolicy"]),
            ("spec.schedulerName", &["spec", "schedulerName"]),
            ("spec.serviceAccountName", &["spec", "serviceAccountName"]),
            ("spec.hostNetwork", &["spec", "hostNetwork"]),
            ("status.phase", &["status", "phase"]),
            ("status.podIP", &["status", "podIP"]),
            ("status.nominatedNodeName", &["status", "nominatedNodeName"]),
        ],
        Kind::Event if new_events => &[
            ("reason", &["reason"]),
            ("regarding.kind", &["involvedObject", "kind"]),
            ("regarding.namespace", &["involvedObject", "namespace"]),
            ("regarding.name", &["involvedObject", "name"]),
            ("regarding.uid", &["involvedObject", "uid"]),
            ("regarding.apiVersion", &["involvedObject", "apiVersion"]),
            (
                "regarding.resourceVersion",
                &["involvedObject", "resourceVersion"],
            ),
            ("regarding.fieldPath", &["involvedObject", "fieldPath"]),
            ("reportingController", &["reportingComponent"]),
            ("type", &["type"]),
        ],
        Kind::Event => &[
            ("reason", &["reason"]),
            ("involvedObject.kind", &["involvedObject", "kind"]),
            ("involvedObject.namespace", &["involvedObject", "namespace"]),
            ("involvedObject.name", &["involvedObject", "name"]),
            ("involvedObject.uid", &["involvedObject", "uid"]),
            (
                "involvedObject.apiVersion",
                &["involvedObject", "apiVersion"],
            ),
            (
                "involvedObject.resourceVersion",
                &["involvedObject", "resourceVersion"],
            ),
            ("involvedObject.fieldPath", &["involvedObject", "fieldPath"]),
            ("reportingComponent", &["reportingComponent"]),
            ("source", &["source", "component"]),
            ("type", &["type"]),
        ],
        Kind::Job => &[("status.successful", &["status", "succeeded"])],
        Kind::Namespace => &[("status.phase", &["status", "phase"])],
        Kind::Node => &[("spec.unschedulable", &["spec", "unschedulable"])],
        Kind::ReplicaSet => &[("status.replicas", &["status", "replicas"])],
        Kind::Secret => &[("type", &["type"])],
        Kind::Service => &[
            ("spec.clusterIP", &["spec", "clusterIP"]),
            ("spec.type", &["spec", "type"]),
        ],
        _ => &[],
    };
    fields.extend_from_slice(more);
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_compared_as_text() {
        let pod = json!({"metadata": {"name": "p"}, "spec": {}, "status": {"phase": "Running"}});
        let table = [
            ("metadata.name=p", true),
            ("metadata.name!=p", false),
            ("status.phase==Running,spec.nodeName=", true),
            ("spec.hostNetwork=false", true),
            ("spec.hostNetwork=true", false),
        ];
        for (text, expected) in table {
            let all = parse(Kind::Pod, false, text).unwrap();
            assert_eq!(all.iter().all(|one| one.holds(&pod)), expected, "{text}");
        }
        let done = json!({"status": {"succeeded": 1}});
        assert!(parse(Kind::Job, false, "status.successful=1").unwrap()[0].holds(&done));
    }

    #[test]
    fn unknown_fields_are_refused() {
        let refused = parse(Kind::ConfigMap, false, "spec.x=1").unwrap_err();
        assert_eq!(
            refused.message,
            r#""spec.x" is not a known field selector: only "metadata.name", "metadata.namespace""#
        );
        assert_eq!(
            parse(Kind::Pod, false, "spec.x=1").unwrap_err().message,
            "field label not supported: spec.x"
        );
        assert!(parse(Kind::Pod, false, "spec").is_err());
    }
}
