//! Sets of field paths, as `managedFields` writes them.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

/// One step into a document. Keys and values hold their JSON text, which makes them comparable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A field of an object.
    Field(String),
    /// The item of a keyed list that has these key fields.
    Key(String),
    /// The item of a set that is this value.
    Item(String),
    /// The item at a position; only read, never made here.
    Index(String),
}

/// From the root of a document to a place in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Step>);

/// A set of places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(BTreeSet<Path>);

impl Step {
    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let rest = rest.to_owned();
        match kind {
            "f" => Some(Self::Field(rest)),
            "k" => Some(Self::Key(rest)),
            "v" => Some(Self::Item(rest)),
            "i" => Some(Self::Index(rest)),
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(key) => format!("k:{key}"),
            Self::Item(value) => format!("v:{value}"),
            Self::Index(at) => format!("i:{at}"),
        }
    }
}

/// As conflicts print it: `.spec.containers[name="a"].image`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(value) => write!(f, "[={value}]")?,
                Step::Index(at) => write!(f, "[{at}]")?,
                Step::Key(key) => {
                    let fields: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
                    let pairs: Vec<String> = fields
                        .iter()
                        .map(|(name, value)| format!("{name}={value}"))
                        .collect();
                    write!(f, "[{}]", pairs.join(","))?;
                }
            }
        }
        Ok(())
    }
}

impl Path {
    /// The path of nested fields.
    pub fn of(fields: &[&str]) -> Self {
        Self(
            fields
                .iter()
                .map(|name| Step::Field((*name).to_owned()))
                .collect(),
        )
    }

    /// One step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Its steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether it leads to `start` or to something inside.
    pub fn starts_with(&self, start: &Self) -> bool {
        self.0.starts_with(&start.0)
    }
}

impl Fields {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn insert(&mut self, path: Path) {
        self.0.insert(path);
    }

    pub fn contains(&self, path: &Path) -> bool {
        self.0.contains(path)
    }

    /// Whether some place is inside `path`, or is `path`.
    pub fn reaches(&self, path: &Path) -> bool {
        self.0
            .range(path.clone()..)
            .next()
            .is_some_and(|next| next.starts_with(path))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter()
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The places for which `keep` says yes.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&Path) -> bool) -> Self {
        Self(self.0.iter().filter(|path| keep(path)).cloned().collect())
    }

    /// Reads the `fieldsV1` form; what is not of that form is left out.
    pub fn from_v1(document: &Value) -> Self {
        let mut fields = Self::default();
        fields.read(document, &Path::default());
        fields
    }

    fn read(&mut self, document: &Value, at: &Path) {
        let Some(children) = document.as_object() else {
            return;
        };
        if (children.is_empty() && !at.0.is_empty()) || children.contains_key(".") {
            self.insert(at.clone());
        }
        for (text, child) in children {
            if let Some(step) = Step::parse(text) {
                self.read(child, &at.then(step));
            }
        }
    }

    /// Writes the `fieldsV1` form.
    pub fn to_v1(&self) -> Value {
        let mut root = Map::new();
        for path in &self.0 {
            mark(&mut root, &path.0);
        }
        let mut document = Value::Object(root);
        collapse(&mut document);
        document
    }
}

impl FromIterator<Path> for Fields {
    fn from_iter<I: IntoIterator<Item = Path>>(paths: I) -> Self {
        Self(paths.into_iter().collect())
    }
}

fn mark(at: &mut Map<String, Value>, steps: &[Step]) {
    let Some((step, rest)) = steps.split_first() else {
        at.insert(".".to_owned(), Value::Object(Map::new()));
        return;
    };
    let next = at
        .entry(step.text())
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(next) = next {
        mark(next, rest);
    }
}

/// A place without places inside is written `{}` and not `{".": {}}`.
fn collapse(document: &mut Value) {
    if let Value::Object(children) = document {
        if children.len() == 1 && children.contains_key(".") {
            children.clear();
        }
        children.values_mut().for_each(collapse);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_form_of_managed_fields_comes_back() {
        let written = json!({
            "f:data": {".": {}, "f:a.b": {}},
            "f:metadata": {"f:finalizers": {"v:\"x\"": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}}}},
        });
        let fields = Fields::from_v1(&written);
        assert_eq!(fields.iter().count(), 5);
        assert_eq!(fields.to_v1(), written);
        let shown: Vec<String> = fields.iter().map(ToString::to_string).collect();
        assert!(shown.contains(&r#".spec.containers[name="c"].image"#.to_owned()));
        assert!(shown.contains(&r#".metadata.finalizers[="x"]"#.to_owned()));
        assert!(fields.reaches(&Path::of(&["spec"])));
        assert!(!fields.reaches(&Path::of(&["status"])));
    }
}
