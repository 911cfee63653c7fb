//! The recent changes of one kind, for watches that resume, and how a change is kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::state::Name;
use super::{Change, Changed, Documents};
use crate::sandbox::kinds::Kind;
use crate::sandbox::packed::Packed;
use crate::sandbox::status::Status;

/// How many changes a kind keeps; a watch that falls further behind must list again.
const KEPT: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct History {
    steps: VecDeque<Arc<Step>>,
    /// The newest version that is forgotten.
    compacted: u64,
}

/// One change, as it is kept: for whoever is behind, its documents wait packed.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) what: Changed,
    pub(super) kind: Kind,
    pub(super) version: u64,
    pub(super) name: Name,
    pub(super) object: Packed,
    pub(super) before: Option<Packed>,
    /// The documents while somebody has them.
    pub(super) documents: Mutex<Weak<Documents>>,
}

impl Step {
    /// The change with its documents, which all who read it at one time share.
    pub(super) fn change(&self) -> Change {
        let mut shared = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let documents = shared.upgrade().unwrap_or_else(|| {
            let unpacked = |packed: &Packed| Arc::new(packed.unpack());
            let fresh = Arc::new(Documents::new(
                unpacked(&self.object),
                self.before.as_ref().map(unpacked),
            ));
            *shared = Arc::downgrade(&fresh);
            fresh
        });
        Change::new(self.what, self.kind, self.version, documents)
    }
}

impl History {
    pub(super) fn push(&mut self, step: Arc<Step>) {
        self.steps.push_back(step);
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
    ) -> Result<impl DoubleEndedIterator<Item = &Arc<Step>>, Status> {
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
        Ok(self.steps(version)?.map(|step| step.change()).collect())
    }
}
