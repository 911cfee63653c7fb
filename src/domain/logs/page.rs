//! Lines of a log that were read from the history file.

use super::LogLine;
use std::ops::Range;

/// Lines in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Number of the first one, counted from 0.
    pub first: u64,
    pub lines: Vec<LogLine>,
}

impl Page {
    /// Number after the last one.
    pub fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// The line of that number, if it is here.
    pub fn line(&self, number: u64) -> Option<&LogLine> {
        let at = number.checked_sub(self.first)?;
        self.lines.get(usize::try_from(at).ok()?)
    }

    /// The numbers of the lines that are here.
    pub fn numbers(&self) -> Range<u64> {
        self.first..self.end()
    }
}

/// The beginning of a line in a history file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// Number of the line, counted from 0.
    pub line: u64,
    /// Bytes before it.
    pub offset: u64,
}
