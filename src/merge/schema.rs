//! What is known of the kinds' types: which fields there are, and how their lists and maps merge.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The types, written as a table; see its first lines.
const TABLE: &str = include_str!("schema.txt");

/// The table, read once. It never changes.
static TYPES: LazyLock<Types> = LazyLock::new(|| Types::read(TABLE));

/// The type of one place in a document.
#[derive(Debug, Clone, Copy)]
pub struct Schema(&'static Place);

/// A value's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    String,
    /// Base64 text.
    Bytes,
    /// RFC 3339 text.
    Time,
    /// Of 32 bits.
    Integer,
    /// Of 64 bits.
    Long,
    Number,
    Boolean,
    /// A number or a string with a unit.
    Quantity,
    IntOrString,
    /// An object with named fields.
    Object,
    /// An object with any keys.
    Map,
    List,
    Any,
}

/// How an applied list is owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// As a whole.
    Atomic,
    /// Value by value.
    Set,
    /// Item by item; these fields of an item are its key.
    Keyed(&'static [&'static str]),
}

#[derive(Debug)]
struct Types {
    roots: BTreeMap<(&'static str, &'static str), Place>,
    types: BTreeMap<&'static str, Type>,
}

#[derive(Debug)]
struct Type {
    atomic: bool,
    fields: BTreeMap<&'static str, Place>,
}

#[derive(Debug)]
struct Place {
    shape: Shape,
    atomic: bool,
    items: Items,
    merge: Option<&'static str>,
    retain: bool,
    numbers: Vec<u32>,
    keeps_zero: bool,
}

/// How the items of a list are owned.
#[derive(Debug)]
enum Items {
    Together,
    ByValue,
    ByKey(Vec<&'static str>),
}

#[derive(Debug)]
enum Shape {
    Scalar(Form),
    Named(&'static str),
    Map(Box<Place>),
    List(Box<Place>),
}

/// The type of a kind's objects, when the kind is one of those in the table.
pub fn of(api_version: &str, kind: &str) -> Option<Schema> {
    TYPES
        .roots
        .iter()
        .find(|((version, name), _)| *version == api_version && *name == kind)
        .map(|(_, place)| Schema(place))
}

/// Names of every type in the table.
pub fn type_names() -> impl Iterator<Item = &'static str> {
    TYPES.types.keys().copied()
}

/// A type of the table by its name.
pub fn type_named(name: &str) -> Option<impl Iterator<Item = (&'static str, Schema)> + use<>> {
    let found = TYPES.types.get(name)?;
    Some(
        found
            .fields
            .iter()
            .map(|(name, place)| (*name, Schema(place))),
    )
}

impl Schema {
    /// What the value here must be.
    pub fn form(self) -> Form {
        match &self.0.shape {
            Shape::Scalar(form) => *form,
            Shape::Named(_) => Form::Object,
            Shape::Map(_) => Form::Map,
            Shape::List(_) => Form::List,
        }
    }

    /// The name of the object's type.
    pub fn type_name(self) -> Option<&'static str> {
        match &self.0.shape {
            Shape::Named(name) => Some(name),
            _ => None,
        }
    }

    /// The type of a field, or of a map's value.
    pub fn field(self, name: &str) -> Option<Self> {
        match &self.0.shape {
            Shape::Named(of) => TYPES.types.get(of)?.fields.get(name).map(Schema),
            Shape::Map(value) => Some(Schema(value)),
            _ => None,
        }
    }

    /// The type of a list's items or a map's values.
    pub fn item(self) -> Option<Self> {
        match &self.0.shape {
            Shape::List(item) | Shape::Map(item) => Some(Schema(item)),
            _ => None,
        }
    }

    /// Whether an object or map is owned as a whole.
    pub fn is_atomic(self) -> bool {
        let named = |name: &str| TYPES.types.get(name).is_some_and(|found| found.atomic);
        self.0.atomic || matches!(&self.0.shape, Shape::Named(name) if named(name))
    }

    /// How a list is owned.
    pub fn list_kind(self) -> ListKind {
        match &self.0.items {
            Items::Together => ListKind::Atomic,
            Items::ByValue => ListKind::Set,
            Items::ByKey(keys) => ListKind::Keyed(keys),
        }
    }

    /// The field by which a strategic merge patch finds a list's item; empty for a list of scalars that merges; none for a list
    /// that is replaced.
    pub fn merge_key(self) -> Option<&'static str> {
        self.0.merge
    }

    /// Whether a strategic merge patch may name the keys that stay.
    pub fn retains_keys(self) -> bool {
        self.0.retain
    }

    /// The fields of an object's type.
    pub fn fields(self) -> impl Iterator<Item = (&'static str, Self)> {
        let found = self.type_name().and_then(|name| TYPES.types.get(name));
        found
            .into_iter()
            .flat_map(|found| found.fields.iter())
            .map(|(name, place)| (*name, Schema(place)))
    }

    /// The field's number in the protocol buffer form, after those of the messages that are inlined on the way to it.
    pub fn numbers(self) -> &'static [u32] {
        &self.0.numbers
    }

    /// Whether the protocol buffer form tells a zero from an absent value here.
    pub fn keeps_zero(self) -> bool {
        self.0.keeps_zero
    }

    /// As the real server names the type in messages.
    pub fn go_type(self) -> String {
        let item = || self.item().map_or_else(String::new, Self::go_type);
        match self.form() {
            Form::Bytes => "[]uint8".to_owned(),
            Form::Time => "v1.Time".to_owned(),
            Form::IntOrString => "intstr.IntOrString".to_owned(),
            Form::Integer => "int32".to_owned(),
            Form::Long => "int64".to_owned(),
            Form::Number => "float64".to_owned(),
            Form::Boolean => "bool".to_owned(),
            Form::Object => format!("v1.{}", self.type_name().unwrap_or_default()),
            Form::Map => format!("map[string]{}", item()),
            Form::List => format!("[]{}", item()),
            Form::Any => "interface {}".to_owned(),
            Form::String | Form::Quantity => "string".to_owned(),
        }
    }
}

