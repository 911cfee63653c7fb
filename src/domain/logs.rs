//! A run's log in memory: bounded lines, gaps, the state of the follow, and what the executor contract finds in it (contract 5.7).

use super::contract::Reader;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// One piece of a followed log, in the order in which a follower sends them: `Opened` first, any number of the middle ones, `Whole` or `Gone` last.
#[derive(Clone, Debug, PartialEq)]
pub enum LogEvent {
    /// The stream is open from the container's first line; what was kept of this run's log before is replaced by what comes.
    Opened {
        container_id: String,
    },
    Lines(Vec<LogLine>),
    /// The connection dropped; it is resumed without loss where the server still has the lines.
    Broken {
        reason: String,
    },
    /// The dropped connection is back, at the line after the last one.
    Resumed,
    /// Lines were lost and cannot be had again.
    Gap {
        reason: String,
    },
    /// The container ended and every line was read.
    Whole,
    /// Nothing more can be read, and it is not known whether this was all: the pod is gone.
    Gone {
        reason: String,
    },
}

/// One line as the container wrote it (bytes made valid UTF-8, nothing else changed; sanitised when shown).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Option<Timestamp>,
    pub text: String,
}

/// How far the reading of a log is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum Follow {
    /// No container has run yet, or the stream is not open yet.
    #[default]
    Waiting,
    Following,
    /// Dropped, being resumed.
    Broken(String),
    /// Every line is here.
    Whole,
    /// What is here is all there will be, complete or not.
    Gone(String),
}

/// Lines lost between line `before - 1` and line `before`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Number of the first line after the loss, counted from 0.
    pub before: u64,
    pub reason: String,
}

/// What is known of a log without its lines; this is what a run's record on disk holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSummary {
    /// The container whose log it is; empty when none was read.
    pub container_id: String,
    /// Lines read in all.
    pub lines: u64,
    /// Bytes read in all, line breaks not counted.
    pub bytes: u64,
    pub follow: Follow,
    pub gaps: Vec<Gap>,
}

/// The lines of one run: the newest ones in memory, the numbers of all.
///
/// Lines are numbered from 0 in the order they were read. Lines before [`Log::first`] are no longer in memory; the history file has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "LogSummary", into = "LogSummary")]
pub struct Log {
    summary: LogSummary,
    lines: VecDeque<LogLine>,
    bytes: usize,
    reader: Reader,
}

impl Log {
    /// The numbers of the whole log, without its lines.
    pub fn summary(&self) -> &LogSummary {
        &self.summary
    }

    /// How far the reading is.
    pub fn follow(&self) -> &Follow {
        &self.summary.follow
    }

    /// Lines that were lost.
    pub fn gaps(&self) -> &[Gap] {
        &self.summary.gaps
    }

    /// Lines read in all, in memory or not.
    pub fn total(&self) -> u64 {
        self.summary.lines
    }

    /// Number of the oldest line in memory.
    pub fn first(&self) -> u64 {
        self.summary.lines - self.lines.len() as u64
    }

    /// The lines in memory with their numbers, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = (u64, &LogLine)> {
        let first = self.first();
        self.lines
            .iter()
            .enumerate()
            .map(move |(n, line)| (first + n as u64, line))
    }

    /// What the contract found in it.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}

impl From<LogSummary> for Log {
    fn from(summary: LogSummary) -> Self {
        Self {
            summary,
            ..Self::default()
        }
    }
}

impl From<Log> for LogSummary {
    fn from(log: Log) -> Self {
        log.summary
    }
}
