//! The recent changes of one kind, for watches that resume.

use std::collections::VecDeque;
use std::sync::Arc;

use super::state::Name;
use super::{Change, Changed};
use crate::sandbox::kinds::Kind;
use crate::sandbox::packed::Packed;
use crate::sandbox::status::Status;

/// How many changes a kind keeps; a watch that falls further behind must list again.
const KEPT: usize = 4096;

/// How many of the newest are kept as documents too, for the watches that are up to date.
const FRESH: usize = 32;

#[derive(Debug, Default)]
pub(super) struct History {
    steps: VecDeque<Step>,
    /// The newest version that is forgotten.
    compacted: u64,
}

/// One change, as it is kept.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) what: Changed,
    pub(super) kind: Kind,
    pub(super) version: u64,
    pub(super) name: Name,
    pub(super) object: Packed,
    pub(super) before: Option<Packed>,
    /// The change with its documents, while it is new.
    pub(super) fresh: Option<Change>,
}

impl Step {
    fn change(&self) -> Change {
        self.fresh.clone().unwrap_or_else(|| {
            let before = self.before.as_ref().map(|packed| Arc::new(packed.unpack()));
            let object = Arc::new(self.object.unpack());
            Change::new(self.what, self.kind, object, before, self.version)
        })
    }
}

impl History {
    pub(super) fn push(&mut self, step: Step) {
        self.steps.push_back(step);
        if let Some(stale) = self.steps.len().checked_sub(FRESH + 1) {
            self.steps[stale].fresh = None;
        }
        if self.steps.len() > KEPT
            && let Some(gone) = self.steps.pop_front()
        {
            self.compacted = gone.version;
        }
    }

    pub(super) fn compact(&mut self, version: u64) {
        self.steps.clear();
        self.compacted = version;
    }

    /// The steps after a version, in order.
    pub(super) fn steps(
        &self,
        version: u64,
    ) -> Result<impl DoubleEndedIterator<Item = &Step>, Status> {
        if version < self.compacted {
            return Err(Status::expired(format!(
                "too old resource version: {version} ({})",
                self.compacted + 1
            )));
        }
        let from = self.steps.partition_point(|step| step.version <= version);
        Ok(self.steps.range(from..))
    }

    pub(super) fn since(&self, version: u64) -> Result<Vec<Change>, Status> {
        Ok(self.steps(version)?.map(Step::change).collect())
    }
}
