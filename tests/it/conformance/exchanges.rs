//! Requests as they are, and what the server answers: the cases of `exchanges/*.yaml`.
//!
//! A case is a list of steps. `send` is method and path, `as` the form of the body (`json` when nothing is said), `body` a document or
//! `text` the body itself. Of an accepted request the fields that `show` points at are told, of a refused one everything. `keep`
//! puts fields into variables for later steps; `until` repeats the request until the fields at its pointers are as said; `$(x*300)` is so many `x`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http_body_util::BodyExt as _;
use kube::client::Body;
use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::place::{PATIENCE, Place};

/// Plays every case of a file, each in a namespace of its own, and tells what came of it.
pub(super) async fn told(place: &Place, file: &str) -> Vec<String> {
    let cases: Vec<Value> = serde_saphyr::from_str(file).unwrap();
    let mut lines = Vec::new();
    for case in &cases {
        lines.push(format!("=== {}", case["case"].as_str().unwrap()));
        let namespace = place.another().await;
        let mut exchange = Exchange::new(place, &namespace);
        for step in case["steps"].as_array().unwrap() {
            exchange.step(step).await;
        }
        lines.extend(exchange.lines);
    }
    lines
}

struct Exchange<'a> {
    place: &'a Place,
    namespace: &'a str,
    variables: BTreeMap<String, String>,
    lines: Vec<String>,
}

impl<'a> Exchange<'a> {
    fn new(place: &'a Place, namespace: &'a str) -> Self {
        let variables = [
            ("ns", namespace.to_owned()),
            ("core", format!("/api/v1/namespaces/{namespace}")),
            ("batch", format!("/apis/batch/v1/namespaces/{namespace}")),
            ("apps", format!("/apis/apps/v1/namespaces/{namespace}")),
        ];
        Self {
            place,
            namespace,
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            lines: Vec::new(),
        }
    }

