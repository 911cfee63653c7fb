//! A run's log in memory: bounded lines, and what the executor contract finds in them (contract 5.7).

use jiff::Timestamp;

/// One piece of a followed log.
#[derive(Clone, Debug, PartialEq)]
pub enum LogEvent {
    Lines(Vec<LogLine>),
    /// The connection dropped; it is resumed without loss where the server still has the lines.
    Broken {
        reason: String,
    },
    /// Lines were lost and cannot be had again.
    Gap {
        reason: String,
    },
    /// The container ended and every line was read.
    Whole,
}

/// One line as the container wrote it (bytes made valid UTF-8, nothing else changed; sanitised when shown).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Option<Timestamp>,
    pub text: String,
}

/// The lines of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {}
