//! JSON patch (RFC 6902).

use serde_json::Value;

/// A parsed list of operations.
#[derive(Debug, Clone)]
pub struct Patch(json_patch::Patch);

/// Why a patch cannot be read or applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not a list of JSON patch operations: {0}")]
    Parse(#[from] serde_json::Error),
    #[error("{0}")]
    Apply(#[from] json_patch::PatchError),
}

impl Patch {
    /// Reads a list of operations.
    ///
    /// # Errors
    /// When the document is something else, or an operation lacks a field.
    pub fn parse(document: &Value) -> Result<Self, Error> {
        Ok(Self(serde_json::from_value(document.clone())?))
    }

    /// Applies all operations, or none.
    ///
    /// # Errors
    /// When a path leads nowhere or a test does not hold; `target` is then as it was.
    pub fn apply(&self, target: &mut Value) -> Result<(), Error> {
        Ok(json_patch::patch(target, &self.0)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_or_nothing() {
        let mut target = json!({"a": [1, 2]});
        let patch = json!([{"op": "add", "path": "/a/-", "value": 3}, {"op": "remove", "path": "/nowhere"}]);
        assert!(Patch::parse(&patch).unwrap().apply(&mut target).is_err());
        assert_eq!(target, json!({"a": [1, 2]}));
        let patch = json!([{"op": "test", "path": "/a/0", "value": 1}, {"op": "replace", "path": "/a/0", "value": 9}]);
        Patch::parse(&patch).unwrap().apply(&mut target).unwrap();
        assert_eq!(target, json!({"a": [9, 2]}));
        assert!(Patch::parse(&json!([{"op": "wish", "path": ""}])).is_err());
    }
}
