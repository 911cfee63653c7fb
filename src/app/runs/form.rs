//! The fields of a node's request as a form (contract 5.8): every field of its type, required ones first.

use super::super::Turn;
use super::super::action::Action;
use super::super::notices::Notice;
use super::super::text::Field;
use super::editor::taken;
use super::{Around, Slice};
use crate::domain::nodes::{NodeType, Shape};
use crate::domain::payload::check::problems;
use crate::domain::payload::own;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use tui_input::InputRequest;

/// The row that the node points to. As the two below it is a field of the request and not of the type's configuration.
const REFERENCE: &str = "node_ref_id";
/// What came in from the nodes before; conditions of a decision are paths into it.
const CONTEXT: &str = "input_context";
/// The MCP servers that the node may use.
const SERVERS: &str = "mcp_server_keys";

/// A node's fields, as typed and as a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The node type.
    pub kind: &'static str,
    /// What such a node needs beside its fields.
    pub needs: &'static str,
    pub rows: Vec<Row>,
    /// The row with the cursor.
    pub at: usize,
    /// Rules that are broken by something that is no row.
    pub problems: Vec<String>,
    document: Value,
    typed: bool,
    /// It was said that what was typed goes.
    warned: bool,
}

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: &'static str,
    pub required: bool,
    pub value: Field,
    /// The rule that the value breaks.
    pub problem: Option<String>,
    /// What it wants, in words.
    pub rule: String,
    shape: Shape,
}

impl Row {
    fn new(name: &'static str, shape: Shape, required: bool, rule: String, value: &Value) -> Self {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Self {
            name,
            required,
            value: Field::with(&text),
            problem: None,
            rule,
            shape,
        }
    }

    /// What is typed, as JSON; none where nothing is.
    fn read(&self) -> Result<Option<Value>, String> {
        let text = self.value.text();
        let word = text.trim();
        if word.is_empty() {
            return Ok(None);
        }
        // What does not fit its shape stays text, whose rule is then broken.
        Ok(Some(match self.shape {
            Shape::Text => json!(text),
            Shape::Choice(_) => json!(word),
            Shape::Whole(..) => word
                .parse::<u64>()
                .map_or_else(|_| json!(word), |number| json!(number)),
            Shape::Flag => word
                .parse::<bool>()
                .map_or_else(|_| json!(word), |flag| json!(flag)),
            Shape::Object | Shape::List => {
                serde_json::from_str(word).map_err(|_| format!("is no JSON; {}", self.rule))?
            }
        }))
    }

    /// The words that it may hold; none when it is typed.
    fn words(&self) -> Vec<&'static str> {
        let mut words = match self.shape {
            Shape::Choice(words) => words.to_vec(),
            Shape::Flag => vec!["true", "false"],
            _ => return Vec::new(),
        };
        if !self.required && !words.contains(&"") {
            words.push("");
        }
        words
    }

    fn turn(&mut self) -> bool {
        let words = self.words();
        let at = words.iter().position(|word| *word == self.value.text());
        let next = at.map_or(0, |at| at + 1) % words.len().max(1);
        let found = words.get(next);
        if let Some(word) = found {
            self.value = Field::with(word);
        }
        found.is_some()
    }
}

impl Form {
    /// The form of a payload; none when it is no node of a known type.
    pub fn of(document: Value) -> Option<Self> {
        let request = document.pointer("/node_execution/request")?;
        let kind = NodeType::of_name(request.get("node_type")?.as_str()?)?;
        let config = &request["node_config"];
        let mut rows = Vec::new();
        if let Some(reference) = kind.reference {
            let rule = format!("must be a {} from 1 on", reference.what);
            let shape = Shape::Whole(1, u64::MAX);
            let value = &request[REFERENCE];
            rows.push(Row::new(REFERENCE, shape, reference.required, rule, value));
        }
        rows.extend(kind.fields.iter().map(|field| {
            let value = &config[field.name];
            let rule = field.shape.rule();
            Row::new(field.name, field.shape, field.required, rule, value)
        }));
        rows.extend(
            [(CONTEXT, Shape::Object), (SERVERS, Shape::List)].map(|(name, shape)| {
                let value = Some(&request[name]).filter(|value| !is_empty(value));
                let rule = match shape {
                    Shape::List => "must be a list of texts".to_owned(),
                    shape => shape.rule(),
                };
                Row::new(name, shape, false, rule, value.unwrap_or(&Value::Null))
            }),
        );
        let mut form = Self {
            kind: kind.name,
            needs: kind.needs,
            rows,
            at: 0,
            problems: Vec::new(),
            document,
            typed: false,
            warned: false,
        };
        form.check();
        Some(form)
    }

    /// Nothing is wrong.
    pub fn is_in_order(&self) -> bool {
        self.problems.is_empty() && self.rows.iter().all(|row| row.problem.is_none())
    }

