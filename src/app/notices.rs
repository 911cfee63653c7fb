//! What the program told the person: the newest in the last line of the screen, all of it in the message history.

use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Good,
    Info,
    /// Worth a look; stays longer.
    Warning,
    /// Something failed; stays until the next notice.
    Bad,
}

/// One sentence for the person. A failure names what failed, on which object, why, and the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub weight: Weight,
    pub text: String,
}

impl Notice {
    fn new(weight: Weight, text: impl Into<String>) -> Self {
        Self {
            weight,
            text: text.into(),
        }
    }

    /// Something was done.
    pub fn good(text: impl Into<String>) -> Self {
        Self::new(Weight::Good, text)
    }

    /// Something to know.
    pub fn info(text: impl Into<String>) -> Self {
        Self::new(Weight::Info, text)
    }

    /// Something to look at.
    pub fn warning(text: impl Into<String>) -> Self {
        Self::new(Weight::Warning, text)
    }

    /// Something failed.
    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(Weight::Bad, text)
    }
}

/// The history, at most [`Notices::KEPT`] of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    kept: VecDeque<(Timestamp, Notice)>,
    /// Until when the newest is shown in the last line; absent: it is not shown any more.
    shown_until: Option<Timestamp>,
}

impl Notices {
    /// How many are kept.
    pub const KEPT: usize = 500;

    /// Adds one.
    pub fn push(&mut self, notice: Notice, now: Timestamp) {
        let seconds = match notice.weight {
            Weight::Good | Weight::Info => 6,
            Weight::Warning => 15,
            Weight::Bad => 3600,
        };
        self.shown_until = now.checked_add(SignedDuration::from_secs(seconds)).ok();
        if self.kept.len() == Self::KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((now, notice));
    }

    /// Takes the newest out of the last line when its time is over; says whether that changed anything.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let over = self.shown_until.is_some_and(|until| until <= now);
        if over {
            self.shown_until = None;
        }
        over
    }

    /// What the last line shows.
    pub fn current(&self) -> Option<&Notice> {
        self.shown_until?;
        self.kept.back().map(|(_, notice)| notice)
    }

    /// All that are kept, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &(Timestamp, Notice)> {
        self.kept.iter().rev()
    }
}
