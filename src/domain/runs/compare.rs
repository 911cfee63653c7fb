//! Two runs side by side: what they were given, how long their steps took, what came out, and how their logs differ.

pub mod logs;

use super::{Run, Step};
use crate::domain::settings::key::Key;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Values of a result that are compared.
const VALUES: usize = 300;

/// One fact of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub name: String,
    /// Empty when the run has none.
    pub left: String,
    pub right: String,
}

impl Row {
    /// Both have the same.
    pub fn is_same(&self) -> bool {
        self.left == self.right
    }
}

/// Facts of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    pub name: &'static str,
    pub rows: Vec<Row>,
}

/// Compares everything but the logs.
pub fn sections(left: &Run, right: &Run, now: Timestamp) -> Vec<Section> {
    let both = |name: &str, of: &dyn Fn(&Run) -> String| Row {
        name: name.to_owned(),
        left: of(left),
        right: of(right),
    };
    let given = vec![
        both("sample", &|run| run.sample.clone().unwrap_or_default()),
        both("node", &|run| {
            run.node_id.map_or_else(String::new, |id| id.to_string())
        }),
        both("namespace", &|run| run.namespace.clone()),
        both("image", &|run| run.image.clone()),
        both("image id", &|run| {
            run.pod
                .as_ref()
                .map_or_else(String::new, |pod| pod.image_id.clone())
        }),
        both("TTL", &|run| {
            run.ttl
                .map_or_else(String::new, |ttl| format!("{} s", ttl.0))
        }),
    ];
    let timings = [
        ("queued", Step::Queued),
        ("pulling", Step::Pulling),
        ("starting", Step::Starting),
        ("running", Step::Running),
        ("collecting", Step::Collecting),
    ];
    let mut times: Vec<Row> = timings
        .iter()
        .map(|(name, step)| both(name, &|run| seconds(run, *step, now)))
        .filter(|row| !(row.left.is_empty() && row.right.is_empty()))
        .collect();
    times.push(both("took", &|run| {
        run.took(now)
            .map_or_else(String::new, |took| format!("{:.2} s", took.as_secs_f64()))
    }));
    let outcome = vec![
        both("verdict", &|run| run.verdict.words()),
        both("uncertain", &|run| {
            if run.uncertain { "yes" } else { "no" }.to_owned()
        }),
        both("reason", &|run| run.reason.word.clone()),
        both("exit code", &|run| {
            let exit = run.pod.as_ref().and_then(|pod| pod.exit);
            exit.map_or_else(String::new, |code| code.to_string())
        }),
        both("lines of log", &|run| run.log.total().to_string()),
    ];
    let mut sections = vec![
        Section {
            name: "given",
            rows: given,
        },
        Section {
            name: "settings",
            rows: settings(left, right),
        },
        Section {
            name: "times",
            rows: times,
        },
        Section {
            name: "outcome",
            rows: outcome,
        },
        // Paths of the document that the executor printed; those that are the same are many and say nothing.
        Section {
            name: "result, where it differs",
            rows: values(left, right),
        },
    ];
    sections.retain(|section| !section.rows.is_empty());
    sections
}

/// The settings that each was made with, those that differ first; what stands above already is left out.
fn settings(left: &Run, right: &Run) -> Vec<Row> {
    let value = |run: &Run, key: &str| {
        run.settings
            .as_ref()
            .and_then(|used| used.get(key))
            .map_or_else(String::new, |value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
    };
    let keys: BTreeSet<&String> = [left, right]
        .into_iter()
        .filter_map(|run| run.settings.as_ref())
        .flat_map(Map::keys)
        .filter(|key| *key != Key::K8sNamespace.name())
        .collect();
    let mut rows: Vec<Row> = keys
        .into_iter()
        .map(|key| Row {
            name: key.trim_start_matches("k8s_").to_owned(),
            left: value(left, key),
            right: value(right, key),
        })
        .collect();
    rows.sort_by_key(Row::is_same);
    rows
}

fn seconds(run: &Run, step: Step, now: Timestamp) -> String {
    let total: f64 = run
        .timeline
        .iter()
        .filter(|stretch| stretch.step == step)
        .map(|stretch| {
            stretch
                .to
                .unwrap_or(now)
                .duration_since(stretch.from)
                .as_secs_f64()
        })
        .sum();
    if total > 0.0 {
        format!("{total:.2} s")
    } else {
        String::new()
    }
}

/// The values of both results that differ, by their paths; what differs in every run (moments, durations, names of the run) is left out.
fn values(left: &Run, right: &Run) -> Vec<Row> {
    let flat = |run: &Run| {
        let mut all = BTreeMap::new();
        if let Some(result) = &run.executor {
            flatten("", &result.raw, &mut all);
        }
        all
    };
    let (left, right) = (flat(left), flat(right));
    let mut paths: Vec<&String> = left.keys().chain(right.keys()).collect();
    paths.sort();
    paths.dedup();
    let value =
        |all: &BTreeMap<String, String>, path: &String| all.get(path).cloned().unwrap_or_default();
    paths
        .into_iter()
        .filter(|path| !differs_always(path))
        .map(|path| Row {
            name: path.clone(),
            left: value(&left, path),
            right: value(&right, path),
        })
        .filter(|row| !row.is_same())
        .take(VALUES)
        .collect()
}

fn differs_always(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    path.starts_with("metrics.")
        || ["_at", "_id", "_seconds", "_ms"]
            .iter()
            .any(|end| last.ends_with(end))
        || matches!(last, "stdout" | "stderr" | "ts" | "cwd" | "pid")
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let inside = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&inside(key), value, into);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                flatten(&inside(&n.to_string()), value, into);
            }
        }
        Value::String(text) => drop(into.insert(path.to_owned(), text.clone())),
        other => drop(into.insert(path.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runs::{RunId, Ttl};
    use crate::domain::verdict::Verdict;

    #[test]
    fn facts_stand_side_by_side() {
        let at = Timestamp::UNIX_EPOCH;
        let mut left = Run::new(RunId("a".into()), "j", "n", at);
        left.ttl = Some(Ttl(60));
        let mut right = Run::new(RunId("b".into()), "k", "n", at);
        right.ttl = Some(Ttl(1800));
        right.verdict = Verdict::Failed;
        let sections = sections(&left, &right, at);
        let find = |name: &str| {
            let row = sections
                .iter()
                .flat_map(|s| &s.rows)
                .find(|row| row.name == name);
            row.map(|row| (row.left.as_str(), row.right.as_str()))
                .unwrap()
        };
        assert_eq!(find("TTL"), ("60 s", "1800 s"));
        assert_eq!(find("verdict"), ("pending", "failed"));
        assert_eq!(find("namespace"), ("n", "n"));
    }
}
