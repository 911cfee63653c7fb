//! Looks at a Studio's database and brings it to the Kubernetes-only form, or back (contract 3.7, 3.8).
//!
//! The rules are in [`crate::domain::migration`]; here are the two engines. Each plans on a connection that cannot write,
//! applies in one transaction that ends with its own verification, and restores from a backup in one more.

pub mod checks;
pub mod error;
pub mod postgres;
pub mod sqlite;

use super::crypto::{DEFAULT_SECRET, Secret, is_sealed};
use crate::domain::migration::backup::Line;
use crate::domain::migration::settings::{Sealed, SettingRow};
use crate::domain::migration::{Options, Step};
use crate::domain::settings::key::Key;
use jiff::Timestamp;
use std::time::Duration;

/// What a migration needs to know.
#[derive(Clone, Debug)]
pub struct Request {
    pub options: Options,
    /// Studio's `FLASK_SECRET_KEY`, when somebody named it. Nothing is encrypted without it.
    pub secret: Option<Secret>,
    /// The time that changed settings rows get.
    pub now: Timestamp,
    /// Longest wait for somebody else's lock.
    pub patience: Duration,
}

/// Takes the lines of a backup.
pub type Keep<'a> = dyn FnMut(Line<'_>) -> std::io::Result<()> + Send + 'a;

/// Hears how far the work is.
pub type Told<'a> = dyn FnMut(Step) + Send + 'a;

/// Rows that are read, changed and held in memory at a time.
const BATCH: i64 = 5_000;

impl Request {
    /// The look at the stored kubeconfig.
    fn sealed(&self, rows: &[SettingRow]) -> Option<Sealed> {
        let row = rows
            .iter()
            .find(|row| row.key == Key::K8sKubeconfig.name())?;
        if row.value.trim().is_empty() {
            return None;
        }
        let default = Secret::new(DEFAULT_SECRET);
        Some(match (is_sealed(&row.value), &self.secret) {
            (false, Some(_)) => Sealed::InClear,
            (false, None) => Sealed::InClearNoSecret,
            (true, _) if default.open(&row.value).is_ok() => Sealed::WithTheDefault,
            (true, Some(secret)) if secret.open(&row.value).is_ok() => Sealed::Readable,
            (true, _) => Sealed::Unreadable,
        })
    }
}
