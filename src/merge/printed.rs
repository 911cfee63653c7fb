//! A document as Go prints it, which some messages of Kubernetes show.

use serde_json::Value;

/// `map[a:1 b:[x y]]`, as Go's `%v` has it.
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(self::value).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, field)| format!("{name}:{}", self::value(field)))
                .collect();
            format!("map[{}]", fields.join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_prints() {
        let document = serde_json::json!({"b": [1, "x", null], "a": {"c": true}});
        assert_eq!(value(&document), "map[a:map[c:true] b:[1 x <nil>]]");
    }
}
