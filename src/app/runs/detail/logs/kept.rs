//! What is asked of the log that the history keeps of a run, and what it answers.

use super::super::super::super::Turn;
use super::super::super::Effect as RunsEffect;
use crate::domain::logs::page::{Page, Spot};
use crate::domain::logs::quest::Findings;
use crate::domain::logs::wanted::Wanted;
use crate::domain::runs::RunId;
use crate::domain::runs::compare::logs::LogDiff;
use jiff::Timestamp;

/// What is asked. Where there is a number `ask`, the answer bears it: what was asked later counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read the newest lines, to have them in memory.
    Recall { run: RunId },
    /// Write the log to a file named after the Job in the current directory.
    Save { run: RunId, job: String },
    /// Look through the first `upto` lines. A look for another thing of the same kind that is under way ends.
    Seek {
        ask: u64,
        run: RunId,
        wanted: Wanted,
        upto: u64,
    },
    /// Read the lines around that number, none after `upto`.
    ReadPage {
        ask: u64,
        run: RunId,
        around: u64,
        upto: u64,
    },
    /// Find the first line, from `spot` on, that is not older than `from`.
    FindSince {
        ask: u64,
        run: RunId,
        from: Timestamp,
        spot: Spot,
    },
    /// Compare the logs of two runs, of each its first lines, so many.
    Compare {
        ask: u64,
        left: (RunId, u64),
        right: (RunId, u64),
    },
}

/// What was answered; a failure is a sentence that names the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// The newest lines of a log that is on disk only.
    Recalled { run: RunId, page: Page },
    /// A part was looked through; more come until its reading is over.
    Sought { ask: u64, findings: Findings },
    PageRead {
        ask: u64,
        page: Result<Page, String>,
    },
    SinceFound {
        ask: u64,
        spot: Result<Spot, String>,
    },
    Compared {
        ask: u64,
        diff: Result<LogDiff, String>,
    },
}

impl Turn {
    /// Asks the history.
    pub(in super::super::super) fn ask_log(&mut self, effect: Effect) {
        let effect = RunsEffect::KeptLog(effect);
        self.effects
            .push(super::super::super::super::Effect::Runs(effect));
    }
}
