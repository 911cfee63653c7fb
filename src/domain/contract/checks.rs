//! What a node must put out: every rule of the output, routing and special-node contracts by its name, held or broken (contract 5.7).

use super::ExecutorResult;
use serde_json::{Map, Value};

/// One rule and whether the result keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The field that the rule is about: `routing_state.no_match`.
    pub rule: &'static str,
    /// What the rule asks for: "a boolean".
    pub asks: &'static str,
    /// What is there instead.
    pub broken: Option<String>,
}

/// What a rule asks of a value.
#[derive(Clone, Copy)]
enum Asks {
    Object,
    Text,
    Boolean,
    Array,
    /// Texts without space around them.
    Connectors,
}

impl Asks {
    fn words(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Text => "a text that is not blank",
            Self::Boolean => "a boolean",
            Self::Array => "an array",
            Self::Connectors => "an array of texts without space around them",
        }
    }

    fn holds(self, value: &Value) -> bool {
        let text = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
        match self {
            Self::Object => value.is_object(),
            Self::Text => text(value),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Connectors => value.as_array().is_some_and(|ids| {
                ids.iter()
                    .all(|id| text(id) && id.as_str().is_some_and(|id| id.trim() == id))
            }),
        }
    }
}

type Rule = (&'static str, Asks);

/// Optional keys of `routing_state`.
const ROUTING: [Rule; 5] = [
    ("routing_state.route_key", Asks::Text),
    ("routing_state.terminate_run", Asks::Boolean),
    ("routing_state.matched_connector_ids", Asks::Array),
    ("routing_state.evaluations", Asks::Array),
    ("routing_state.no_match", Asks::Boolean),
];

/// Required keys of `output_state` of special nodes, beside `node_type`.
fn special(kind: &str) -> &'static [Rule] {
    match kind {
        "decision" => &[
            ("output_state.matched_connector_ids", Asks::Connectors),
            ("output_state.evaluations", Asks::Array),
            ("output_state.no_match", Asks::Boolean),
        ],
        "memory" | "milestone" => &[
            ("output_state.action", Asks::Text),
            ("output_state.action_results", Asks::Array),
        ],
        "plan" => &[
            ("output_state.mode", Asks::Text),
            ("output_state.store_mode", Asks::Text),
            ("output_state.action_results", Asks::Array),
        ],
        _ => &[],
    }
}

impl ExecutorResult {
    /// The output of a node: at the top of the result, failing that in its artifacts.
    pub fn state(&self, key: &str) -> Option<&Value> {
        self.raw
            .get(key)
            .or_else(|| self.raw.get("artifacts")?.get("node_execution")?.get(key))
    }

    /// The rules that apply to the result of a node that reports success; none for anything else, which owes no output. `asked` is
    /// the type of the node that was to run, where it is known: the output must be of that type.
    pub fn checks(&self, asked: Option<&str>) -> Vec<Check> {
        if !self.is_success() || self.is_command() {
            return Vec::new();
        }
        let mut checks = vec![
            check("output_state", Asks::Object, self.state("output_state")),
            check("routing_state", Asks::Object, self.state("routing_state")),
        ];
        let object = |key: &str| self.state(key).and_then(Value::as_object);
        let kind = object("output_state").map_or_else(String::new, |output| {
            let own = output.get("node_type");
            let mut kind = own
                .and_then(Value::as_str)
                .unwrap_or_default()
                .trim()
                .to_lowercase();
            checks.push(node_type(own, &kind, asked));
            if let Some(asked) = asked {
                asked.clone_into(&mut kind);
            }
            for (rule, asks) in special(&kind) {
                checks.push(check(rule, *asks, field(output, rule)));
            }
            kind
        });
        if let Some(routing) = object("routing_state") {
            for (rule, asks) in ROUTING {
                let connectors = kind == "decision" && rule.ends_with("connector_ids");
                let asks = if connectors { Asks::Connectors } else { asks };
                if let Some(value) = field(routing, rule) {
                    checks.push(check(rule, asks, Some(value)));
                }
            }
        }
        checks
    }
}

impl Check {
    /// The rule and what is there instead: `routing_state.no_match must be a boolean, it is 0`; none while it is kept.
    pub fn violation(&self) -> Option<String> {
        Some(format!("{} {}", self.rule, self.broken.as_ref()?))
    }
}

