//! Which objects a patch is for: regular expressions over identity, and label selectors.

use super::resource::Resource;
use super::spec::{Loaded, Target};
use crate::domain::overlays::Problem;
use regex::Regex;
use serde_json::Value;

/// A target, ready to match.
pub(super) struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

#[derive(Debug, PartialEq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    pub(super) fn new(loaded: &Loaded, target: &Target) -> Result<Self, Problem> {
        let regex = |text: &Option<String>| match text.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => Regex::new(&format!("^(?:{text})$")).map(Some).map_err(|_| {
                loaded.problem(
                    format!("`{text}` in a patch target is not a regular expression"),
                    "correct it; a plain name needs no special characters",
                )
            }),
        };
        let labels = |text: &Option<String>| {
            requirements(text.as_deref().unwrap_or_default()).ok_or_else(|| {
                loaded.problem(
                    format!(
                        "`{}` is not a label selector",
                        text.as_deref().unwrap_or_default()
                    ),
                    "write it like `app=studio,tier!=cache`",
                )
            })
        };
        Ok(Self {
            group: regex(&target.group)?,
            version: regex(&target.version)?,
            kind: regex(&target.kind)?,
            name: regex(&target.name)?,
            namespace: regex(&target.namespace)?,
            labels: labels(&target.label_selector)?,
            annotations: labels(&target.annotation_selector)?,
        })
    }

    pub(super) fn matches(&self, resource: &Resource) -> bool {
        let (now, first) = (resource.id(), resource.first_id());
        let fits = |regex: &Option<Regex>, texts: &[&str]| {
            regex
                .as_ref()
                .is_none_or(|regex| texts.iter().any(|text| regex.is_match(text)))
        };
        fits(&self.namespace, &[&first.namespace, &now.namespace])
            && fits(&self.name, &[&first.name, &now.name])
            && fits(&self.group, &[&now.group])
            && fits(&self.version, &[&now.version])
            && fits(&self.kind, &[&now.kind])
            && self
                .labels
                .iter()
                .all(|one| one.holds(resource.value.pointer("/metadata/labels")))
            && self
                .annotations
                .iter()
                .all(|one| one.holds(resource.value.pointer("/metadata/annotations")))
    }
}

impl Requirement {
    fn holds(&self, map: Option<&Value>) -> bool {
        let value = |key: &str| map.and_then(|map| map.get(key)).map(text);
        match self {
            Self::In(key, values) => value(key).is_some_and(|v| values.contains(&v)),
            Self::NotIn(key, values) => value(key).is_none_or(|v| !values.contains(&v)),
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// `a=b,c!=d,e,!f,g in (x,y),h notin (z)`.
fn requirements(selector: &str) -> Option<Vec<Requirement>> {
    let mut found = Vec::new();
    let mut rest = selector.trim();
    while !rest.is_empty() {
        let end = split_at(rest);
        let one = rest[..end].trim();
        rest = rest[end..].strip_prefix(',').unwrap_or("").trim();
        found.push(requirement(one)?);
    }
    Some(found)
}

/// End of the first requirement: the first comma outside parentheses.
fn split_at(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn requirement(text: &str) -> Option<Requirement> {
    let key = |text: &str| {
        let text = text.trim();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        (!text.is_empty() && text.chars().all(fits)).then(|| text.to_owned())
    };
    if let Some((left, right)) = text.split_once("!=") {
        return Some(Requirement::NotIn(key(left)?, vec![right.trim().into()]));
    }
    if let Some((left, right)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Requirement::In(key(left)?, vec![right.trim().into()]));
    }
    if let Some((left, right)) = text.split_once(" notin ") {
        return Some(Requirement::NotIn(key(left)?, list(right)?));
    }
    if let Some((left, right)) = text.split_once(" in ") {
        return Some(Requirement::In(key(left)?, list(right)?));
    }
    if let Some(absent) = text.strip_prefix('!') {
        return key(absent).map(Requirement::Absent);
    }
    key(text).map(Requirement::Exists)
}

fn list(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some(inner.split(',').map(|one| one.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_hold_for_the_right_labels() {
        let labels = json!({"app": "studio", "tier": "web", "llmctl.dev/x": "1"});
        for (selector, holds) in [
            ("", true),
            ("app=studio", true),
            ("app==studio,tier!=cache", true),
            ("app=other", false),
            ("app in (a, studio),tier", true),
            ("app notin (studio)", false),
            ("!gone,llmctl.dev/x=1", true),
            ("!app", false),
        ] {
            let all = requirements(selector).unwrap();
            assert_eq!(
                all.iter().all(|one| one.holds(Some(&labels))),
                holds,
                "{selector}"
            );
        }
        for wrong in ["a b", "=x", "a in x", "!"] {
            assert_eq!(requirements(wrong), None, "{wrong}");
        }
    }
}
