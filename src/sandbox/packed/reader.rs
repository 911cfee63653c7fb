//! Reading packed values. Only what was packed here is read, so a reader that runs out finds nulls.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{FALSE, FLOAT, HEADS, Head, ID, MORE, TIME, TRUE, Words, words};

/// A place in packed bytes.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// The texts that came by.
    texts: Vec<&'a [u8]>,
    /// The words that the store had learned, at least, when the value was packed.
    learned: &'a Words,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], learned: &'a Words) -> Self {
        Self {
            rest: bytes,
            texts: Vec::new(),
            learned,
        }
    }

    /// The value here.
    pub(super) fn value(&mut self) -> Value {
        match self.head() {
            (Head::Special, TRUE) => Value::Bool(true),
            (Head::Special, FALSE) => Value::Bool(false),
            (Head::Special, FLOAT) => Value::from(f64::from_le_bytes(self.array())),
            (Head::Number, number) => number.into(),
            (Head::Negative, bits) => (!bits.cast_signed()).into(),
            (Head::List, count) => (0..count).map(|_| self.value()).collect(),
            (Head::Map, count) => {
                let mut map = Map::new();
                for _ in 0..count {
                    let name = self.text().into_owned();
                    map.insert(name, self.value());
                }
                Value::Object(map)
            }
            (head, number) => self
                .text_of(head, number)
                .map_or(Value::Null, |text| text.into_owned().into()),
        }
    }

    /// Goes to the value of a field; false when there is none here.
    pub(super) fn enter(&mut self, field: &str) -> bool {
        let (Head::Map, count) = self.head() else {
            return false;
        };
        for _ in 0..count {
            if self.text() == field {
                return true;
            }
            self.skip();
        }
        false
    }

    /// Writes the value here as JSON, without these fields of it.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, without: &[&str]) {
        match self.head() {
            (Head::List, count) => {
                out.push(b'[');
                for index in 0..count {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.write(out, &[]);
                }
                out.push(b']');
            }
            (Head::Map, count) => {
                out.push(b'{');
                let mut first = true;
                for _ in 0..count {
                    let name = self.text();
                    if without.contains(&&*name) {
                        self.skip();
                        continue;
                    }
                    if !first {
                        out.push(b',');
                    }
                    first = false;
                    quote(out, &name);
                    out.push(b':');
                    self.write(out, &[]);
                }
                out.push(b'}');
            }
            (Head::Special, TRUE) => out.extend(b"true"),
            (Head::Special, FALSE) => out.extend(b"false"),
            // Writing to a vector cannot fail.
            (Head::Number, number) => drop(write!(out, "{number}")),
            (Head::Negative, bits) => drop(write!(out, "{}", !bits.cast_signed())),
            (Head::Special, FLOAT) => {
                drop(write!(
                    out,
                    "{}",
                    Value::from(f64::from_le_bytes(self.array()))
                ));
            }
            (head, number) => match self.text_of(head, number) {
                Some(text) => quote(out, &text),
                None => out.extend(b"null"),
            },
        }
    }

    fn skip(&mut self) {
        match self.head() {
            (Head::List, count) => (0..count).for_each(|_| self.skip()),
            (Head::Map, count) => (0..count).for_each(|_| {
                self.skip();
                self.skip();
            }),
            (Head::Special, FLOAT) => drop(self.take(8)),
            (Head::Special, ID) => drop(self.take(16)),
            (Head::Special, TIME) => drop(self.take(4)),
            (Head::Text, length) => {
                let text = self.take(length);
                self.texts.push(text);
            }
            _ => {}
        }
    }

    fn text(&mut self) -> Cow<'a, str> {
        let (head, number) = self.head();
        self.text_of(head, number).unwrap_or_default()
    }

    fn text_of(&mut self, head: Head, number: u64) -> Option<Cow<'a, str>> {
        match (head, number) {
            (Head::Text, length) => {
                let text = self.take(length);
                self.texts.push(text);
                Some(String::from_utf8_lossy(text))
            }
            (Head::Again, number) => {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                let text = self.texts.get(number).copied().unwrap_or_default();
                Some(String::from_utf8_lossy(text))
            }
            (Head::Word, number) => Some(Cow::Borrowed(match number.checked_sub(words::count()) {
                Some(number) => self.learned.word(number),
                None => words::word(number),
            })),
            (Head::Special, ID) => Some(Cow::Owned(id(self.array()))),
            (Head::Special, TIME) => {
                let second = u32::from_le_bytes(self.array());
                let time = Timestamp::from_second(i64::from(second)).unwrap_or_default();
                Some(Cow::Owned(time.to_string()))
            }
            _ => None,
        }
    }

    fn head(&mut self) -> (Head, u64) {
        let byte = self.byte();
        let head = *HEADS.get(usize::from(byte >> 5)).unwrap_or(&Head::Special);
        let small = byte & MORE;
        if small < MORE {
            return (head, u64::from(small));
        }
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        (head, number)
    }

    fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N as u64).try_into().unwrap_or([0; N])
    }

    fn take(&mut self, count: u64) -> &'a [u8] {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or_default();
        self.rest = rest;
        taken
    }
}

fn quote(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: &u8| *byte >= b' ' && !matches!(byte, b'"' | b'\\');
    if text.as_bytes().iter().all(plain) {
        out.push(b'"');
        out.extend(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to a vector cannot fail.
        let _ = serde_json::to_writer(out, text);
    }
}

fn id(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
