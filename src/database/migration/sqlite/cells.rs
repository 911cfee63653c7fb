//! SQLite's values: any value may be in any column, and goes into a backup and comes back as exactly what it was.

use crate::domain::migration::runs::{Cells, Column, RunRow};
use rusqlite::types::Value;
use rusqlite::{Row, Statement};
use serde_json::json;
use std::fmt::Write as _;

/// A run row with its values as they are.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) row: RunRow,
    pub(super) status: Value,
    /// In the order of [`Column::ALL`].
    pub(super) values: Vec<Value>,
}

/// Id, state and the eleven columns.
pub(super) fn columns() -> String {
    let names = Column::ALL.map(Column::name);
    format!("id, status, {}", names.join(", "))
}

impl Raw {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let status: Value = row.get(1)?;
        let values = (0..Column::ALL.len())
            .map(|at| row.get(at + 2))
            .collect::<rusqlite::Result<Vec<Value>>>()?;
        let cells = Column::ALL.map(|column| text(column, &values[column as usize]));
        Ok(Self {
            row: RunRow {
                id: row.get(0)?,
                status: match &status {
                    Value::Text(text) => text.clone(),
                    _ => String::new(),
                },
                cells: Cells(cells),
            },
            status,
            values,
        })
    }
}

/// The text that the rules see. What is no 0 or 1 in a column of booleans is no flag, whatever it says.
fn text(column: Column, value: &Value) -> Option<String> {
    match (column.is_flag(), value) {
        (_, Value::Null) => None,
        (true, Value::Integer(0)) => Some("false".into()),
        (true, Value::Integer(1)) => Some("true".into()),
        (false, Value::Text(text)) => Some(text.clone()),
        (false, Value::Integer(number)) => Some(number.to_string()),
        _ => Some("(another kind of value)".into()),
    }
}

/// The value of a text that the rules gave.
pub(super) fn value(column: Column, text: Option<&str>) -> Value {
    match text {
        None => Value::Null,
        Some(text) if column.is_flag() => Value::Integer(i64::from(text == "true")),
        Some(text) => Value::Text(text.to_owned()),
    }
}

/// A value as a backup has it.
pub(super) fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => json!(number),
        // As bits: the decimal form of a number need not be the number.
        Value::Real(number) => json!({"real": format!("{:016x}", number.to_bits())}),
        Value::Text(text) => json!(text),
        Value::Blob(bytes) => {
            let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            json!({"hex": hex})
        }
    }
}

/// A value from a backup; none for what [`to_json`] never wrote.
pub(super) fn of_json(json: &serde_json::Value) -> Option<Value> {
    use serde_json::Value as Json;
    Some(match json {
        Json::Null => Value::Null,
        Json::Number(number) => Value::Integer(number.as_i64()?),
        Json::String(text) => Value::Text(text.clone()),
        Json::Object(object) => {
            if let Some(bits) = object.get("real") {
                Value::Real(f64::from_bits(
                    u64::from_str_radix(bits.as_str()?, 16).ok()?,
                ))
            } else {
                let hex = object.get("hex")?.as_str()?;
                let pairs = (0..hex.len()).step_by(2);
                let bytes = pairs.map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok());
                Value::Blob(bytes.collect::<Option<Vec<u8>>>()?)
            }
        }
        _ => return None,
    })
}

/// The next rows of a prepared `SELECT … WHERE id > ? ORDER BY id LIMIT ?`.
pub(super) fn next(
    statement: &mut Statement<'_>,
    last: i64,
    limit: i64,
) -> rusqlite::Result<Vec<Raw>> {
    statement.query_map([last, limit], Raw::read)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_from_a_backup_as_they_were() {
        for value in [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Real(-0.1),
            Value::Text("a\u{0}é\"".into()),
            Value::Blob(vec![0, 255, 16]),
        ] {
            assert_eq!(of_json(&to_json(&value)), Some(value));
        }
        assert_eq!(of_json(&json!({"hex": "0"})), None);
        assert_eq!(of_json(&json!([1])), None);
    }
}
