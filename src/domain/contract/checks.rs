//! Every rule of the output contracts by its name, held or broken (contract 5.7). [`super::output`] says the first broken one in the
//! words of the Python side; here all are listed.

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

    /// The rules that apply to the result of a node that reports success; none for anything else, which owes no output.
    pub fn checks(&self) -> Vec<Check> {
        if !self.is_success() || self.is_command() {
            return Vec::new();
        }
        let mut checks = vec![
            check("output_state", Asks::Object, self.state("output_state")),
            check("routing_state", Asks::Object, self.state("routing_state")),
        ];
        let object = |key: &str| self.state(key).and_then(Value::as_object);
        let kind = object("output_state").map_or_else(String::new, |output| {
            let kind = output.get("node_type").and_then(Value::as_str);
            let kind = kind.unwrap_or_default().trim().to_lowercase();
            checks.push(check(
                "output_state.node_type",
                Asks::Text,
                output.get("node_type"),
            ));
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
    use proptest::prelude::*;
    use serde_json::json;

    fn node(output: &Value, routing: &Value) -> ExecutorResult {
        let raw = json!({
            "status": "success", "output_state": output, "routing_state": routing,
            "provider_metadata": {"execution_mode": "node_execution"},
        });
        ExecutorResult::parse(&raw.to_string()).unwrap()
    }

    fn broken(result: &ExecutorResult) -> Vec<&'static str> {
        let checks = result.checks().into_iter();
        checks
            .filter(|check| check.broken.is_some())
            .map(|check| check.rule)
            .collect()
    }

    #[test]
    fn every_broken_rule_is_named() {
        let result = node(
            &json!({"node_type": "plan", "mode": " ", "action_results": {}}),
            &json!({"route_key": "", "terminate_run": "no", "no_match": true}),
        );
        assert_eq!(
            broken(&result),
            [
                "output_state.mode",
                "output_state.store_mode",
                "output_state.action_results",
                "routing_state.route_key",
                "routing_state.terminate_run",
            ]
        );
        let store = &result.checks()[4];
        assert_eq!(
            store.broken.as_deref(),
            Some("is missing, it must be a text that is not blank")
        );
        let decision = node(
            &json!({"node_type": "decision", "matched_connector_ids": [" a"], "evaluations": [], "no_match": false}),
            &json!({"matched_connector_ids": ["a", ""]}),
        );
        assert_eq!(
            broken(&decision),
            [
                "output_state.matched_connector_ids",
                "routing_state.matched_connector_ids"
            ]
        );
        assert_eq!(
            broken(&node(&json!(null), &json!([]))),
            ["output_state", "routing_state"]
        );
    }

    #[test]
    fn the_fixtures_break_what_python_says_they_break() {
        let fixture: Value = serde_json::from_str(include_str!(
            "../../../tests/it/fixtures/executor-output.json"
        ))
        .unwrap();
        for case in fixture["special_node_outputs"].as_array().unwrap() {
            // A wrong type is compared with what the request asked for, which the result alone does not tell.
            if case["name"] == "decision_wrong_type" {
                continue;
            }
            let result = node(&case["output_state"], &case["routing_state"]);
            let expected = case["python_error"].is_string();
            assert_eq!(!broken(&result).is_empty(), expected, "{}", case["name"]);
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!(null)),
            Just(json!(true)),
            Just(json!(1)),
            Just(json!("")),
            Just(json!(" x ")),
            Just(json!("decision")),
            Just(json!("plan")),
            Just(json!("memory")),
            Just(json!([])),
            Just(json!(["a"])),
            Just(json!([" "])),
            Just(json!({})),
        ]
    }

    proptest! {
        /// The list and the sentence of the verdict are two readings of the same rules.
        #[test]
        fn a_rule_is_broken_exactly_when_the_verdict_says_so(
            output in prop::collection::btree_map("node_type|mode|store_mode|action|action_results|matched_connector_ids|evaluations|no_match", value(), 0..8),
            routing in prop::collection::btree_map("route_key|terminate_run|matched_connector_ids|evaluations|no_match", value(), 0..5),
        ) {
            let result = node(&json!(output), &json!(routing));
            prop_assert_eq!(
                result.output_problem().is_some(),
                !broken(&result).is_empty(),
                "{:?} {:?}", result.output_problem(), broken(&result)
            );
        }
    }
}
