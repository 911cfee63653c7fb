//! The rules of a payload that a person wrote, all told at once (contract 5.2 and 5.3).
//!
//! An executor stops at the first problem and quietly changes what is out of range; here nothing is dispatched before all of it is in
//! order. What is absent is no problem where the dispatcher fills it in (contract 5.4).

use crate::domain::nodes::{NodeType, TYPES};
use serde::Serialize;
use serde_json::{Map, Value};

/// A rule that a field breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The path in the document, such as `env.TOKEN`; `payload` for the document itself.
    pub field: String,
    /// The rule. A value is not repeated: it may be a secret.
    pub rule: String,
}

impl Problem {
    /// A broken rule.
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            rule: rule.into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.rule)
    }
}

/// Fields of a payload.
pub const FIELDS: &[&str] = &[
    "contract_version",
    "result_contract_version",
    "provider",
    "request_id",
    "command",
    "shell_command",
    "node_execution",
    "cwd",
    "env",
    "stdin",
    "timeout_seconds",
    "capture_limit_bytes",
    "emit_start_markers",
    "metadata",
];

/// Fields of a node's request (contract 2.5).
pub const REQUEST_FIELDS: &[&str] = &[
    "node_id",
    "node_type",
    "node_ref_id",
    "node_config",
    "input_context",
    "execution_id",
    "execution_task_id",
    "execution_index",
    "enabled_providers",
    "default_model_id",
    "mcp_server_keys",
];

const WORK: [&str; 3] = ["command", "shell_command", "node_execution"];

/// What a node's entry point is when the payload names none; only that one is known to have the rules of contract 5.8.
const ENTRYPOINT: &str = "services.tasks:_execute_flowchart_node_request";

/// Every rule that a payload breaks; none means that it can be dispatched.
pub fn problems(document: &Value) -> Vec<Problem> {
    let Some(fields) = document.as_object() else {
        return vec![Problem::new("payload", "must be an object")];
    };
    let mut found = Found::default();
    known(fields, FIELDS, "", &mut found);
    versions(fields, &mut found);
    work(fields, &mut found);
    environment(fields, &mut found);
    let text = ["request_id", "cwd", "stdin"];
    for name in text {
        found.unless(fields, name, Value::is_string, "must be text");
    }
    found.unless(fields, "metadata", Value::is_object, "must be an object");
    found.whole(fields, "timeout_seconds", 1, 86_400);
    found.whole(fields, "capture_limit_bytes", 1024, 10_000_000);
    found.unless(
        fields,
        "emit_start_markers",
        Value::is_boolean,
        "must be true or false",
    );
    found.0
}

#[derive(Default)]
struct Found(Vec<Problem>);

impl Found {
    fn say(&mut self, field: impl Into<String>, rule: impl Into<String>) {
        self.0.push(Problem::new(field, rule));
    }

    /// A field that is there, and not null, holds what it must.
    fn unless(
        &mut self,
        fields: &Map<String, Value>,
        name: &str,
        holds: impl Fn(&Value) -> bool,
        rule: &str,
    ) {
        if given(fields, name).is_some_and(|value| !holds(value)) {
            self.say(name, rule);
        }
    }

    fn whole(&mut self, fields: &Map<String, Value>, name: &str, min: u64, max: u64) {
        let rule = format!("must be a whole number from {min} to {max}");
        let holds = |value: &Value| value.as_u64().is_some_and(|n| (min..=max).contains(&n));
        self.unless(fields, name, holds, &rule);
    }
}

/// A field that is there and not null.
fn given<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn known(fields: &Map<String, Value>, names: &[&str], below: &str, found: &mut Found) {
    for name in fields.keys().filter(|name| !names.contains(&name.as_str())) {
        found.say(
            format!("{below}{name}"),
            format!("is no field here; there are {}", names.join(", ")),
        );
    }
}

fn versions(fields: &Map<String, Value>, found: &mut Found) {
    if fields.get("contract_version").and_then(Value::as_str) != Some("v1") {
        found.say("contract_version", "must be exactly v1");
    }
    let is_v1 = |value: &Value| value == "v1";
    found.unless(
        fields,
        "result_contract_version",
        is_v1,
        "must be exactly v1",
    );
    // Other providers were taken out; Python's executor still accepts them (W33).
    let ours = |value: &Value| value == "kubernetes";
    found.unless(
        fields,
        "provider",
        ours,
        "must be kubernetes, the one provider there is",
    );
}

fn work(fields: &Map<String, Value>, found: &mut Found) {
    let there: Vec<&str> = WORK
        .into_iter()
        .filter(|name| given(fields, name).is_some())
        .collect();
    match there[..] {
        [] => found.say(
            "payload",
            "needs one of command, shell_command and node_execution",
        ),
        [_] => {}
        _ => {
            let rule = format!("has {}: only one of them would count", there.join(" and "));
            found.say("payload", rule);
        }
    }
    if let Some(command) = given(fields, "command") {
        let parts = command.as_array().filter(|parts| !parts.is_empty());
        match parts {
            None => found.say("command", "must be a list of texts with at least one part"),
            Some(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    if part.as_str().is_none_or(|part| part.trim().is_empty()) {
                        found.say(format!("command[{at}]"), "must be text, and not blank");
                    }
                }
            }
        }
    }
    let said = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    found.unless(fields, "shell_command", said, "must be text, and not blank");
    if let Some(node) = given(fields, "node_execution") {
        node_execution(node, found);
    }
}

