//! The form of an object: every field one that its kind has, every value of its field's type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::quantity::Quantity;
use crate::merge::printed;
use crate::merge::schema::{Form, Schema};

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// As Go's decoder says it.
    pub(super) message: String,
    /// As server-side apply says it.
    pub(super) applied: String,
    /// As a strategic patch says it.
    pub(super) patched: String,
}

/// Brings an object into its kind's form: takes unknown fields out and gives their names, writes quantities as a server stores them.
///
/// # Errors
/// The first value of a wrong type.
pub(super) fn shape(object: &mut Value, schema: Option<Schema>) -> Result<Vec<String>, Wrong> {
    let mut walk = Walk {
        unknown: Vec::new(),
    };
    if let Some(schema) = schema {
        let root = Place {
            path: String::new(),
            go: String::new(),
            owner: schema.type_name().unwrap_or_default(),
        };
        walk.visit(object, schema, &root)?;
    }
    Ok(walk.unknown)
}

struct Walk {
    unknown: Vec<String>,
}

/// Where the walk is.
struct Place {
    /// With positions in lists: `spec.containers[0].name`.
    path: String,
    /// Without, as Go's decoder names it: `spec.containers.name`.
    go: String,
    /// The type that holds the field.
    owner: &'static str,
}

impl Place {
    fn field(&self, name: &str, owner: &'static str) -> Self {
        let join = |start: &str| {
            if start.is_empty() {
                name.to_owned()
            } else {
                format!("{start}.{name}")
            }
        };
        Self {
            path: join(&self.path),
            go: join(&self.go),
            owner,
        }
    }

    /// In a map, whose keys Go's decoder does not name.
    fn under(&self, key: &str) -> Self {
        Self {
            path: format!("{}.{key}", self.path),
            go: self.go.clone(),
            owner: self.owner,
        }
    }

    fn at(&self, index: usize) -> Self {
        Self {
            path: format!("{}[{index}]", self.path),
            go: self.go.clone(),
            owner: self.owner,
        }
    }
}

impl Walk {
    fn visit(&mut self, value: &mut Value, schema: Schema, place: &Place) -> Result<(), Wrong> {
        match (schema.form(), &mut *value) {
            (Form::Object, Value::Object(fields)) => self.fields(fields, schema, place),
            (Form::Map, Value::Object(fields)) => {
                let Some(item) = schema.item() else {
                    return Ok(());
                };
                fields
                    .iter_mut()
                    .try_for_each(|(name, child)| self.visit(child, item, &place.under(name)))
            }
            (Form::List, Value::Array(items)) => {
                let Some(item) = schema.item() else {
                    return Ok(());
                };
                let mut numbered = items.iter_mut().enumerate();
                numbered.try_for_each(|(index, child)| self.visit(child, item, &place.at(index)))
            }
            (Form::Quantity, Value::String(_) | Value::Number(_)) => quantity(value, place),
            (Form::Bytes, Value::String(text)) => base64(text, place),
            (Form::Time, Value::String(text)) => time(text, place),
            (form, other) if is_scalar(form, other) => Ok(()),
            (_, wrong) => Err(mismatch(wrong, schema, place)),
        }
    }

    fn fields(
        &mut self,
        fields: &mut Map<String, Value>,
        schema: Schema,
        place: &Place,
    ) -> Result<(), Wrong> {
        let owner = schema.type_name().unwrap_or_default();
        let mut unknown = Vec::new();
        for (name, child) in fields.iter_mut() {
            let below = place.field(name, owner);
            if let Some(field) = schema.field(name) {
                self.visit(child, field, &below)?;
            } else {
                self.unknown.push(below.path);
                unknown.push(name.clone());
            }
        }
        for name in unknown {
            fields.remove(&name);
        }
        Ok(())
    }
}

/// Whether a value is of a form that needs no closer look.
fn is_scalar(form: Form, value: &Value) -> bool {
    match (form, value) {
        (_, Value::Null)
        | (Form::Any, _)
        | (Form::String | Form::IntOrString, Value::String(_))
        | (Form::Boolean, Value::Bool(_))
        | (Form::Number, Value::Number(_)) => true,
        (Form::Integer | Form::IntOrString, Value::Number(number)) => fits(number.as_i64()),
        (Form::Long, Value::Number(number)) => number.is_i64(),
        _ => false,
    }
}

fn base64(text: &str, place: &Place) -> Result<(), Wrong> {
    STANDARD.decode(text.as_bytes()).map(drop).map_err(|error| {
        plain(
            place,
            format!("illegal base64 data at input byte {}", position(&error)),
        )
    })
}

fn time(text: &str, place: &Place) -> Result<(), Wrong> {
    text.parse::<Timestamp>().map(drop).map_err(|_| {
        let form = "2006-01-02T15:04:05Z07:00";
        plain(
            place,
            format!("parsing time {text:?} as {form:?}: cannot parse {text:?} as \"2006\""),
        )
    })
}

