//! The reducer: facts in, runs out. Total, and free of clock and IO.

use super::{Run, RunId};
use crate::domain::logs::{LogEvent, LogLine};
use crate::domain::manifest::RunPlan;
use crate::domain::observed::{JobSeen, Seen};
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

/// How many runs there are of what kind; a run counts once in `running`, `pending`, `retained` or `gone`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub total: usize,
    /// Container running.
    pub running: usize,
    /// Asked for, queued or waiting for its container.
    pub pending: usize,
    /// Finished and still in the cluster, or being deleted.
    pub retained: usize,
    /// Removed, or never dispatched.
    pub gone: usize,
    /// Of the retained: those that the TTL removes within five minutes.
    pub expiring: usize,
}

/// All runs of a namespace by id, living and gone.
#[derive(Clone, Debug, Default)]
pub struct Runs {}

impl Runs {
    /// No runs yet; only Jobs of `namespace` will be taken as absent when a list does not name them.
    pub fn of(_namespace: impl Into<String>) -> Self {
        Self::default()
    }

    /// Takes one fact at `now`.
    pub fn observe(&mut self, _seen: Seen, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// Takes one piece of a run's log.
    pub fn log(&mut self, _run: &RunId, _event: LogEvent, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// A person asked for this run; it is listed before the API server answers. Gives its id, which stays valid (an alias) once the Job has a UID.
    pub fn dispatching(&mut self, _plan: &RunPlan, now: Timestamp) -> (RunId, Vec<Want>) {
        (
            RunId(format!("dispatch-{}", now.as_millisecond())),
            Vec::new(),
        )
    }

    /// The API server accepted the Job.
    pub fn accepted(&mut self, _id: &RunId, _job: JobSeen, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// The API server refused it, or was out of reach before it accepted: nothing ran. `why` names what failed and the next step.
    pub fn refused(&mut self, _id: &RunId, _why: String, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// This tool's user asked for the end of the run (cancel or remove): what follows is theirs.
    pub fn cancel_asked(&mut self, _id: &RunId, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// Takes runs of earlier sessions from the history; what the cluster shows goes before what they say.
    pub fn restore(&mut self, _runs: Vec<Run>) {}

    /// Time passed: gives up on logs that did not come within the collection time-out.
    pub fn tick(&mut self, _now: Timestamp) -> Vec<Want> {
        Vec::new()
    }

    /// All runs, newest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Run> {
        std::iter::empty()
    }

    /// The run of that id, or of the id it had while it was dispatched.
    pub fn find(&self, _id: &RunId) -> Option<&Run> {
        None
    }

    /// Puts lines that the history kept back into the log of a run that ended; they are the newest of it.
    pub fn recall(&mut self, _id: &RunId, _lines: Vec<LogLine>) {}

    /// How many of what; `now` decides which expire soon.
    pub fn counts(&self, _now: Timestamp) -> Counts {
        Counts::default()
    }

    /// The number for a new run: one more than the highest execution id seen.
    pub fn next_execution(&self) -> u64 {
        1
    }

    /// When a text about runs changes next by time alone; none when nothing counts.
    pub fn next_change(&self, _now: Timestamp) -> Option<Timestamp> {
        None
    }
}
