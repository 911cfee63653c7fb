//! Objects in the protocol buffer form, which kubectl uses for some of its writes. Read only: answers are JSON, which it takes too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::merge::schema::{self, Form, Schema};

/// The media type.
pub(super) const MEDIA: &str = "application/vnd.kubernetes.protobuf";

/// What every such body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error(
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
    )]
    NoMagic,
    #[error("unexpected EOF")]
    Cut,
    #[error("proto: illegal wireType")]
    WireType,
    #[error("proto: invalid UTF-8 string")]
    Text,
    #[error("no kind is registered for the type of the message")]
    UnknownType,
}

/// Reads an object of one of the kinds in the schema.
///
/// # Errors
/// When the bytes are cut off or of another form, or the kind is not known.
pub(super) fn decode(body: &[u8]) -> Result<Value, Error> {
    let body = body.strip_prefix(MAGIC).ok_or(Error::NoMagic)?;
    let (mut type_meta, mut raw): (&[u8], &[u8]) = (&[], &[]);
    for field in Message(body) {
        match field? {
            (1, Payload::Bytes(bytes)) => type_meta = bytes,
            (2, Payload::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (mut version, mut kind) = (String::new(), String::new());
    for field in Message(type_meta) {
        match field? {
            (1, Payload::Bytes(bytes)) => version = text(bytes)?,
            (2, Payload::Bytes(bytes)) => kind = text(bytes)?,
            _ => {}
        }
    }
    let schema = schema::of(&version, &kind).ok_or(Error::UnknownType)?;
    let mut fields = Map::new();
    message(raw, schema, &[], &mut fields)?;
    fields.insert("apiVersion".to_owned(), version.into());
    fields.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(fields))
}

/// Reads the fields of a message; `inside` are the numbers of the inlined messages on the way to it.
fn message(
    bytes: &[u8],
    schema: Schema,
    inside: &[u32],
    into: &mut Map<String, Value>,
) -> Result<(), Error> {
    for field in Message(bytes) {
        let (number, payload) = field?;
        let mut path = inside.to_vec();
        path.push(number);
        if let Some((name, place)) = schema.fields().find(|(_, place)| place.numbers() == path) {
            put(payload, name, place, into)?;
        } else if let Payload::Bytes(inner) = payload
            && schema
                .fields()
                .any(|(_, place)| place.numbers().starts_with(&path))
        {
            message(inner, schema, &path, into)?;
        }
    }
    Ok(())
}

fn put(
    payload: Payload<'_>,
    name: &str,
    place: Schema,
    into: &mut Map<String, Value>,
) -> Result<(), Error> {
    match (place.form(), place.item(), payload) {
        (Form::List, Some(item), payload) => {
            let value = value(payload, item)?;
            let list = into.entry(name).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(value);
            }
        }
        (Form::Map, Some(item), Payload::Bytes(entry)) => {
            let mut key = String::new();
            let mut found = zero(item);
            for field in Message(entry) {
                match field? {
                    (1, Payload::Bytes(bytes)) => key = text(bytes)?,
                    (2, payload) => found = value(payload, item)?,
                    _ => {}
                }
            }
            let map = into.entry(name).or_insert_with(|| json!({}));
            map[key] = found;
        }
        (_, _, payload) => {
            let value = value(payload, place)?;
            // Go writes the zero of a plain field and cannot tell it from an absent one; JSON leaves it out.
            if place.keeps_zero() || !is_zero(&value) {
                into.insert(name.to_owned(), value);
            }
        }
    }
    Ok(())
}

fn value(payload: Payload<'_>, place: Schema) -> Result<Value, Error> {
    Ok(match (place.form(), payload) {
        (Form::String, Payload::Bytes(bytes)) => text(bytes)?.into(),
        (Form::Bytes, Payload::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Form::Boolean, Payload::Number(number)) => (number != 0).into(),
        // Negative numbers are written in two's complement.
        (_, Payload::Number(number)) => number.cast_signed().into(),
        (Form::Time, Payload::Bytes(bytes)) => time(bytes)?,
        (Form::Quantity, Payload::Bytes(bytes)) => string_at(bytes, 1)?.into(),
        (Form::IntOrString, Payload::Bytes(bytes)) => int_or_string(bytes)?,
        (Form::Any, Payload::Bytes(bytes)) => {
            serde_json::from_str(&string_at(bytes, 1)?).unwrap_or_default()
        }
        (Form::Object, Payload::Bytes(bytes)) => {
            let mut fields = Map::new();
            message(bytes, place, &[], &mut fields)?;
            Value::Object(fields)
        }
        _ => return Err(Error::WireType),
    })
}

fn zero(place: Schema) -> Value {
    match place.form() {
        Form::Boolean => false.into(),
        Form::Integer | Form::Long | Form::Number => 0.into(),
        Form::Object | Form::Map => json!({}),
        Form::List => json!([]),
        _ => "".into(),
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn text(bytes: &[u8]) -> Result<String, Error> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::Text)
}

/// The text of one field of a message, or an empty one.
fn string_at(bytes: &[u8], wanted: u32) -> Result<String, Error> {
    let mut found = String::new();
    for field in Message(bytes) {
        if let (number, Payload::Bytes(bytes)) = field?
            && number == wanted
        {
            found = text(bytes)?;
        }
    }
    Ok(found)
}

fn time(bytes: &[u8]) -> Result<Value, Error> {
    let (mut seconds, mut nanos) = (None, 0);
    for field in Message(bytes) {
        match field? {
            (1, Payload::Number(number)) => seconds = Some(number.cast_signed()),
            (2, Payload::Number(number)) => nanos = i32::try_from(number).unwrap_or(0),
            _ => {}
        }
    }
    let at = seconds.and_then(|seconds| Timestamp::new(seconds, nanos).ok());
    Ok(at.map_or(Value::Null, |at| at.to_string().into()))
}

fn int_or_string(bytes: &[u8]) -> Result<Value, Error> {
    let (mut is_text, mut number, mut words) = (false, 0, String::new());
    for field in Message(bytes) {
        match field? {
            (1, Payload::Number(kind)) => is_text = kind == 1,
            (2, Payload::Number(found)) => number = found.cast_signed(),
            (3, Payload::Bytes(bytes)) => words = text(bytes)?,
            _ => {}
        }
    }
    Ok(if is_text { words.into() } else { number.into() })
}

/// What a field holds on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Payload<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, in the order in which they come.
struct Message<'a>(&'a [u8]);

