//! The reducer: facts in, runs out. Total, and free of clock and IO.

use super::{Run, RunId};
use crate::domain::logs::LogEvent;
use crate::domain::observed::Seen;
use jiff::Timestamp;

/// What a fact asks the caller to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// Follow the log of this container from its beginning, once per container id.
    FollowLog {
        run: RunId,
        pod: String,
        container_id: String,
    },
    /// The run changed in a way that the history on disk must keep.
    Record(RunId),
    /// The run got its verdict.
    Ended(RunId),
    /// The run left the cluster.
    Removed(RunId),
}

/// All runs of a namespace by id, living and gone.
#[derive(Clone, Debug, Default)]
pub struct Runs {}

impl Runs {
    /// Takes one fact at `now`.
    pub fn observe(&mut self, _seen: Seen, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// Takes one piece of a run's log.
    pub fn log(&mut self, _run: &RunId, _event: LogEvent, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// All runs, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Run> {
        std::iter::empty()
    }

    /// The run of that id.
    pub fn find(&self, _id: &RunId) -> Option<&Run> {
        None
    }
}
