//! Studio's settings: rows of `integration_settings` with the provider `node_executor` (contract 3, 3.4, 3.8). Rows of other
//! providers and keys that are not known here are never touched.

mod write;

use super::crypto::{self, Secret};
use super::error::Error;
use super::postgres::Postgres;
use crate::domain::hidden::Hidden;
use crate::domain::settings::held::{Held, StoredChange};
use crate::domain::settings::key::Key;
use crate::domain::settings::kubeconfig::Stored;
use jiff::Timestamp;
use std::future::Future;
use std::time::Duration;
use write::Change;

/// The rows that are the executor's.
const PROVIDER: &str = "node_executor";

/// Longest wait for a whole exchange, the lock included: a server that went away without a word is noticed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Studio's settings at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    pub held: Held,
    /// Absent: none is stored.
    pub kubeconfig: Option<Sealed>,
}

/// The kubeconfig as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    text: Hidden,
    updated_at: Timestamp,
}

impl Sealed {
    /// What may be told of it, read with this secret.
    pub fn stored(&self, secret: &Secret) -> Stored {
        let opened = secret.open(self.text.reveal());
        Stored {
            encrypted: crypto::is_sealed(self.text.reveal()),
            fingerprint: opened.as_ref().ok().map(|text| crypto::fingerprint(text)),
            unreadable: opened.err().map(|why| why.to_string()),
            updated_at: self.updated_at,
        }
    }
}

impl Postgres {
    /// Reads all settings at one moment.
    ///
    /// # Errors
    /// When the connection is lost, or it is no Studio's database.
    pub async fn settings(&mut self) -> Result<Rows, Error> {
        let doing = "reading the settings";
        let place = self.place().to_owned();
        let client = self.client();
        let asked = "SELECT key, value, updated_at FROM integration_settings WHERE provider = $1 ORDER BY key";
        let rows = in_time(&place, doing, client.query(asked, &[&PROVIDER])).await?;
        let rows: Vec<(String, String, Timestamp)> = rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
            .collect::<Result<_, _>>()
            .map_err(|e| Error::while_doing(&place, doing, &e))?;
        let texts = rows.iter().map(|(key, text, _)| (&key[..], &text[..]));
        Ok(Rows {
            held: Held::of_rows(place, texts),
            kubeconfig: rows
                .iter()
                .find(|(key, ..)| key == Key::K8sKubeconfig.name())
                .map(|(_, text, updated_at)| Sealed {
                    text: Hidden::new(text),
                    updated_at: *updated_at,
                }),
        })
    }

    /// Makes the changes in one transaction under Studio's lock, and checks in it that they are there. A blank text takes
    /// the row out, so that the default holds.
    ///
    /// # Errors
    /// [`Error::Changed`] when a row is not what `seen` says; [`Error::Locked`] when somebody else held the lock for 10 s.
    /// Nothing is changed then, nor after any other error but [`Error::Uncertain`].
    pub async fn write_settings(
        &mut self,
        seen: &Held,
        changes: &[StoredChange],
        now: Timestamp,
    ) -> Result<(), Error> {
        let known = |key: &Key| key.is_studio_row() && !key.is_secret();
        let rows: Vec<(&str, Option<&str>)> = Key::ALL
            .iter()
            .filter(|key| known(key))
            .map(|key| (key.name(), seen.texts.get(key).map(String::as_str)))
            .collect();
        let changes: Vec<Change<'_>> = changes
            .iter()
            .filter(|change| known(&change.key))
            .map(|change| Change {
                key: change.key.name(),
                to: change.to.as_deref().filter(|text| !text.trim().is_empty()),
            })
            .collect();
        self.write(&rows, &changes, now).await
    }

    /// Encrypts and stores a kubeconfig, or with none takes the stored one out. `seen` is what was there when it was looked at.
    ///
    /// # Errors
    /// As [`Postgres::write_settings`]; also when this machine has no random bytes.
    pub async fn write_kubeconfig(
        &mut self,
        seen: Option<&Sealed>,
        new: Option<(&Hidden, &Secret)>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let sealed = new
            .map(|(text, secret)| secret.seal(text.reveal(), now))
            .transpose()
            .map_err(|why| Error::Unsealed {
                reason: why.to_string(),
            })?;
        let key = Key::K8sKubeconfig.name();
        let rows = [(key, seen.map(|sealed| sealed.text.reveal()))];
        let changes = [Change {
            key,
            to: sealed.as_deref(),
        }];
        self.write(&rows, &changes, now).await
    }
}

/// Runs one exchange with the time limit, and puts errors in our words.
async fn in_time<T>(
    place: &str,
    doing: &str,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|e| Error::while_doing(place, doing, &e)),
        Err(_) => Err(Error::Lost {
            place: place.to_owned(),
            doing: doing.to_owned(),
        }),
    }
}