impl<'a> Iterator for Message<'a> {
    type Item = Result<(u32, Payload<'a>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            // Nothing after a mistake can be trusted.
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Message<'a> {
    fn field(&mut self) -> Result<(u32, Payload<'a>), Error> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Error::WireType)?;
        let payload = match tag & 7 {
            0 => Payload::Number(self.varint()?),
            1 => Payload::Number(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Error::Cut)?;
                let (bytes, rest) = self.0.split_at_checked(length).ok_or(Error::Cut)?;
                self.0 = rest;
                Payload::Bytes(bytes)
            }
            5 => Payload::Number(u32::from_le_bytes(self.fixed()?).into()),
            _ => return Err(Error::WireType),
        };
        Ok((number, payload))
    }

    fn varint(&mut self) -> Result<u64, Error> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Error::Cut)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Error::WireType)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(Error::Cut)?;
        self.0 = rest;
        Ok(*bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend_from_slice(bytes);
        out
    }

    fn body(version: &str, kind: &str, object: &[u8]) -> Vec<u8> {
        let types = [field(1, version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &types), field(2, object)].concat()
    }

    #[test]
    fn a_pod_is_read_with_its_inlined_messages() {
        let label = [field(1, b"a"), field(2, b"b")].concat();
        let meta = [field(1, b"p"), field(11, &label)].concat();
        let secret = field(1, b"s");
        // Volume { name: 1, volumeSource: 2 { secret: 6 { secretName: 1 } } }
        let volume = [field(1, b"v"), field(2, &field(6, &secret))].concat();
        // The last field is stdin, 16: a plain false.
        let container = [
            field(1, b"c"),
            field(2, b"i"),
            field(3, b"sh"),
            field(3, b"-c"),
            vec![0x80, 1, 0],
        ]
        .concat();
        // terminationGracePeriodSeconds: 4 is a pointer, so its zero stays; hostNetwork: 11 is none.
        let spec = [
            field(1, &volume),
            field(2, &container),
            vec![4 << 3, 0],
            vec![11 << 3, 0],
        ]
        .concat();
        let pod = [field(1, &meta), field(2, &spec), field(3, &[])].concat();
        let container = json!({"name": "c", "image": "i", "command": ["sh", "-c"]});
        assert_eq!(
            decode(&body("v1", "Pod", &pod)).unwrap(),
            json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}},
                "spec": {"volumes": [{"name": "v", "secret": {"secretName": "s"}}], "containers": [container], "terminationGracePeriodSeconds": 0},
            })
        );
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(decode(b"{}"), Err(Error::NoMagic));
        assert_eq!(decode(&body("v1", "Nope", &[])), Err(Error::UnknownType));
        assert_eq!(decode(&body("v1", "Pod", &[10, 200])), Err(Error::Cut));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&[MAGIC, bytes.as_slice()].concat());
            let short = &bytes[..bytes.len().min(100)];
            let _ = decode(&body("v1", "Pod", short));
        }
    }
}
