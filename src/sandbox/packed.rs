//! Objects as few bytes: the form in which the store keeps them, a tenth of the document in memory.
//!
//! A value is a head byte, its length or number in the low bits or after it, and its content. The words that objects are made of
//! are numbers of a table, behind it the texts that a store learned from its objects; ids and times, which are many in every object, are
//! their bits; a text that was there before is its number.

mod lexicon;
mod reader;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

pub(super) use lexicon::Lexicon;
use lexicon::Words;
use reader::Reader;

/// An object, packed. Clones share the bytes.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    bytes: Arc<[u8]>,
    lexicon: Lexicon,
}

/// What a head's high three bits say; the low five are a number, or [`MORE`] with the rest of it behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// The number is one of the constants below.
    Special,
    /// A number that is not negative.
    Number,
    /// A negative number: its bits, turned over.
    Negative,
    /// A text of so many bytes.
    Text,
    /// A text of the table, or of the lexicon, whose numbers go on behind the table's.
    Word,
    /// A list of so many values.
    List,
    /// An object of so many fields, each a text or word and a value.
    Map,
    /// The text of this number in the order of the document's texts.
    Again,
}

const HEADS: [Head; 8] = [
    Head::Special,
    Head::Number,
    Head::Negative,
    Head::Text,
    Head::Word,
    Head::List,
    Head::Map,
    Head::Again,
];

const NULL: u64 = 0;
const FALSE: u64 = 1;
const TRUE: u64 = 2;
/// Eight bytes of a floating-point number.
const FLOAT: u64 = 3;
/// The sixteen bytes of an id such as `5b0e…-…`.
const ID: u64 = 4;
/// The four bytes of a time in whole seconds.
const TIME: u64 = 5;

const MORE: u8 = 31;

impl Packed {
    /// Packs a document with the words of a lexicon, which learns from it.
    pub(super) fn new(document: &Value, lexicon: &Lexicon) -> Self {
        let known = lexicon.words();
        let mut packer = Packer {
            out: Vec::with_capacity(2048),
            texts: HashMap::new(),
            words: &known,
        };
        packer.value(document);
        lexicon.meet(packer.texts.keys().copied());
        Self {
            bytes: packer.out.into(),
            lexicon: lexicon.clone(),
        }
    }

    /// The whole document.
    pub(super) fn unpack(&self) -> Value {
        Reader::new(&self.bytes, &self.lexicon.words()).value()
    }

    /// What is at a path of fields; null when there is nothing.
    pub(super) fn part(&self, path: &[&str]) -> Value {
        let known = self.lexicon.words();
        let mut reader = Reader::new(&self.bytes, &known);
        if path.iter().all(|field| reader.enter(field)) {
            reader.value()
        } else {
            Value::Null
        }
    }

    /// Writes the document as JSON, without its `apiVersion` and `kind`: as a list shows it.
    pub(super) fn write_bare(&self, out: &mut Vec<u8>) {
        Reader::new(&self.bytes, &self.lexicon.words()).write(out, &["apiVersion", "kind"]);
    }

    /// How many bytes it takes.
    #[cfg(test)]
    fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// A document on its way into bytes.
struct Packer<'a> {
    out: Vec<u8>,
    /// The texts that were written whole, with their numbers.
    texts: HashMap<&'a str, u64>,
    words: &'a Words,
}

