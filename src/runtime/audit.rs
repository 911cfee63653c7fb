//! An audit: the checkout from the disk, and what Compose left on this machine.

use crate::docker;
use crate::domain::audit::{Report, leftovers};
use crate::files::audit::{self, AuditError};
use std::path::Path;

/// What an audit came to.
#[derive(Debug)]
pub struct Audit {
    pub report: Report,
    /// Why this machine could not be asked, when it was.
    pub silent_engine: Option<String>,
}

/// Reads the checkout at `root`; with `engine` also asks the Docker Engine of this machine, where there is one.
///
/// # Errors
/// When there is no such directory, or the reading broke off.
pub async fn audit(root: &Path, engine: bool) -> Result<Audit, AuditError> {
    let path = root.to_owned();
    let read = tokio::task::spawn_blocking(move || audit::audit(&path)).await;
    let mut report = read.map_err(|error| AuditError::NoDirectory {
        path: root.to_owned(),
        reason: format!("reading it broke off ({error})"),
    })??;
    let mut silent_engine = None;
    if let Some(socket) = docker::socket().filter(|_| engine) {
        match docker::leftovers(&socket).await {
            Ok(found) => {
                let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
                let root = root.to_string_lossy();
                let root = root.trim_end_matches("/.");
                report.findings.extend(leftovers::judge(&found, root));
            }
            Err(error) => silent_engine = Some(error.to_string()),
        }
    }
    Ok(Audit {
        report,
        silent_engine,
    })
}
