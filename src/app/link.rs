//! The connection to the cluster, as the header and the banner show it.

use super::notices::Notice;
use jiff::{SignedDuration, Timestamp};

/// How it stands with the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    Connecting {
        since: Timestamp,
    },
    Live {
        /// Version of the API server, as it says it.
        version: String,
    },
    Lost {
        /// Last moment at which what is shown was true.
        since: Timestamp,
        reason: String,
        retry_at: Timestamp,
        /// How many tries failed.
        attempt: u32,
        /// The version before; empty when there never was a connection.
        version: String,
    },
}

/// What the edge tells of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkMsg {
    Connected {
        version: String,
    },
    Lost {
        reason: String,
        retry_in_ms: u64,
        attempt: u32,
    },
}

impl Link {
    /// Takes what the edge told at `now`; says what is worth a notice.
    pub fn take(&mut self, msg: LinkMsg, now: Timestamp) -> Option<Notice> {
        match msg {
            LinkMsg::Connected { version } => {
                let lost_since = match self {
                    Self::Lost { since, version, .. } if !version.is_empty() => Some(*since),
                    _ => None,
                };
                *self = Self::Live { version };
                lost_since.map(|since| {
                    let seconds = now.duration_since(since).as_secs();
                    Notice::good(format!(
                        "connected again after {seconds} s; everything was listed anew"
                    ))
                })
            }
            LinkMsg::Lost {
                reason,
                retry_in_ms,
                attempt,
            } => {
                let wait = i64::try_from(retry_in_ms).unwrap_or(i64::MAX);
                let retry_at = now
                    .checked_add(SignedDuration::from_millis(wait))
                    .unwrap_or(now);
                let (since, version, first) = match self {
                    Self::Lost { since, version, .. } => (*since, std::mem::take(version), false),
                    Self::Live { version } => (now, std::mem::take(version), true),
                    Self::Connecting { since } => (*since, String::new(), true),
                };
                let notice = first.then(|| Notice::bad(format!("connection lost: {reason}")));
                *self = Self::Lost {
                    since,
                    reason,
                    retry_at,
                    attempt,
                    version,
                };
                notice
            }
        }
    }

    /// The cluster answers.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// Shows a number that changes every second.
    pub fn shows_seconds(&self) -> bool {
        !self.is_live()
    }
}
