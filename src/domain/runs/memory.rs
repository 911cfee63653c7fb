//! What a run takes in memory, and how it takes less once the history has it.

use super::entry::Entry;
use crate::domain::contract::ExecutorResult;

impl Entry {
    /// Bytes of its log lines and of its result: what a run may take much of.
    pub(super) fn weight(&self) -> usize {
        let result = self.run.executor.as_ref().map_or(0, ExecutorResult::weight);
        self.run.log.memory() + result
    }

    /// Drops what the history has, if nothing is added to it any more.
    pub(super) fn slim(&mut self) {
        if self.run.log.is_over() {
            self.run.log.forget();
            if let Some(result) = &mut self.run.executor {
                result.slim();
            }
        }
    }
}