/// The type is compared in lower case, as Python does.
fn node_type(own: Option<&Value>, kind: &str, asked: Option<&str>) -> Check {
    let check = check("output_state.node_type", Asks::Text, own);
    let other = asked.filter(|asked| check.broken.is_none() && *asked != kind);
    match other {
        Some(asked) => Check {
            broken: Some(format!(
                "must be {asked}, which was to run, it is {}",
                own.map_or_else(String::new, short)
            )),
            ..check
        },
        None => check,
    }
}

fn field<'a>(state: &'a Map<String, Value>, rule: &str) -> Option<&'a Value> {
    state.get(rule.rsplit('.').next().unwrap_or(rule))
}

fn check(rule: &'static str, asks: Asks, value: Option<&Value>) -> Check {
    let broken = match value {
        None => Some(format!("is missing, it must be {}", asks.words())),
        Some(value) if asks.holds(value) => None,
        Some(value) => Some(format!("must be {}, it is {}", asks.words(), short(value))),
    };
    Check {
        rule,
        asks: asks.words(),
        broken,
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".into(),
        Value::Array(items) => match items.first() {
            Some(_) => format!("an array of {}", items.len()),
            None => "an empty array".into(),
        },
        Value::String(text) => {
            let cut: String = text.chars().take(40).collect();
            Value::from(cut).to_string()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn node(output: &Value, routing: &Value) -> ExecutorResult {
        let raw = json!({
            "status": "success", "output_state": output, "routing_state": routing,
            "provider_metadata": {"execution_mode": "node_execution"},
        });
        ExecutorResult::parse(&raw.to_string()).unwrap()
    }

    /// Every rule of contract 5.7, broken in each way by itself, and the results that keep them all.
    #[test]
    fn every_broken_rule_is_named() {
        let fixture: Value = serde_json::from_str(include_str!(
            "../../../tests/it/fixtures/output-contract.json"
        ))
        .unwrap();
        let mut seen = BTreeSet::new();
        for case in fixture["cases"].as_array().unwrap() {
            let result = node(&case["output_state"], &case["routing_state"]);
            let kind = case["node_type"].as_str().unwrap();
            let checks = result.checks(Some(kind));
            let broken: Vec<&str> = checks
                .iter()
                .filter(|check| check.broken.is_some())
                .map(|check| check.rule)
                .collect();
            assert_eq!(json!(broken), case["broken"], "{}", case["name"]);
            seen.extend(broken.into_iter().map(|rule| (kind.to_owned(), rule)));
        }
        let of = |kind: &'static str| special(kind).iter().map(move |(rule, _)| (kind, *rule));
        let both = ["output_state", "routing_state", "output_state.node_type"];
        let common = both.into_iter().chain(ROUTING.map(|(rule, _)| rule));
        let rules = ["decision", "memory", "milestone", "plan"]
            .into_iter()
            .flat_map(of)
            .chain(common.map(|rule| ("task", rule)))
            .chain([("decision", "routing_state.matched_connector_ids")]);
        for (kind, rule) in rules {
            assert!(seen.contains(&(kind.to_owned(), rule)), "{kind}: {rule}");
        }
    }

    #[test]
    fn a_violation_says_what_is_there_instead() {
        let result = node(&json!({"node_type": "plan", "mode": " "}), &json!([]));
        let violations: Vec<String> = result
            .checks(Some("plan"))
            .iter()
            .filter_map(Check::violation)
            .collect();
        assert_eq!(
            violations,
            [
                "routing_state must be an object, it is an empty array",
                "output_state.mode must be a text that is not blank, it is \" \"",
                "output_state.store_mode is missing, it must be a text that is not blank",
                "output_state.action_results is missing, it must be an array",
            ]
        );
    }

    #[test]
    fn a_command_owes_no_output() {
        let command =
            r#"{"status": "success", "provider_metadata": {"execution_mode": "command"}}"#;
        assert_eq!(ExecutorResult::parse(command).unwrap().checks(None), []);
    }

    #[test]
    fn the_fixtures_break_what_python_says_they_break() {
        let fixture: Value = serde_json::from_str(include_str!(
            "../../../tests/it/fixtures/executor-output.json"
        ))
        .unwrap();
        for case in fixture["special_node_outputs"].as_array().unwrap() {
            let result = node(&case["output_state"], &case["routing_state"]);
            let checks = result.checks(case["node_type"].as_str());
            let broken = checks.iter().any(|check| check.broken.is_some());
            assert_eq!(broken, case["python_error"].is_string(), "{}", case["name"]);
        }
    }
}
