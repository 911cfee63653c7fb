//! `field=value`: one change of a payload, as a command line says it.

use super::check::{FIELDS, Problem, REQUEST_FIELDS};
use crate::domain::nodes::{NodeType, Shape};
use serde_json::{Map, Value, json};

/// Fields of a payload whose value is text whatever it looks like.
const TEXTS: &[&str] = &["shell_command", "stdin", "cwd", "request_id"];

/// Changes `document` as `assignment` says. The path begins with a field of the payload, of a node's request, or of its type's
/// configuration (contract 5.2, 2.5, 5.8); a value is JSON where it can be read as such and text is not meant, else text.
///
/// # Errors
/// There is no such field, or no `=`.
pub fn set(document: &mut Value, assignment: &str) -> Result<(), Problem> {
    let Some((path, value)) = assignment.split_once('=') else {
        return Err(Problem::new(assignment, "is no field=value"));
    };
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let kind = document
        .pointer("/node_execution/request/node_type")
        .and_then(Value::as_str)
        .and_then(NodeType::of_name);
    let is_node = document.get("node_execution").is_some();
    if first == "env" {
        if rest.is_empty() {
            return Err(Problem::new("env", "needs a name: env.NAME=value"));
        }
        return put(document, &["env", rest], json!(value));
    }
    let mut steps: Vec<&str> = Vec::new();
    let mut text = TEXTS.contains(&first);
    // A node's own `provider` is meant, and not the payload's, which can only be one.
    if let Some(shape) = named(kind, first) {
        steps.extend(["node_execution", "request", "node_config", first]);
        text = rest.is_empty() && matches!(shape, Shape::Text | Shape::Choice(_));
    } else if FIELDS.contains(&first) {
        steps.push(first);
    } else if is_node && (REQUEST_FIELDS.contains(&first) || first == "ref_id") {
        let name = if first == "ref_id" {
            "node_ref_id"
        } else {
            first
        };
        steps.extend(["node_execution", "request", name]);
        text = named(kind, rest).is_some_and(|shape| shape == Shape::Text);
    } else {
        return Err(Problem::new(first, unknown(kind, is_node)));
    }
    steps.extend(rest.split('.').filter(|step| !step.is_empty()));
    let value = if text {
        json!(value)
    } else {
        serde_json::from_str(value).unwrap_or_else(|_| json!(value))
    };
    put(document, &steps, value)
}

/// Assignments on one line, parted by blanks outside of quotes, as a shell does it: `A=1 GREETING="good morning"`.
///
/// # Errors
/// A quote is open at the end.
pub fn words(line: &str) -> Result<Vec<String>, Problem> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if quote.is_some() {
        return Err(Problem::new("env", "a quote is not closed"));
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

fn named(kind: Option<&NodeType>, name: &str) -> Option<Shape> {
    let field = kind?.fields.iter().find(|field| field.name == name)?;
    Some(field.shape)
}

fn unknown(kind: Option<&NodeType>, is_node: bool) -> String {
    let mut names = vec!["env.NAME"];
    if let Some(kind) = kind {
        names.extend(kind.fields.iter().map(|field| field.name));
    }
    if is_node {
        names.extend(REQUEST_FIELDS);
    }
    names.extend(FIELDS.iter().filter(|name| **name != "env"));
    format!("is no field here; there are {}", names.join(", "))
}

fn put(document: &mut Value, steps: &[&str], value: Value) -> Result<(), Problem> {
    let mut place = document;
    for (at, step) in steps.iter().enumerate() {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Some(fields) = place.as_object_mut() else {
            return Err(Problem::new(
                steps[..at].join("."),
                "holds a value and no fields; set it as a whole, as JSON",
            ));
        };
        place = fields.entry(*step).or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_part_assignments_and_quotes_hold_them_together() {
        let parted = |line: &str| words(line).unwrap();
        assert_eq!(parted(""), [""; 0]);
        assert_eq!(parted("  A=1   B= "), ["A=1", "B="]);
        assert_eq!(
            parted("A=\"good morning\" B='a \"b\"'"),
            ["A=good morning", "B=a \"b\""]
        );
        assert!(words("A=\"open").is_err());
    }

    use crate::domain::payload::own::of_sample;

    fn node(name: &str) -> Value {
        of_sample(&NodeType::of_name(name).unwrap().sample())
    }

    #[test]
    fn a_field_finds_its_place() {
        let mut document = node("rag");
        for assignment in [
            "env.A.B=1=2",
            "mode=query",
            r#"collections=["a", "b"]"#,
            "question_prompt=7",
            "top_k=3",
            "ref_id=5",
            "input_context.kind=rag_quick_run",
            "node_config.more.deep=true",
            "metadata.note=x",
            "timeout_seconds=9",
            "stdin=12",
            "execution_id=111",
        ] {
            set(&mut document, assignment).unwrap();
        }
        assert_eq!(
            document,
            json!({
                "contract_version": "v1", "env": {"A.B": "1=2"}, "metadata": {"note": "x"}, "timeout_seconds": 9, "stdin": "12",
                "node_execution": {"request": {
                    "node_type": "rag", "node_id": 1, "node_ref_id": 5, "execution_id": 111,
                    "input_context": {"kind": "rag_quick_run"},
                    "node_config": {"mode": "query", "collections": ["a", "b"], "question_prompt": "7", "top_k": 3, "more": {"deep": true}},
                }},
            })
        );
    }

    #[test]
    fn what_is_no_field_is_told_with_those_there_are() {
        let mut document = node("task");
        for (assignment, says) in [
            ("task_promt=x", "task_prompt, agent_id, node_id"),
            ("nothing", "is no field=value"),
            ("env=x", "env.NAME=value"),
            ("contract_version.x=1", "holds a value"),
        ] {
            let problem = set(&mut document, assignment).unwrap_err();
            assert!(problem.to_string().contains(says), "{problem}");
        }
        let mut command = json!({"contract_version": "v1", "command": ["true"]});
        let problem = set(&mut command, "task_prompt=x").unwrap_err();
        assert!(!problem.to_string().contains("node_id"), "{problem}");
    }
}
