//! The recent changes of one kind, for watches that resume.

use std::collections::VecDeque;

use super::Change;
use crate::sandbox::status::Status;

/// How many changes a kind keeps; a watch that falls further behind must list again.
const KEPT: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct History {
    changes: VecDeque<Change>,
    /// The newest version that is forgotten.
    compacted: u64,
}

impl History {
    pub(super) fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        if self.changes.len() > KEPT
            && let Some(gone) = self.changes.pop_front()
        {
            self.compacted = gone.version;
        }
    }

    pub(super) fn compact(&mut self, version: u64) {
        self.changes.clear();
        self.compacted = version;
    }

    pub(super) fn since(&self, version: u64) -> Result<Vec<Change>, Status> {
        if version < self.compacted {
            return Err(Status::expired(format!(
                "too old resource version: {version} ({})",
                self.compacted + 1
            )));
        }
        let from = self
            .changes
            .partition_point(|change| change.version <= version);
        Ok(self.changes.range(from..).cloned().collect())
    }
}
