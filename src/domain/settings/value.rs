//! A value of a setting, in one of the four shapes there are.

/// A value that passed its key's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Whole(u32),
    Flag(bool),
    Text(String),
    /// Names of image pull secrets; stored as a JSON array in a text.
    Names(Vec<String>),
}

impl Value {
    /// The value as llmctl stores it: text of a row, of a variable and of a ConfigMap. No names are the empty text.
    pub fn text(&self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Flag(on) => on.to_string(),
            Self::Text(text) => text.clone(),
            Self::Names(names) if names.is_empty() => String::new(),
            Self::Names(names) => serde_json::Value::from(names.clone()).to_string(),
        }
    }

    /// The value in a document: a number, a boolean, a string or an array.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Whole(number) => (*number).into(),
            Self::Flag(on) => (*on).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Names(names) => names.clone().into(),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}