    /// Takes one editing key.
    pub fn edit(&mut self, request: &InputRequest) {
        if let Some(row) = self.rows.get_mut(self.at) {
            let before = row.value.text().to_owned();
            row.value.edit(request);
            self.typed |= row.value.text() != before;
            self.warned = false;
            self.check();
        }
    }

    fn go(&mut self, by: isize) {
        let rows = self.rows.len().max(1);
        self.at = (self.at + rows).saturating_add_signed(by) % rows;
    }

    fn turn(&mut self) {
        if self.rows.get_mut(self.at).is_some_and(Row::turn) {
            self.typed = true;
            self.check();
        }
    }

    /// Writes what is typed into the payload, and finds what is wrong with it.
    fn check(&mut self) {
        self.problems.clear();
        let Some(request) = self.document.pointer_mut("/node_execution/request") else {
            return;
        };
        for row in &mut self.rows {
            match row.read() {
                Ok(value) => {
                    row.problem = None;
                    put(request, row.name, value);
                }
                Err(why) => row.problem = Some(why),
            }
        }
        for problem in problems(&self.document) {
            let field = problem
                .field
                .rsplit_once("node_config.")
                .map_or(&*problem.field, |(_, name)| name);
            let name = field.split(['.', '[']).next_back().unwrap_or(field);
            let first = field.split(['.', '[']).next().unwrap_or(field);
            let row = self
                .rows
                .iter_mut()
                .find(|row| row.name == first || row.name == name);
            match row {
                Some(row) if row.problem.is_none() => row.problem = Some(problem.rule),
                Some(_) => {}
                None => self.problems.push(problem.to_string()),
            }
        }
    }
}

/// An object or a list without anything in it, which stands for none.
fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

fn put(request: &mut Value, name: &str, value: Option<Value>) {
    let Some(fields) = request.as_object_mut() else {
        return;
    };
    let place = if [REFERENCE, CONTEXT, SERVERS].contains(&name) {
        Some(fields)
    } else {
        let config = fields
            .entry("node_config")
            .or_insert_with(|| Value::Object(Map::new()));
        config.as_object_mut()
    };
    let Some(place) = place else {
        return;
    };
    match value {
        Some(value) => place.insert(name.to_owned(), value),
        None => place.remove(name),
    };
}

impl Slice {
    /// Opens the form on the payload as it is chosen.
    pub(super) fn fill_form(&mut self, turn: &mut Turn) {
        let Some(sample) = self.offered(self.dialog.sample) else {
            return;
        };
        let document = match &self.dialog.written {
            Some(written) => written.clone(),
            None => own::of_sample(&sample),
        };
        let form = Form::of(document);
        match form {
            None => turn.notice(Notice::info(format!(
                "{} runs no node that has fields; e edits its payload",
                sample.name
            ))),
            form => self.dialog.form = form,
        }
    }

    /// Takes one action in the form.
    pub(super) fn act_form(&mut self, action: Action, around: &Around, turn: &mut Turn) {
        let Some(form) = &mut self.dialog.form else {
            return;
        };
        match action {
            Action::Down | Action::FocusNext => form.go(1),
            Action::Up | Action::FocusPrevious => form.go(-1),
            Action::NextChoice => form.turn(),
            Action::TakePayload => self.take_form(around, turn),
            Action::Dismiss if form.typed && !form.warned => {
                form.warned = true;
                turn.notice(Notice::warning(
                    "what you typed is not taken yet: enter takes it, esc once more drops it",
                ));
            }
            Action::Dismiss => self.dialog.form = None,
            _ => {}
        }
    }

