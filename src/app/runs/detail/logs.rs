//! How the log of the selected run is looked at: where, since when, and what is searched in it. The log is one, whether its lines are in
//! memory or in the history only.

pub mod earlier;
pub mod kept;
pub mod quests;

use super::super::super::Turn;
use super::super::super::action::Action;
use super::super::super::text::Field;
use super::super::Slice;
use crate::domain::logs::quest::Way;
use crate::domain::logs::{Log, LogEvent};
use crate::domain::runs::{Run, RunId};
use earlier::Earlier;
use jiff::SignedDuration;
use quests::Quests;

/// What `s` goes through, in minutes before the newest line; then all again.
const SINCE: [i64; 4] = [1, 5, 15, 60];

/// How lines that are JSON are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Json {
    AsPrinted,
    LaidOut,
}

/// How the log is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct LogView {
    /// The newest line stays in sight.
    pub follow: bool,
    /// Times before the lines.
    pub times: bool,
    pub wrap: bool,
    pub json: Json,
    /// Only lines of so many minutes before the newest one.
    pub since: Option<i64>,
    /// Number of the first line in sight when not following (numbers as [`Log`] counts).
    pub top: u64,
    /// The line that a jump went to.
    pub mark: Option<u64>,
    pub search: Field,
    pub quests: Quests,
    pub earlier: Earlier,
    /// The run whose log it is.
    pub of: Option<RunId>,
    /// Rows that the last frame had for it.
    pub rows: usize,
    /// Questions to the history so far.
    pub asks: u64,
}

impl Default for LogView {
    fn default() -> Self {
        Self {
            follow: true,
            times: false,
            wrap: false,
            json: Json::AsPrinted,
            since: None,
            top: 0,
            mark: None,
            search: Field::default(),
            quests: Quests::default(),
            earlier: Earlier::default(),
            of: None,
            rows: 40,
            asks: 0,
        }
    }
}

impl LogView {
    /// Number of the first line that is shown at all.
    pub fn first(&self, log: &Log) -> u64 {
        let Some(minutes) = self.since else { return 0 };
        let span = SignedDuration::from_mins(minutes);
        if log.before_newest(span).is_none() {
            return 0;
        }
        match (log.since(span), self.earlier.since()) {
            (here, Some(there)) if here == log.first() => here.min(there),
            (here, _) => here,
        }
    }

    /// It was made for the log of that run.
    pub fn is_of(&self, run: &Run) -> bool {
        self.of.as_ref() == Some(&run.id)
    }

    fn rows(&self) -> u64 {
        self.rows.max(1) as u64
    }

    pub(in super::super) fn next_ask(&mut self) -> u64 {
        self.asks += 1;
        self.asks
    }

    /// What `s` chooses next.
    fn next_since(&mut self) {
        self.since = match self.since {
            None => SINCE.first().copied(),
            Some(minutes) => SINCE.into_iter().find(|next| *next > minutes),
        };
    }
}

impl Slice {
    /// Another run may be selected than the one that was looked at.
    pub(in super::super) fn look_at_current(&mut self, turn: &mut Turn) {
        let current = self.current().map(|run| run.id.clone());
        let view = &mut self.log_view;
        if view.of == current {
            return;
        }
        view.of = current;
        (view.top, view.follow, view.mark) = (0, true, None);
        self.look_anew(turn);
    }

    /// The numbers of the lines mean others than before.
    fn look_anew(&mut self, turn: &mut Turn) {
        let view = &mut self.log_view;
        (view.quests, view.earlier) = (Quests::default(), Earlier::default());
        self.search_anew(turn);
        self.find_since(turn);
    }

    /// Takes one action in the log.
    pub(super) fn act_log(&mut self, action: Action, page: usize, turn: &mut Turn) {
        self.look_at_current(turn);
        let view = &self.log_view;
        let Some((first, end)) = self
            .current()
            .map(|run| (view.first(&run.log), run.log.end()))
        else {
            return;
        };
        let last = end.saturating_sub(1).max(first);
        let view = &mut self.log_view;
        let from = if view.follow {
            end.saturating_sub(page as u64)
        } else {
            view.earlier.top(view)
        };
        let to = match action {
            Action::Down => from + 1,
            Action::Up => from.saturating_sub(1),
            Action::PageDown => from + page as u64,
            Action::PageUp => from.saturating_sub(page as u64),
            Action::Top => first,
            Action::Bottom => {
                view.follow = true;
                view.mark = None;
                return self.stay();
            }
            Action::Follow if view.follow => from,
            Action::Follow => {
                view.follow = true;
                return self.stay();
            }
            Action::Times => {
                view.times = !view.times;
                return;
            }
            Action::Wrap => {
                view.wrap = !view.wrap;
                return;
            }
            Action::PrettyLog => {
                view.json = match view.json {
                    Json::AsPrinted => Json::LaidOut,
                    Json::LaidOut => Json::AsPrinted,
                };
                return;
            }
            Action::LogSince => {
                view.next_since();
                view.earlier.other_since();
                return self.find_since(turn);
            }
            Action::Search | Action::Filter => {
                self.searching = true;
                return;
            }
            Action::NextMatch => return self.jump(Way::Down, false, turn),
            Action::PreviousMatch => return self.jump(Way::Up, false, turn),
            Action::ToMarker | Action::ToResult | Action::NextError | Action::PreviousError => {
                return self.go_to(action, turn);
            }
            _ => return,
        };
        if action != Action::Follow {
            view.mark = None;
        }
        view.quests.stay();
        self.go(to.clamp(first, last), turn);
    }

    /// No jump and no page is waited for any more.
    fn stay(&mut self) {
        self.log_view.quests.stay();
        self.log_view.earlier.stay();
    }

    /// A piece of a run's log is about to be taken: its lines are looked at as they came, before they are cut for the memory.
    pub(in super::super) fn log_comes(&mut self, run: &RunId, event: &LogEvent) {
        let LogEvent::Lines(lines) = event else {
            return;
        };
        if let Some(first) = self.in_view(run) {
            self.log_view.quests.came(first, lines);
        }
    }

    /// A piece of a run's log was taken.
    pub(in super::super) fn log_came(&mut self, run: &RunId, began: bool, turn: &mut Turn) {
        if self.in_view(run).is_none() {
            return;
        }
        if began {
            self.look_anew(turn);
        }
        self.hold_still(turn);
    }

    /// Lines of the run's log so far, when it is the one that is looked at.
    fn in_view(&self, run: &RunId) -> Option<u64> {
        // It may go by another id than the one it was followed under.
        let run = self.all.find(run)?;
        (self.log_view.of.as_ref() == Some(&run.id)).then(|| run.log.total())
    }

    /// Takes what the history answered.
    pub(in super::super) fn kept_log(&mut self, msg: kept::Msg, turn: &mut Turn) {
        match msg {
            kept::Msg::Recalled { run, page } => {
                self.all.recall(&run, page);
                self.find_since(turn);
            }
            kept::Msg::Sought { ask, findings } => self.sought(ask, findings, turn),
            kept::Msg::PageRead { ask, page } => self.page_read(ask, page, turn),
            kept::Msg::SinceFound { ask, spot } => self.since_found(ask, spot, turn),
            kept::Msg::Compared { ask, diff } => self.logs_compared(ask, diff),
        }
    }
}

#[cfg(test)]
mod tests;