/// The value that a key field has when it is absent: applied ports may leave out their protocol.
pub fn key_default(key: &str) -> Option<&'static str> {
    (key == "protocol").then_some("TCP")
}

impl Types {
    fn read(table: &'static str) -> Self {
        let mut types = Self {
            roots: BTreeMap::new(),
            types: BTreeMap::new(),
        };
        let mut current = None;
        for line in table.lines() {
            let mut words = line.split(' ');
            match words.next() {
                Some("#") | None => {}
                Some("=") => {
                    if let (Some(version), Some(kind)) = (words.next(), words.next()) {
                        types
                            .roots
                            .insert((version, kind), Place::read(kind, words));
                    }
                }
                Some(":") => {
                    let name = words.next().unwrap_or_default();
                    let atomic = words.next() == Some("atomic");
                    types.types.insert(
                        name,
                        Type {
                            atomic,
                            fields: BTreeMap::new(),
                        },
                    );
                    current = Some(name);
                }
                Some(field) => {
                    let place = Place::read(words.next().unwrap_or("any"), words);
                    if let Some(found) = current.and_then(|name| types.types.get_mut(name)) {
                        found.fields.insert(field, place);
                    }
                }
            }
        }
        types
    }
}

impl Place {
    fn read(shape: &'static str, flags: impl Iterator<Item = &'static str>) -> Self {
        let mut place = Self {
            shape: Shape::read(shape),
            atomic: false,
            items: Items::Together,
            merge: None,
            retain: false,
            numbers: Vec::new(),
            keeps_zero: false,
        };
        for flag in flags {
            if let Some(numbers) = flag.strip_prefix('#') {
                place.keeps_zero = numbers.ends_with('*');
                let numbers = numbers.trim_end_matches('*').split('.');
                place.numbers = numbers.filter_map(|number| number.parse().ok()).collect();
                continue;
            }
            match flag.split_once('=') {
                Some(("keys", keys)) => place.items = Items::ByKey(keys.split(',').collect()),
                Some(("merge", key)) => place.merge = Some(key),
                _ if flag == "atomic" => place.atomic = true,
                _ if flag == "set" => place.items = Items::ByValue,
                _ if flag == "merge" => place.merge = Some(""),
                _ => place.retain = place.retain || flag == "retain",
            }
        }
        place
    }
}

impl Shape {
    fn read(text: &'static str) -> Self {
        let inner = |open: char, close: char| {
            text.strip_prefix(open)
                .and_then(|rest| rest.strip_suffix(close))
        };
        if let Some(item) = inner('[', ']') {
            return Self::List(Box::new(Place::read(item, std::iter::empty())));
        }
        if let Some(value) = inner('{', '}') {
            return Self::Map(Box::new(Place::read(value, std::iter::empty())));
        }
        Self::Scalar(match text {
            "str" => Form::String,
            "bytes" => Form::Bytes,
            "time" => Form::Time,
            "int" => Form::Integer,
            "long" => Form::Long,
            "num" => Form::Number,
            "bool" => Form::Boolean,
            "quantity" => Form::Quantity,
            "intstr" => Form::IntOrString,
            "any" => Form::Any,
            name => return Self::Named(name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_type_is_there() {
        fn check(place: &Place) {
            match &place.shape {
                Shape::Named(name) => assert!(TYPES.types.contains_key(name), "{name}"),
                Shape::Map(inner) | Shape::List(inner) => check(inner),
                Shape::Scalar(_) => {}
            }
        }
        assert_eq!(TYPES.roots.len(), 21);
        TYPES.roots.values().for_each(check);
        for (name, found) in &TYPES.types {
            assert!(!found.fields.is_empty(), "{name}");
            found.fields.values().for_each(check);
        }
    }

    #[test]
    fn how_places_merge() {
        let pod = of("v1", "Pod").unwrap();
        let containers = pod.field("spec").unwrap().field("containers").unwrap();
        assert_eq!(containers.list_kind(), ListKind::Keyed(&["name"]));
        assert_eq!(containers.merge_key(), Some("name"));
        let container = containers.item().unwrap();
        let ports = container.field("ports").unwrap();
        assert_eq!(
            ports.list_kind(),
            ListKind::Keyed(&["containerPort", "protocol"])
        );
        assert_eq!(
            container.field("command").unwrap().list_kind(),
            ListKind::Atomic
        );
        let meta = pod.field("metadata").unwrap();
        assert_eq!(meta.field("finalizers").unwrap().list_kind(), ListKind::Set);
        assert_eq!(
            meta.field("labels").unwrap().field("any").unwrap().form(),
            Form::String
        );
        let job = of("batch/v1", "Job").unwrap();
        assert!(
            job.field("spec")
                .unwrap()
                .field("selector")
                .unwrap()
                .is_atomic()
        );
        assert!(of("v1", "Job").is_none());
    }
}
