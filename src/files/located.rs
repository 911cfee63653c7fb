//! Reading TOML with the place of everything in it, past the first mistake.

use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// The largest file that is read; a configuration is never larger.
const LARGEST: u64 = 1 << 20;

/// A file could not be read at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {reason}", path.display())]
pub struct ReadError {
    pub path: PathBuf,
    pub reason: String,
}

/// The bytes of a file; `None` when there is no such file.
///
/// # Errors
/// When it is there and cannot be read, or is no configuration by its size.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, ReadError> {
    let refused = |reason: String| ReadError {
        path: path.to_path_buf(),
        reason,
    };
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(refused("it is a directory".into())),
        Ok(found) if !found.is_file() => return Err(refused("it is no file".into())),
        Ok(found) if found.len() > LARGEST => {
            return Err(refused("it is larger than 1 MiB".into()));
        }
        _ => {}
    }
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(refused(e.to_string())),
    }
}

/// Line and column, both from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Position {
    /// The position of a byte of `text`.
    pub fn of(text: &str, byte: usize) -> Self {
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &text[..byte];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
        }
    }
}

/// A mistake in the syntax. The reason quotes nothing of the file, which may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub at: Position,
    pub reason: String,
}

/// Everything that can be read of a text, and every mistake in it.
pub fn parse(text: &str) -> (Spanned<DeTable<'_>>, Vec<Mistake>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut mistakes: Vec<Mistake> = errors
        .iter()
        .map(|error| Mistake {
            at: Position::of(text, error.span().map_or(0, |span| span.start)),
            reason: error.message().replace('\n', ", "),
        })
        .collect();
    mistakes.sort_by_key(|mistake| mistake.at);
    (table, mistakes)
}

/// The entries of a table in the order of the file.
pub fn in_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

/// What a value is, with its article.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let text = "a\nüb\n";
        assert_eq!(Position::of(text, 0), Position { line: 1, column: 1 });
        assert_eq!(Position::of(text, 4), Position { line: 2, column: 2 });
        assert_eq!(Position::of(text, 3), Position { line: 2, column: 1 });
        assert_eq!(Position::of(text, 99), Position { line: 3, column: 1 });
    }

    #[test]
    fn reading_goes_on_behind_a_mistake() {
        let (table, mistakes) = parse("a = \nb = 2\nc = [\n");
        assert!(mistakes.len() >= 2, "{mistakes:?}");
        assert_eq!(mistakes[0].at.line, 1);
        assert!(
            table
                .get_ref()
                .iter()
                .any(|(name, _)| name.get_ref() == "b")
        );
    }
}