fn fits(number: Option<i64>) -> bool {
    number.is_some_and(|number| i32::try_from(number).is_ok())
}

/// Where the text stops being base64.
fn position(error: &base64::DecodeError) -> usize {
    match error {
        base64::DecodeError::InvalidByte(at, _) => *at,
        base64::DecodeError::InvalidLength(length) => *length,
        _ => 0,
    }
}

fn quantity(value: &mut Value, place: &Place) -> Result<(), Wrong> {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let Some(stored) = Quantity::stored(&text) else {
        let rule = r"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
        return Err(plain(place, rule.to_owned()));
    };
    *value = stored.into();
    Ok(())
}

fn plain(place: &Place, message: String) -> Wrong {
    Wrong {
        applied: format!(".{}: {message}", place.path),
        patched: message.clone(),
        message,
    }
}

fn mismatch(value: &Value, schema: Schema, place: &Place) -> Wrong {
    let (word, numeric) = match value {
        Value::Null => ("null".to_owned(), false),
        Value::Bool(_) => ("bool".to_owned(), false),
        Value::Number(number) if number.is_i64() && schema.form() == Form::String => {
            ("number".to_owned(), false)
        }
        Value::Number(number) if matches!(schema.form(), Form::Integer | Form::Long) => {
            (format!("number {number}"), true)
        }
        Value::Number(_) => ("number".to_owned(), false),
        Value::String(_) => (
            "string".to_owned(),
            matches!(schema.form(), Form::Integer | Form::Long),
        ),
        Value::Array(_) => ("array".to_owned(), false),
        Value::Object(_) => ("object".to_owned(), false),
    };
    let target = if place.go.is_empty() {
        format!("Go value of type {}", schema.go_type())
    } else {
        format!(
            "Go struct field {}.{} of type {}",
            place.owner,
            place.go,
            schema.go_type()
        )
    };
    let expected = if numeric {
        "expected numeric (int or float)".to_owned()
    } else {
        format!("expected {}", plain_word(schema))
    };
    Wrong {
        message: format!("json: cannot unmarshal {word} into {target}"),
        patched: if value.is_i64() && schema.form() == Form::String {
            "cannot convert int64 to string".to_owned()
        } else {
            format!("unrecognized type: {}", schema.go_type())
        },
        applied: format!(
            ".{}: {expected}, got &value.valueUnstructured{{Value:{}}}",
            place.path,
            printed::value(value)
        ),
    }
}

fn plain_word(schema: Schema) -> &'static str {
    match schema.form() {
        Form::Object | Form::Map => "map",
        Form::List => "list",
        Form::Boolean => "boolean",
        Form::Integer | Form::Long | Form::Number => "numeric (int or float)",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::merge::schema;

    fn shaped(spec: Value) -> (Value, Result<Vec<String>, String>) {
        let mut pod = json!({"metadata": {"name": "p"}, "spec": spec});
        let result = shape(&mut pod, schema::of("v1", "Pod")).map_err(|wrong| wrong.message);
        (pod["spec"].take(), result)
    }

    #[test]
    fn unknown_fields_are_named_and_taken_out() {
        let (spec, unknown) = shaped(json!({"bar": 2, "containers": [{"name": "c", "foo": 1}]}));
        assert_eq!(unknown.unwrap(), ["spec.bar", "spec.containers[0].foo"]);
        assert_eq!(spec, json!({"containers": [{"name": "c"}]}));
    }

    #[test]
    fn wrong_types_in_the_real_servers_words() {
        let table = [
            (
                json!({"containers": "x"}),
                "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container",
            ),
            (
                json!({"containers": [{"name": 5}]}),
                "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string",
            ),
            (
                json!({"activeDeadlineSeconds": "5"}),
                "json: cannot unmarshal string into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64",
            ),
            (
                json!({"nodeSelector": {"a": true}}),
                "json: cannot unmarshal bool into Go struct field PodSpec.spec.nodeSelector of type string",
            ),
        ];
        for (spec, message) in table {
            assert_eq!(shaped(spec).1.unwrap_err(), message);
        }
    }

    #[test]
    fn quantities_become_text() {
        for (given, stored) in [
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("100000", "100k"),
            ("1e3", "1e3"),
            ("1u", "1u"),
            ("2Ei", "2Ei"),
            ("2E", "2E"),
        ] {
            let (spec, _) = shaped(json!({"overhead": {"cpu": given}}));
            assert_eq!(spec["overhead"]["cpu"], stored, "{given}");
        }
        let (spec, _) =
            shaped(json!({"containers": [{"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}]}));
        assert_eq!(
            spec["containers"][0]["resources"]["limits"],
            json!({"cpu": "1", "memory": "1Gi"})
        );
        assert!(
            shaped(json!({"containers": [{"resources": {"limits": {"cpu": "x"}}}]}))
                .1
                .unwrap_err()
                .starts_with("quantities must match")
        );
    }
}