    fn take_form(&mut self, around: &Around, turn: &mut Turn) {
        let sample = self
            .offered(self.dialog.sample)
            .map(Cow::into_owned)
            .unwrap_or_default();
        let Some(form) = &mut self.dialog.form else {
            return;
        };
        if !form.is_in_order() {
            let wrong = form.rows.iter().position(|row| row.problem.is_some());
            form.at = wrong.unwrap_or(form.at);
            return turn.notice(Notice::warning(
                "not taken: a field is not in order, its rule stands below",
            ));
        }
        match taken(&sample, &form.document) {
            Ok(own) => {
                self.dialog.written = Some(form.document.clone());
                self.dialog.own = Some(own);
                self.dialog.form = None;
                self.check_dialog(around);
            }
            Err(problems) => form.problems = problems,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::nodes::TYPES;

    fn form(kind: &str) -> Form {
        let sample = NodeType::of_name(kind).unwrap().sample();
        Form::of(own::of_sample(&sample)).unwrap()
    }

    fn write(form: &mut Form, name: &str, text: &str) {
        form.at = form.rows.iter().position(|row| row.name == name).unwrap();
        form.rows[form.at].value = Field::with(text);
        form.check();
    }

    #[test]
    fn every_type_has_its_fields_and_the_required_ones_are_needed() {
        for kind in TYPES {
            let form = form(kind.name);
            let names: Vec<&str> = form.rows.iter().map(|row| row.name).collect();
            for field in kind.fields {
                assert!(names.contains(&field.name), "{} {}", kind.name, field.name);
            }
            assert_eq!(names.contains(&REFERENCE), kind.reference.is_some());
            let required: Vec<&'static str> = form
                .rows
                .iter()
                .filter(|row| row.required)
                .map(|row| row.name)
                .collect();
            for name in required {
                let mut without = form.clone();
                write(&mut without, name, " ");
                let row = without.rows.iter().find(|row| row.name == name).unwrap();
                assert!(row.problem.is_some(), "{} {name}", kind.name);
                assert!(!without.is_in_order());
            }
        }
    }

    #[test]
    fn what_is_typed_is_read_by_its_shape() {
        let mut plan = form("plan");
        assert!(plan.is_in_order(), "{plan:?}");
        write(&mut plan, "retry_count", "3");
        write(&mut plan, "fallback_enabled", "false");
        write(&mut plan, "patch", r#"{"a": 1}"#);
        write(&mut plan, REFERENCE, "7");
        assert!(plan.is_in_order(), "{plan:?}");
        let request = &plan.document["node_execution"]["request"];
        assert_eq!(request["node_ref_id"], 7);
        let config = &request["node_config"];
        assert_eq!(config["retry_count"], 3);
        assert_eq!(config["fallback_enabled"], false);
        assert_eq!(config["patch"], json!({"a": 1}));
        for (name, text) in [
            ("retry_count", "6"),
            ("retry_count", "many"),
            ("fallback_enabled", "perhaps"),
            ("patch", "{"),
            ("patch", "[]"),
            ("mode", "guided"),
            (REFERENCE, "0"),
        ] {
            let mut wrong = plan.clone();
            write(&mut wrong, name, text);
            let row = &wrong.rows[wrong.at];
            assert!(row.problem.is_some(), "{name} {text}");
        }
        write(&mut plan, "patch", "");
        let config = &plan.document["node_execution"]["request"]["node_config"];
        assert_eq!(config.get("patch"), None);
    }

    #[test]
    fn what_comes_in_and_the_servers_are_fields_of_every_node() {
        for kind in TYPES {
            let mut form = form(kind.name);
            write(&mut form, CONTEXT, r#"{"order": {"total": 7}}"#);
            write(&mut form, SERVERS, r#"["llmctl-mcp"]"#);
            let rows = form.rows.iter().rev().take(2);
            assert!(rows.clone().all(|row| row.problem.is_none()), "{form:?}");
            let own = taken(&NodeType::sample(kind), &form.document);
            let document = match own {
                Ok(own) => own.shown(),
                // Something else of its type is missing still.
                Err(_) => form.document.clone(),
            };
            let request = &document["node_execution"]["request"];
            assert_eq!(
                request[CONTEXT],
                json!({"order": {"total": 7}}),
                "{document:#}"
            );
            assert_eq!(request[SERVERS], json!(["llmctl-mcp"]), "{document:#}");
            for (name, text) in [
                (CONTEXT, "[]"),
                (SERVERS, "{}"),
                (SERVERS, "[1]"),
                (CONTEXT, "{"),
            ] {
                let mut wrong = form.clone();
                write(&mut wrong, name, text);
                assert!(wrong.rows[wrong.at].problem.is_some(), "{name} {text}");
            }
            write(&mut form, CONTEXT, "");
            let request = &form.document["node_execution"]["request"];
            assert_eq!(request.get(CONTEXT), None);
        }
    }

    #[test]
    fn words_are_chosen_in_turn() {
        let mut plan = form("plan");
        plan.at = plan.rows.iter().position(|row| row.name == "mode").unwrap();
        let mut seen = Vec::new();
        for _ in 0..3 {
            plan.turn();
            seen.push(plan.rows[plan.at].value.text().to_owned());
            assert!(plan.is_in_order());
        }
        assert_eq!(seen, ["llm_guided", "deterministic", "llm_guided"]);
    }

    #[test]
    fn rules_between_fields_stand_at_the_field_that_they_ask_for() {
        let mut rag = form("rag");
        write(&mut rag, "mode", "query");
        let row = rag
            .rows
            .iter()
            .find(|row| row.name == "question_prompt")
            .unwrap();
        assert!(row.problem.is_some(), "{rag:?}");
        let task = form("agent_task");
        assert!(task.rows[0].problem.is_some(), "{task:?}");
        let decision = form("decision");
        assert!(decision.rows[0].problem.is_some(), "{decision:?}");
    }
}
