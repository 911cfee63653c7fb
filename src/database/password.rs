//! A password that nothing prints: from the environment, a file or a person.

use super::error::Error;
use std::path::Path;

/// The variables that may hold the password, the first that is set wins: Studio's own (contract 3.8), then PostgreSQL's.
pub const VARIABLES: [&str; 2] = ["LLMCTL_POSTGRES_PASSWORD", "PGPASSWORD"];

/// A password. `Debug` hides it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// A password that somebody typed or a Secret holds.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password of the environment ([`VARIABLES`]); a blank variable counts as not set.
    pub fn of_environment() -> Option<Self> {
        VARIABLES
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|text| !text.is_empty())
            .map(Self)
    }

    /// The password in a file: its first line.
    ///
    /// # Errors
    /// When the file cannot be read or its first line is blank. The content is in no message.
    pub fn of_file(path: &Path) -> Result<Self, Error> {
        let unusable = |reason: String| Error::PasswordFile {
            path: path.to_owned(),
            reason,
        };
        let text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::InvalidData => unusable("it is not UTF-8 text".to_owned()),
            _ => unusable(e.to_string()),
        })?;
        match text.lines().next() {
            Some(line) if !line.is_empty() => Ok(Self(line.to_owned())),
            _ => Err(unusable("its first line is blank".to_owned())),
        }
    }

    /// The password itself, for the driver.
    pub(in crate::database) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_file_is_the_password_and_nothing_shows_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret word\nmore\n").unwrap();
        let password = Password::of_file(file.path()).unwrap();
        assert_eq!(password.reveal(), "s3cret word");
        assert_eq!(format!("{password:?}"), "Password(***)");
        std::fs::write(file.path(), "\n").unwrap();
        let error = Password::of_file(file.path()).unwrap_err();
        assert!(error.to_string().contains("first line is blank"), "{error}");
        let error = Password::of_file(&file.path().with_extension("not")).unwrap_err();
        assert!(error.to_string().contains(".not"), "{error}");
    }
}
