//! The fields of a JSON document in the order in which they stand, with those that stand twice.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a parsed object no longer tells: its fields are sorted, and each is there once.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Outline {
    order: HashMap<String, usize>,
    doubled: Vec<(usize, String)>,
}

impl Outline {
    /// Reads a document; what is no JSON has an empty outline.
    pub(in crate::sandbox) fn of(text: &[u8]) -> Self {
        let mut outline = Self::default();
        if let Ok(root) = serde_json::from_slice::<Node>(text) {
            outline.walk(&root, String::new());
        }
        outline
    }

    /// The complaints of a strict reader, in the order of the document.
    pub(in crate::sandbox) fn complaints(&self, unknown: &[String]) -> Vec<String> {
        let place = |path: &String| self.order.get(path).copied().unwrap_or(usize::MAX);
        let mut all: Vec<(usize, String)> = unknown
            .iter()
            .map(|path| (place(path), format!("unknown field {path:?}")))
            .collect();
        let known = |path: &str| !unknown.iter().any(|other| other == path);
        all.extend(
            self.doubled
                .iter()
                .filter(|(_, path)| known(path))
                .map(|(at, path)| (*at, format!("duplicate field {path:?}"))),
        );
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, text)| text).collect()
    }

    fn walk(&mut self, node: &Node, at: String) {
        match node {
            Node::Object(fields) => {
                let mut seen = HashSet::new();
                for (name, child) in fields {
                    let below = if at.is_empty() {
                        name.clone()
                    } else {
                        format!("{at}.{name}")
                    };
                    let place = self.order.len() + self.doubled.len();
                    if seen.insert(name) {
                        self.order.entry(below.clone()).or_insert(place);
                    } else {
                        self.doubled.push((place, below.clone()));
                    }
                    self.walk(child, below);
                }
            }
            Node::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(item, format!("{at}[{index}]"));
                }
            }
            Node::Scalar => {}
        }
    }
}

enum Node {
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
    Scalar,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON document")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        // A list of plain values has nothing to tell.
        if all.iter().all(|item| matches!(item, Node::Scalar)) {
            return Ok(Node::Scalar);
        }
        Ok(Node::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = fields.next_key()? {
            all.push((name, fields.next_value()?));
        }
        Ok(Node::Object(all))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Node, D::Error> {
        IgnoredAny::deserialize(inner).map(|_| Node::Scalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_follow_the_document() {
        let text = br#"{"z":1,"metadata":{"name":"x","nam":"y"},"data":{"a":"1","a":"2"},"b":[{"c":1,"c":2}]}"#;
        let unknown = ["b", "metadata.nam", "z"].map(str::to_owned);
        assert_eq!(
            Outline::of(text).complaints(&unknown),
            [
                r#"unknown field "z""#,
                r#"unknown field "metadata.nam""#,
                r#"duplicate field "data.a""#,
                r#"unknown field "b""#,
                r#"duplicate field "b[0].c""#
            ]
        );
        assert!(Outline::of(b"{").complaints(&[]).is_empty());
    }
}
