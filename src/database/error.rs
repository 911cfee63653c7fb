//! What can go wrong with a database, in words that name it and the next step. No value and no password is in any of them.

use std::path::PathBuf;
use tokio_postgres::error::SqlState;

/// Why a database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database's address cannot be used: {reason}")]
    Address { reason: String },
    #[error("the password file {} cannot be used: {reason}", path.display())]
    PasswordFile { path: PathBuf, reason: String },
    #[error("{place} cannot be reached: {reason}; check the address, and that the server runs")]
    Unreachable { place: String, reason: String },
    #[error(
        "{place} asks user {user} for a password: set LLMCTL_POSTGRES_PASSWORD, or name a file with --password-file"
    )]
    PasswordMissing { place: String, user: String },
    #[error("{place} refuses user {user}: {reason}; check the user and the password")]
    Denied {
        place: String,
        user: String,
        reason: String,
    },
    #[error("there is no such {place}: check its name")]
    NoDatabase { place: String },
    #[error(
        "{place} has no table {table}: it is not a Studio's database, or Studio never started on it"
    )]
    NoTable { place: String, table: String },
    #[error(
        "{holder} holds the lock of {place} (waited {seconds} s): wait for it to end, or end it, and try again"
    )]
    Locked {
        place: String,
        /// Who holds it, as far as the server tells: `process 4711 (psql)`.
        holder: String,
        seconds: u64,
    },
    #[error("{} of {place} changed since it was read: nothing was written, read it again", keys.join(", "))]
    Changed { place: String, keys: Vec<String> },
    #[error("the kubeconfig cannot be encrypted: {reason}")]
    Unsealed { reason: String },
    #[error("the connection to {place} was lost while {doing}; nothing was changed, try again")]
    Lost { place: String, doing: String },
    #[error(
        "the connection to {place} was lost while the change was being committed: it may or may not be there, read it again"
    )]
    Uncertain { place: String },
    #[error("{place} refused {doing}: {reason}; nothing was changed")]
    Sql {
        place: String,
        doing: String,
        /// The server's message without its detail, which may quote rows.
        reason: String,
    },
}

impl Error {
    /// What failed once connected, while doing something ("reading the settings").
    pub(in crate::database) fn while_doing(
        place: &str,
        doing: &str,
        error: &tokio_postgres::Error,
    ) -> Self {
        let (place, doing) = (place.to_owned(), doing.to_owned());
        let Some(db) = error.as_db_error() else {
            return if error.is_closed() || has_io(error) {
                Self::Lost { place, doing }
            } else {
                // Values are in none of the driver's own errors.
                let reason = innermost(error);
                Self::Sql {
                    place,
                    doing,
                    reason,
                }
            };
        };
        if *db.code() == SqlState::UNDEFINED_TABLE {
            // `relation "integration_settings" does not exist`
            let table = db
                .message()
                .split('"')
                .nth(1)
                .unwrap_or_default()
                .to_owned();
            return Self::NoTable { place, table };
        }
        let ends = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ];
        if ends.contains(db.code()) {
            return Self::Lost { place, doing };
        }
        Self::Sql {
            reason: format!("{} ({})", db.message(), db.code().code()),
            place,
            doing,
        }
    }

    /// What failed while connecting as `user`.
    pub(in crate::database) fn while_connecting(
        place: &str,
        user: &str,
        error: &tokio_postgres::Error,
    ) -> Self {
        let (place, user) = (place.to_owned(), user.to_owned());
        let Some(db) = error.as_db_error() else {
            let reason = innermost(error);
            return if reason.contains("password missing") {
                Self::PasswordMissing { place, user }
            } else {
                Self::Unreachable { place, reason }
            };
        };
        let reason = db.message().to_owned();
        let code = db.code();
        if *code == SqlState::INVALID_CATALOG_NAME {
            Self::NoDatabase { place }
        } else if code.code().starts_with("28") || code.code() == "42501" {
            Self::Denied {
                place,
                user,
                reason,
            }
        } else {
            Self::Unreachable { place, reason }
        }
    }
}

fn has_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// The message at the bottom: the ones above only repeat it.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
