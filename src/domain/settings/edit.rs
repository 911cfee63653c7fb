//! A change of one setting, with what it was based on.

use super::key::Key;
use super::value::Value;

/// What to write for one key. It knows the value it was based on, so that a change that somebody else made in the
/// meantime is seen and not overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub key: Key,
    /// The target's value when the edit began; `None` where the key was not there (or not readable).
    pub from: Option<Value>,
    /// The new value; `None` takes the key out, so that its default holds.
    pub to: Option<Value>,
}

impl std::fmt::Display for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Option<Value>| match value {
            Some(value) => format!("{:?}", value.text()),
            None => "not set".to_owned(),
        };
        write!(
            f,
            "{}: {} → {}",
            self.key,
            shown(&self.from),
            shown(&self.to)
        )
    }
}
