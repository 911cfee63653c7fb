//! The write-only kubeconfig: what may be told of the stored one (contract 3.5).

use jiff::Timestamp;
use serde::Serialize;

/// What is known of the stored kubeconfig. Never the text itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// It is stored encrypted; an old row is in clear until it is written again.
    pub encrypted: bool,
    /// `sha256:` and twelve hex digits; absent where it cannot be read.
    pub fingerprint: Option<String>,
    /// Why it cannot be read with the secret at hand. Its bytes stay as they are (W37).
    pub unreadable: Option<String>,
    pub updated_at: Timestamp,
}

impl std::fmt::Display for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.fingerprint, &self.unreadable) {
            (Some(fingerprint), _) => f.write_str(fingerprint)?,
            (None, Some(why)) => write!(f, "cannot be read: {why}")?,
            (None, None) => f.write_str("cannot be read")?,
        }
        let clear = if self.encrypted {
            ""
        } else {
            ", stored in clear"
        };
        write!(f, "{clear}, stored {:.0}", self.updated_at)
    }
}