fn node_execution(node: &Value, found: &mut Found) {
    let Some(fields) = node.as_object() else {
        return found.say("node_execution", "must be an object");
    };
    let below = "node_execution.";
    let names = ["entrypoint", "python_paths", "request", "request_context"];
    known(fields, &names, below, found);
    let entrypoint = given(fields, "entrypoint").map_or(Some(ENTRYPOINT), Value::as_str);
    let parts = entrypoint.and_then(|text| text.split_once(':'));
    if !parts.is_some_and(|(module, name)| !module.trim().is_empty() && !name.trim().is_empty()) {
        found.say(format!("{below}entrypoint"), "must be <module>:<callable>");
    }
    let texts = |value: &Value| {
        value
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_string))
    };
    if given(fields, "python_paths").is_some_and(|value| !texts(value)) {
        found.say(format!("{below}python_paths"), "must be a list of texts");
    }
    if given(fields, "request_context").is_some_and(|value| !value.is_object()) {
        found.say(format!("{below}request_context"), "must be an object");
    }
    match fields.get("request").and_then(Value::as_object) {
        None => found.say(format!("{below}request"), "must be an object"),
        Some(request) => node_request(request, entrypoint == Some(ENTRYPOINT), found),
    }
}

/// Paths below `node_execution.request` are told without it: it is the same for all of them.
fn node_request(request: &Map<String, Value>, known_entry: bool, found: &mut Found) {
    known(request, REQUEST_FIELDS, "", found);
    for name in ["node_id", "execution_id", "execution_index"] {
        found.whole(request, name, 1, u64::from(u32::MAX));
    }
    for name in ["node_ref_id", "execution_task_id", "default_model_id"] {
        found.whole(request, name, 0, u64::from(u32::MAX));
    }
    for name in ["node_config", "input_context"] {
        found.unless(request, name, Value::is_object, "must be an object");
    }
    let texts = |value: &Value| {
        value
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_string))
    };
    for name in ["enabled_providers", "mcp_server_keys"] {
        found.unless(request, name, texts, "must be a list of texts");
    }
    if !known_entry {
        return;
    }
    let named = request.get("node_type").and_then(Value::as_str);
    if let Some(kind) = named.and_then(NodeType::of_name) {
        found.0.extend(kind.problems(request));
    } else {
        let names: Vec<&str> = TYPES.iter().map(|kind| kind.name).collect();
        found.say("node_type", format!("must be one of {}", names.join(", ")));
    }
}

fn environment(fields: &Map<String, Value>, found: &mut Found) {
    let Some(env) = given(fields, "env") else {
        return;
    };
    let Some(env) = env.as_object() else {
        return found.say("env", "must be an object of names and values");
    };
    for (name, value) in env {
        let place = format!("env.{name}");
        if name.trim().is_empty() || name.contains(['=', '\0']) {
            found.say(
                place,
                "a name must not be blank and holds neither = nor NUL",
            );
        } else if !(value.is_string() || value.is_number() || value.is_boolean()) {
            found.say(place, "must be text, a number, true or false");
        } else if value.as_str().is_some_and(|text| text.contains('\0')) {
            found.say(place, "must not hold a NUL character");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_contracts_invalid_payloads_are_refused_before_dispatch_and_the_others_are_not() {
        let fixture: Value =
            serde_json::from_str(include_str!("../../../tests/it/fixtures/payloads.json")).unwrap();
        let invalid = fixture["invalid"].as_array().unwrap();
        assert_eq!(invalid.len(), 16);
        for case in invalid {
            assert!(!problems(&case["payload"]).is_empty(), "{}", case["name"]);
        }
        for case in fixture["command"].as_array().unwrap() {
            assert_eq!(problems(&case["payload"]), [], "{}", case["name"]);
        }
    }

    #[test]
    fn all_problems_are_told_at_once_and_no_value_is_repeated() {
        let document = json!({
            "contract_version": "v2", "provider": "docker", "command": ["echo", " "], "shell_command": "x",
            "env": {"TOKEN": ["s3cret"], "A=B": "x"}, "timeout_seconds": 0, "capture_limit_bytes": 10,
            "emit_start_markers": "s3cret", "metadata": [], "stdin": 3, "timout_seconds": 3,
        });
        let found = problems(&document);
        let fields: Vec<&str> = found.iter().map(|problem| problem.field.as_str()).collect();
        for field in [
            "contract_version",
            "provider",
            "payload",
            "command[1]",
            "env.TOKEN",
            "env.A=B",
            "timeout_seconds",
            "capture_limit_bytes",
            "emit_start_markers",
            "metadata",
            "stdin",
            "timout_seconds",
        ] {
            assert!(fields.contains(&field), "{fields:?} lacks {field}");
        }
        assert_eq!(fields.len(), 12, "{found:?}");
        let text: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(!text.join("\n").contains("s3cret"), "{text:?}");
    }

    #[test]
    fn w33_only_kubernetes_is_a_provider() {
        for provider in ["workspace", "docker", "Kubernetes", ""] {
            let document =
                json!({"contract_version": "v1", "provider": provider, "command": ["true"]});
            assert_eq!(problems(&document)[0].field, "provider", "{provider}");
        }
    }

    #[test]
    fn another_entry_point_has_rules_of_its_own() {
        let document = json!({"contract_version": "v1", "node_execution": {
            "entrypoint": "my.module:run", "request": {"node_type": "mine", "node_config": {}}}});
        assert_eq!(problems(&document), []);
    }
}
