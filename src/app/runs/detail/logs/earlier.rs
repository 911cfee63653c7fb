//! Lines that left the memory: the page of them that is in sight, read from the history as the view goes there.

use super::super::super::super::Turn;
use super::super::super::super::notices::Notice;
use super::super::super::Slice;
use super::LogView;
use super::kept::Effect;
use crate::domain::logs::Log;
use crate::domain::logs::page::{Page, Spot};
use jiff::{SignedDuration, Timestamp};

/// Lines that are about to leave the memory when so many come at once.
const SOON: u64 = 8192;

/// What was read from the history for the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    pub page: Option<Page>,
    /// Number of the question for a page that is under way.
    asked: Option<u64>,
    /// The line that goes on top once it is read; until then what was in sight stays.
    going: Option<u64>,
    /// Where the lines begin that are not too old, when that is not in memory.
    since: Since,
}

/// The beginning of the last minutes, in the history.
#[derive(Clone, Debug, Default, PartialEq)]
struct Since {
    spot: Option<Spot>,
    /// The time that `spot` was found for.
    from: Option<Timestamp>,
    asked: Option<u64>,
    /// It could not be read; it is not asked again by itself.
    failed: bool,
}

impl Earlier {
    /// The top of the view, or where it is about to go.
    pub(super) fn top(&self, view: &LogView) -> u64 {
        self.going.unwrap_or(view.top)
    }

    /// Goes nowhere any more.
    pub(super) fn stay(&mut self) {
        self.going = None;
    }

    /// Another span of time is looked at.
    pub(super) fn other_since(&mut self) {
        self.since = Since::default();
    }

    /// The first line of the last minutes, as it was found in the history.
    pub(super) fn since(&self) -> Option<u64> {
        self.since.spot.map(|spot| spot.line)
    }
}

impl LogView {
    /// Lines `from` to before `to` can all be shown.
    fn covers(&self, log: &Log, from: u64, to: u64) -> bool {
        let (memory, to) = (log.first(), to.min(log.end()));
        from >= memory
            || self
                .earlier
                .page
                .as_ref()
                .is_some_and(|page| page.numbers().contains(&from) && page.end() >= to.min(memory))
    }
}

impl Slice {
    /// Puts a line on top, once it can be shown.
    pub(super) fn go(&mut self, top: u64, turn: &mut Turn) {
        let selected = self.selected.as_ref();
        let Some(run) = selected.and_then(|id| self.all.find(id)) else {
            return;
        };
        let (view, log) = (&mut self.log_view, &run.log);
        let rows = view.rows();
        if std::mem::take(&mut view.follow) {
            view.top = log.end().saturating_sub(rows);
        }
        if view.covers(log, top, top + rows) {
            view.top = top;
            view.earlier.going = None;
        } else {
            view.earlier.going = Some(top);
        }
        self.read_on(turn);
    }

    /// Asks for the lines that are about to be in sight.
    fn read_on(&mut self, turn: &mut Turn) {
        let Some(run) = self.current() else { return };
        let (view, log) = (&self.log_view, &run.log);
        let (rows, top) = (view.rows(), view.earlier.top(view));
        let near = top.saturating_sub(rows).max(view.first(log));
        let at_hand = view.covers(log, near, top + 2 * rows);
        if view.follow || at_hand || view.earlier.asked.is_some() || log.first() == 0 {
            return;
        }
        self.ask_page(top, turn);
    }

    fn ask_page(&mut self, around: u64, turn: &mut Turn) {
        let Some(run) = self.current() else { return };
        let (run, upto) = (run.id.clone(), run.log.total());
        let ask = self.log_view.next_ask();
        self.log_view.earlier.asked = Some(ask);
        turn.ask_log(Effect::ReadPage {
            ask,
            run,
            around,
            upto,
        });
    }

    /// Takes a page.
    pub(super) fn page_read(&mut self, ask: u64, read: Result<Page, String>, turn: &mut Turn) {
        let view = &mut self.log_view;
        if view.earlier.asked != Some(ask) {
            return;
        }
        view.earlier.asked = None;
        let going = view.earlier.going;
        match read {
            Ok(page) => {
                let here = going.is_some_and(|top| page.numbers().contains(&top));
                view.earlier.page = Some(page);
                match going {
                    Some(top) if here => {
                        view.top = top;
                        view.earlier.going = None;
                    }
                    // Meanwhile somebody went on.
                    Some(top) => self.go(top, turn),
                    None => {}
                }
            }
            Err(why) => {
                view.earlier.going = None;
                if going.is_none() {
                    return;
                }
                turn.notice(Notice::bad(format!("earlier lines cannot be shown: {why}")));
                // As far as one can go.
                if view.mark.is_none()
                    && let Some(run) = self.current()
                {
                    self.log_view.top = run.log.first();
                }
            }
        }
    }

    /// Lines came: what is in sight stays there, though it may leave the memory.
    pub(super) fn hold_still(&mut self, turn: &mut Turn) {
        let Some(run) = self.current() else { return };
        let (view, log) = (&self.log_view, &run.log);
        let leaving = log.first() > 0 && view.top < log.first() + SOON;
        let page = view.earlier.page.as_ref();
        let held = page.is_some_and(|page| {
            let last = (view.top + view.rows()).min(page.first.max(log.first()));
            page.numbers().contains(&view.top) && page.end() >= last
        });
        if !view.follow && leaving && !held && view.earlier.asked.is_none() {
            self.ask_page(view.top, turn);
        }
    }

    /// Asks where the last minutes begin, when that is before the lines in memory.
    pub(in super::super::super) fn find_since(&mut self, turn: &mut Turn) {
        let Some(run) = self.current() else { return };
        let (view, log) = (&self.log_view, &run.log);
        let Some(minutes) = view.since else { return };
        let span = SignedDuration::from_mins(minutes);
        let since = &view.earlier.since;
        let from = log.before_newest(span);
        let here = log.first() == 0 || log.since(span) > log.first();
        if here || from.is_none() || from == since.from || since.failed || since.asked.is_some() {
            return;
        }
        let (run, spot) = (run.id.clone(), since.spot.unwrap_or_default());
        let ask = self.log_view.next_ask();
        let since = &mut self.log_view.earlier.since;
        (since.asked, since.from) = (Some(ask), from);
        if let Some(from) = from {
            turn.ask_log(Effect::FindSince {
                ask,
                run,
                from,
                spot,
            });
        }
    }

    /// Takes where the last minutes begin.
    pub(super) fn since_found(&mut self, ask: u64, spot: Result<Spot, String>, turn: &mut Turn) {
        let since = &mut self.log_view.earlier.since;
        if since.asked != Some(ask) {
            return;
        }
        since.asked = None;
        match spot {
            Ok(spot) => since.spot = Some(spot),
            Err(why) => {
                since.failed = true;
                turn.notice(Notice::bad(format!(
                    "the last minutes are shown as far as they are in memory: {why}"
                )));
            }
        }
    }
}