    async fn step(&mut self, step: &Value) {
        let send = step["send"].as_str().unwrap();
        self.lines.push(send.to_owned());
        let (method, path) = send.split_once(' ').unwrap();
        let path = self.expanded(path);
        let ask = async {
            loop {
                let (code, answer) = self.answer(method, &path, step).await;
                let wanted = step["until"].as_object();
                let mut wanted = wanted.into_iter().flatten();
                if wanted.all(|(at, value)| answer.pointer(at) == Some(value)) {
                    return (code, answer);
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        let (code, answer) = tokio::time::timeout(PATIENCE, ask).await.expect(send);
        if answer["kind"] == "Status" {
            self.tell_status(code, answer.clone());
        } else {
            self.lines.push(format!("  {code}"));
            if let Value::String(text) = &answer {
                self.lines.push(format!("  {}", text.trim_end()));
            }
        }
        for pointer in list(&step["show"]) {
            let found = answer.pointer(pointer).cloned().unwrap_or_default();
            let found = plain(found, self.namespace);
            self.lines.push(format!("  {pointer} = {found}"));
        }
        for (name, pointer) in step["keep"].as_object().into_iter().flatten() {
            let found = answer.pointer(pointer.as_str().unwrap()).unwrap();
            let found = found
                .as_str()
                .map_or_else(|| found.to_string(), str::to_owned);
            self.variables.insert(name.clone(), found);
        }
    }

    fn tell_status(&mut self, code: u16, mut answer: Value) {
        // The real server tells the causes in the order in which its checks happen to run, some of them twice.
        if let Some(causes) = answer
            .pointer_mut("/details/causes")
            .and_then(Value::as_array_mut)
        {
            causes.sort_by_key(ToString::to_string);
            causes.dedup();
        }
        let answer = plain(answer, self.namespace);
        let text = |field: &str| answer[field].as_str().unwrap_or_default();
        self.lines.push(format!(
            "  {code} {} {}: {}",
            text("status"),
            text("reason"),
            text("message")
        ));
        if let Some(details) = answer.get("details") {
            self.lines.push(format!("  {details}"));
        }
    }

    async fn answer(&self, method: &str, path: &str, step: &Value) -> (u16, Value) {
        let body = match (&step["text"], &step["body"]) {
            (Value::String(text), _) => Some(self.expanded(text)),
            (_, Value::Null) => None,
            (_, document) => Some(self.filled(document).to_string()),
        };
        let mut request = http::Request::builder()
            .method(method)
            .uri(path.replace(' ', "%20"))
            .header("user-agent", "conformance/1")
            .header("accept", "application/json");
        if body.is_some() {
            request = request.header("content-type", media(step["as"].as_str()));
        }
        let request = request
            .body(Body::from(body.unwrap_or_default().into_bytes()))
            .unwrap();
        let response = self.place.client.send(request).await.unwrap();
        let code = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let answer = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        (code, answer)
    }

    /// Text with its variables and its repetitions.
    fn expanded(&self, text: &str) -> String {
        let repeated = Regex::new(r"\$\((.)\*(\d+)\)").unwrap();
        let text = repeated.replace_all(text, |found: &Captures<'_>| {
            found[1].repeat(found[2].parse().unwrap())
        });
        let variable = Regex::new(r"\$([a-z]+)").unwrap();
        variable
            .replace_all(&text, |found: &Captures<'_>| {
                self.variables
                    .get(&found[1])
                    .cloned()
                    .unwrap_or_else(|| found[0].to_owned())
            })
            .into_owned()
    }

    fn filled(&self, document: &Value) -> Value {
        strings(document.clone(), &|text| self.expanded(text))
    }
}

fn media(word: Option<&str>) -> &str {
    match word {
        None | Some("json") => "application/json",
        Some("yaml") => "application/yaml",
        Some("merge") => "application/merge-patch+json",
        Some("strategic") => "application/strategic-merge-patch+json",
        Some("patch") => "application/json-patch+json",
        Some("apply") => "application/apply-patch+yaml",
        Some(other) => other,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// A document with every text in it changed, keys too.
fn strings(document: Value, change: &impl Fn(&str) -> String) -> Value {
    match document {
        Value::String(text) => change(&text).into(),
        Value::Array(items) => items
            .into_iter()
            .map(|item| strings(item, change))
            .collect(),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| (change(&name), strings(value, change)))
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

/// What a run made by chance, and what no client reads, gets a name or goes: the same on both sides.
pub(super) fn plain(document: Value, namespace: &str) -> Value {
    let rules = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "$$uid"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "$$time"),
        (r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-$$made"),
        (r"(too old resource version: \d+) \(\d+\)", "$1 ($$version)"),
        (r"in record \(\d+\)", "in record ($$version)"),
        (r"current: \d+", "current: $$version"),
        // Whole objects in messages: the order of their fields is the server's own.
        (
            r#"Invalid value: "\{\\"apiVersion.*\}": "#,
            "Invalid value: $$object: ",
        ),
        // Parsers of YAML have their own words.
        (r"yaml: .*", "yaml: $$words"),
        // How the server's own structures differ.
        (r"(?s)\n@@ .*", ""),
    ];
    let rules = rules.map(|(pattern, with)| (Regex::new(pattern).unwrap(), with));
    strings(document, &|text| {
        let mut text = text.replace(namespace, "$ns");
        for (pattern, with) in &rules {
            text = pattern.replace_all(&text, *with).into_owned();
        }
        short(&text)
    })
}

/// Long repetitions as they are written in the cases.
fn short(text: &str) -> String {
    const LONG: usize = 60;
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let mut count = 1;
        while rest.next_if_eq(&c).is_some() {
            count += 1;
        }
        if count >= LONG {
            let _ = write!(out, "$({c}*{count})");
        } else {
            out.extend(std::iter::repeat_n(c, count));
        }
    }
    out
}
