//! What the slices leave behind in one call of `update`.

use super::notices::Notice;
use super::{Dialog, Effect, Pane};
use jiff::Timestamp;

/// What one call of `update` collects.
#[derive(Debug)]
pub struct Turn {
    pub now: Timestamp,
    pub effects: Vec<Effect>,
    pub notices: Vec<Notice>,
    /// Dialog to open on top.
    pub open: Option<Dialog>,
    /// Close the dialog on top (before `open` is looked at).
    pub close: bool,
    /// The pane to focus.
    pub focus: Option<Pane>,
}

impl Turn {
    /// An empty turn at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            effects: Vec::new(),
            notices: Vec::new(),
            open: None,
            close: false,
            focus: None,
        }
    }

    /// Tells the person something at the end of this turn.
    pub fn notice(&mut self, notice: Notice) {
        self.notices.push(notice);
    }
}