impl<'a> Packer<'a> {
    fn value(&mut self, document: &'a Value) {
        let out = &mut self.out;
        match document {
            Value::Null => head(out, Head::Special, NULL),
            Value::Bool(false) => head(out, Head::Special, FALSE),
            Value::Bool(true) => head(out, Head::Special, TRUE),
            Value::Number(number) => {
                if let Some(number) = number.as_u64() {
                    head(out, Head::Number, number);
                } else if let Some(number) = number.as_i64() {
                    head(out, Head::Negative, (!number).cast_unsigned());
                } else {
                    head(out, Head::Special, FLOAT);
                    out.extend(number.as_f64().unwrap_or_default().to_le_bytes());
                }
            }
            Value::String(content) => self.text(content),
            Value::Array(items) => {
                head(out, Head::List, items.len() as u64);
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(fields) => {
                head(out, Head::Map, fields.len() as u64);
                for (name, content) in fields {
                    self.text(name);
                    self.value(content);
                }
            }
        }
    }

    fn text(&mut self, text: &'a str) {
        let out = &mut self.out;
        if let Some(number) = words::number(text) {
            head(out, Head::Word, number);
        } else if let Some(number) = self.words.number(text) {
            head(out, Head::Word, words::count() + number);
        } else if let Some(number) = self.texts.get(text) {
            head(out, Head::Again, *number);
        } else if let Some(id) = id(text) {
            head(out, Head::Special, ID);
            out.extend(id);
        } else if let Some(second) = time(text) {
            head(out, Head::Special, TIME);
            out.extend(second.to_le_bytes());
        } else {
            head(out, Head::Text, text.len() as u64);
            out.extend(text.as_bytes());
            let number = self.texts.len() as u64;
            self.texts.insert(text, number);
        }
    }
}

fn head(out: &mut Vec<u8>, head: Head, number: u64) {
    let kind = (head as u8) << 5;
    let small = u8::try_from(number).ok().filter(|small| *small < MORE);
    if let Some(small) = small {
        out.push(kind | small);
        return;
    }
    out.push(kind | MORE);
    let mut rest = number;
    loop {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// The bytes of a text that is an id in its plain form.
fn id(text: &str) -> Option<[u8; 16]> {
    let mut digits = text.as_bytes();
    if digits.len() != 36 {
        return None;
    }
    let mut id = [0; 16];
    for (index, byte) in id.iter_mut().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            digits = digits.strip_prefix(b"-")?;
        }
        let (pair, rest) = digits.split_at_checked(2)?;
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        digits = rest;
    }
    Some(id)
}

/// A digit as ids are written: in small letters.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// The seconds of a text that is a time in the form in which the server writes it.
fn time(text: &str) -> Option<u32> {
    if text.len() != 20 || !text.ends_with('Z') {
        return None;
    }
    let time: Timestamp = text.parse().ok()?;
    let second = u32::try_from(time.as_second()).ok()?;
    (time.to_string() == text).then_some(second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A pod that ran, as a real cluster's watch showed it.
    fn pod() -> Value {
        let watch = include_str!("../../tests/it/fixtures/observed/pods.watch.ndjson");
        let event: Value = serde_json::from_str(watch.lines().last().unwrap()).unwrap();
        event["object"].clone()
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA-F]{12}".prop_map(Value::from),
            "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z"
                .prop_map(Value::from),
            Just(json!("metadata")),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(
                    prop_oneof!["name", "kind", "apiVersion", "f:spec", ".*"],
                    inner,
                    0..40
                )
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(document in documents()) {
            let packed = Packed::new(&document, &Lexicon::default());
            prop_assert_eq!(packed.unpack(), document.clone());
            let mut text = Vec::new();
            packed.write_bare(&mut text);
            let mut bare = document;
            if let Some(fields) = bare.as_object_mut() {
                fields.remove("apiVersion");
                fields.remove("kind");
            }
            prop_assert_eq!(String::from_utf8(text).unwrap(), bare.to_string());
        }
    }

    #[test]
    fn a_part_is_found_without_the_rest() {
        let pod = pod();
        let packed = Packed::new(&pod, &Lexicon::default());
        let labels = &["metadata", "labels"];
        assert!(pod["metadata"]["labels"].is_object());
        assert_eq!(packed.part(labels), pod["metadata"]["labels"]);
        assert_eq!(packed.part(&["status", "phase"]), pod["status"]["phase"]);
        assert_eq!(packed.part(&["spec", "nothing", "here"]), Value::Null);
        assert_eq!(packed.part(&["kind", "below"]), Value::Null);
    }

    #[test]
    fn what_was_learned_later_does_not_change_what_was_packed_before() {
        let (lexicon, pod) = (Lexicon::default(), pod());
        let all: Vec<Packed> = (0..200).map(|_| Packed::new(&pod, &lexicon)).collect();
        assert!(all.iter().all(|packed| packed.unpack() == pod));
        let (first, last) = (all[0].size(), all[199].size());
        assert!(last * 3 < first * 2, "{last} bytes after {first}");
    }

    #[test]
    fn a_pod_is_small() {
        let pod = pod();
        let (packed, json) = (
            Packed::new(&pod, &Lexicon::default()).size(),
            pod.to_string().len(),
        );
        assert!(packed * 5 < json * 2, "{packed} bytes for {json} of JSON");
    }
}
