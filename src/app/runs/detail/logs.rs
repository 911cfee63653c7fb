//! How the log of the selected run is looked at: where, since when, and what is searched in it.

use super::super::super::Turn;
use super::super::super::action::Action;
use super::super::super::notices::Notice;
use super::super::super::text::Field;
use super::super::Slice;
use crate::domain::contract::Line;
use crate::domain::logs::{Log, is_error};
use crate::domain::runs::Run;
use jiff::SignedDuration;

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
        }
    }
}

impl LogView {
    /// Number of the first line that is shown at all.
    pub fn first(&self, log: &Log) -> u64 {
        self.since.map_or(log.first(), |minutes| {
            log.since(SignedDuration::from_mins(minutes))
        })
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
    /// Takes one action in the log.
    pub(super) fn act_log(&mut self, action: Action, page: usize, turn: &mut Turn) {
        let view = &self.log_view;
        let Some((first, end)) = self
            .current()
            .map(|run| (view.first(&run.log), run.log.total()))
        else {
            return;
        };
        let last = end.saturating_sub(1).max(first);
        let view = &mut self.log_view;
        let from = if view.follow {
            end.saturating_sub(page as u64)
        } else {
            view.top
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
                return;
            }
            Action::Follow => {
                view.follow = !view.follow;
                view.top = from.clamp(first, last);
                return;
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
                return;
            }
            Action::Search | Action::Filter => {
                self.searching = true;
                return;
            }
            Action::NextMatch => return self.jump(true, false),
            Action::PreviousMatch => return self.jump(false, false),
            Action::ToMarker | Action::ToResult | Action::NextError | Action::PreviousError => {
                return self.go_to(action, turn);
            }
            _ => return,
        };
        view.follow = false;
        view.mark = None;
        view.top = to.clamp(first, last);
    }

    /// Goes to the next or previous line that has the searched text; `here` counts the line on top too.
    pub(super) fn jump(&mut self, forward: bool, here: bool) {
        let wanted = self.log_view.search.text().to_lowercase();
        if wanted.is_empty() {
            return;
        }
        let from = self.place();
        let hit = |text: &str| text.to_lowercase().contains(&wanted);
        if let Some(run) = self.current()
            && let Some(n) = nearest(run, self.log_view.first(&run.log), from, forward, here, hit)
        {
            self.stand(n);
        }
    }

    /// Goes to the marker, the result or an error.
    fn go_to(&mut self, action: Action, turn: &mut Turn) {
        let from = self.place();
        let Some(run) = self.current() else { return };
        let first = self.log_view.first(&run.log);
        let (found, what) = match action {
            Action::ToMarker => {
                let hit =
                    |text: &str| matches!(Line::of(text), Line::Started | Line::StartedEvent(_));
                (nearest(run, first, None, true, true, hit), "start marker")
            }
            Action::ToResult => {
                let hit = |text: &str| matches!(Line::of(text), Line::Result(_));
                (nearest(run, first, None, false, true, hit), "result line")
            }
            Action::NextError => (
                nearest(run, first, from, true, false, is_error),
                "error below",
            ),
            _ => (
                nearest(run, first, from, false, false, is_error),
                "error above",
            ),
        };
        match found {
            Some(n) => self.stand(n),
            None => turn.notice(Notice::info(format!(
                "there is no {what} among the lines here"
            ))),
        }
    }

    /// The line that a search starts at; none before the first.
    fn place(&self) -> Option<u64> {
        let view = &self.log_view;
        view.mark.or((!view.follow).then_some(view.top))
    }

    fn stand(&mut self, line: u64) {
        let view = &mut self.log_view;
        view.follow = false;
        view.mark = Some(line);
        // Some lines before it are in sight as well: what led to an error stands above it.
        view.top = line.saturating_sub(2);
    }
}

/// The nearest line from `from` on (from either end when there is none) that `hit` likes; `here` counts that line too.
fn nearest(
    run: &Run,
    first: u64,
    from: Option<u64>,
    forward: bool,
    here: bool,
    hit: impl Fn(&str) -> bool,
) -> Option<u64> {
    let behind = |n: u64| from.is_none_or(|from| n > from || (here && n == from));
    let before = |n: u64| from.is_none_or(|from| n < from);
    let mut lines = run.log.lines();
    let found = if forward {
        lines.find(|(n, line)| *n >= first && behind(*n) && hit(&line.text))
    } else {
        lines
            .rev()
            .find(|(n, line)| *n >= first && before(*n) && hit(&line.text))
    };
    found.map(|(n, _)| n)
}
