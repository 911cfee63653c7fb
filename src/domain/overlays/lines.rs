//! A plan as lines to read, the same for the terminal UI and the command line.

use super::plan::{Change, ChangeKind, FieldChange, Plan};
use serde_json::Value;

/// What a line is; it decides glyph and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Create,
    Update,
    Conflict,
    Prune,
    Failed,
    /// Path of a field that differs.
    Field,
    /// What the cluster has.
    Before,
    /// What it would have.
    After,
    /// A remark on the object above or on the whole plan.
    Note,
}

impl Mark {
    /// The glyph; ASCII but for the minus sign of what goes, which must not look like [`Mark::Before`].
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Create | Self::After => "+",
            Self::Update => "~",
            Self::Conflict => "!",
            Self::Prune => "−",
            Self::Failed => "✗",
            Self::Before => "-",
            Self::Field | Self::Note => " ",
        }
    }

    /// Columns before the glyph.
    pub fn indent(self) -> usize {
        match self {
            Self::Create | Self::Update | Self::Conflict | Self::Prune | Self::Failed => 0,
            Self::Field | Self::Note => 2,
            Self::Before | Self::After => 4,
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Index of the object in the plan; absent for remarks on the whole.
    pub change: Option<usize>,
    pub mark: Mark,
    /// May hold anything that a cluster or a file said.
    pub text: String,
}

/// The objects that are not the same, each with its fields; then remarks.
pub fn of(plan: &Plan) -> Vec<Line> {
    let mut lines = Vec::new();
    for (at, change) in plan.changes.iter().enumerate() {
        let mut add = |mark, text| {
            lines.push(Line {
                change: Some(at),
                mark,
                text,
            });
        };
        object(plan, change, &mut add);
    }
    for note in &plan.notes {
        lines.push(Line {
            change: None,
            mark: Mark::Note,
            text: note.clone(),
        });
    }
    lines
}

fn object(plan: &Plan, change: &Change, add: &mut impl FnMut(Mark, String)) {
    let name = match &change.object.namespace {
        // With one namespace the head of the plan says it.
        Some(namespace) if plan.namespaces.len() > 1 => format!("{} in {namespace}", change.object),
        _ => change.object.to_string(),
    };
    match &change.kind {
        ChangeKind::Same => {}
        ChangeKind::Create => add(Mark::Create, name),
        ChangeKind::Prunable { .. } => {
            add(
                Mark::Prune,
                format!("{name}  (not in the overlay any more)"),
            );
        }
        ChangeKind::Failed(why) => {
            add(Mark::Failed, name);
            add(Mark::Note, why.clone());
        }
        ChangeKind::Update => {
            add(Mark::Update, name);
            fields(&change.fields, add);
        }
        ChangeKind::Conflict(owners) => {
            for owner in owners {
                for field in &owner.fields {
                    let owner = &owner.owner;
                    add(
                        Mark::Conflict,
                        format!("{name}  conflict: {field} is owned by {owner}"),
                    );
                }
            }
            fields(&change.fields, add);
        }
    }
}

fn fields(fields: &[FieldChange], add: &mut impl FnMut(Mark, String)) {
    for field in fields {
        add(Mark::Field, field.path.clone());
        if let (Some(Value::String(before)), Some(Value::String(after))) =
            (&field.before, &field.after)
            && (before.contains('\n') || after.contains('\n'))
        {
            texts(before, after, add);
            continue;
        }
        if let Some(before) = &field.before {
            whole(Mark::Before, before, add);
        }
        if let Some(after) = &field.after {
            whole(Mark::After, after, add);
        }
    }
}

fn whole(mark: Mark, value: &Value, add: &mut impl FnMut(Mark, String)) {
    match value {
        Value::String(text) if text.contains('\n') => {
            for line in text.lines() {
                add(mark, line.to_owned());
            }
        }
        value => add(mark, shown(value)),
    }
}

/// Long texts: only the lines between what both begin and end with.
fn texts(before: &str, after: &str, add: &mut impl FnMut(Mark, String)) {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let rest = a.len().min(b.len()) - head;
    let tail = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(rest)
        .take_while(|(x, y)| x == y)
        .count();
    if head == a.len() && head == b.len() {
        add(
            Mark::Note,
            "  only the line break at the end differs".into(),
        );
    }
    if head > 0 {
        add(Mark::Note, format!("  … {head} equal lines"));
    }
    for line in &a[head..a.len() - tail] {
        add(Mark::Before, (*line).to_owned());
    }
    for line in &b[head..b.len() - tail] {
        add(Mark::After, (*line).to_owned());
    }
    if tail > 0 {
        add(Mark::Note, format!("  … {tail} equal lines"));
    }
}

/// A value in one line. Text is bare unless that would read as something else.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let is_plain = !text.is_empty()
                && text.trim() == text
                && text.parse::<f64>().is_err()
                && !["true", "false", "null"].contains(&text.as_str());
            if is_plain {
                text.clone()
            } else {
                value.to_string()
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::objects::{ObjectRef, Objects};
    use super::super::plan::Ownership;
    use super::*;
    use serde_json::json;

    fn change(name: &str, kind: ChangeKind, fields: Vec<FieldChange>) -> Change {
        Change {
            object: ObjectRef {
                api_version: "v1".into(),
                kind: "ConfigMap".into(),
                namespace: Some("llmctl".into()),
                name: name.into(),
            },
            kind,
            fields,
        }
    }

    fn field(path: &str, before: Value, after: Value) -> FieldChange {
        let some = |v: Value| (!v.is_null()).then_some(v);
        FieldChange {
            path: path.into(),
            before: some(before),
            after: some(after),
        }
    }

    #[test]
    fn what_is_the_same_is_not_shown_and_all_else_is() {
        let plan = Plan {
            overlay: "minikube".into(),
            namespaces: vec!["llmctl".into()],
            changes: vec![
                change("new", ChangeKind::Create, vec![]),
                change("same", ChangeKind::Same, vec![]),
                change(
                    "changed",
                    ChangeKind::Update,
                    vec![
                        field("data.ttl", json!("1800"), json!("60")),
                        field("data.gone", json!("x"), Value::Null),
                        field("data.text", json!("a\nb\nc\n"), json!("a\nB\nB2\nc\n")),
                    ],
                ),
                change(
                    "held",
                    ChangeKind::Conflict(vec![Ownership {
                        owner: "kubectl-edit".into(),
                        fields: vec![".data.a".into()],
                    }]),
                    vec![field("data.a", json!(""), json!("x"))],
                ),
                change("bad", ChangeKind::Failed("no".into()), vec![]),
                change("old", ChangeKind::Prunable { uid: "u".into() }, vec![]),
            ],
            notes: vec!["a remark".into()],
            applied: true,
            objects: Objects::default(),
        };
        let text: Vec<String> = of(&plan)
            .iter()
            .map(|l| {
                format!(
                    "{:indent$}{} {}",
                    "",
                    l.mark.glyph(),
                    l.text,
                    indent = l.mark.indent()
                )
            })
            .collect();
        let wanted = [
            "+ ConfigMap/new",
            "~ ConfigMap/changed",
            "    data.ttl",
            "    - \"1800\"",
            "    + \"60\"",
            "    data.gone",
            "    - x",
            "    data.text",
            "      … 1 equal lines",
            "    - b",
            "    + B",
            "    + B2",
            "      … 1 equal lines",
            "! ConfigMap/held  conflict: .data.a is owned by kubectl-edit",
            "    data.a",
            "    - \"\"",
            "    + x",
            "✗ ConfigMap/bad",
            "    no",
            "− ConfigMap/old  (not in the overlay any more)",
            "    a remark",
        ];
        assert_eq!(text, wanted);
    }
}
