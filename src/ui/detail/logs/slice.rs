//! The part of a log that is in sight: which lines, the gaps between them, and what is said at both ends.

use super::super::super::text;
use super::super::super::theme::{Theme, Tone};
use super::line;
use crate::app::runs::detail::logs::LogView;
use crate::domain::logs::{Follow, Gap, Log, LogLine};
use crate::sanitize::sanitize;
use ratatui::text::Line;
use std::collections::VecDeque;

pub(super) struct Slice<'a> {
    pub(super) log: &'a Log,
    pub(super) view: &'a LogView,
    /// The view was made for this very log.
    pub(super) is_of: bool,
    /// Number of the first line that is shown at all.
    pub(super) first: u64,
    pub(super) theme: &'a Theme,
    pub(super) room: usize,
    pub(super) height: usize,
}

impl Slice<'_> {
    /// The last lines.
    pub(super) fn tail(&self) -> Vec<Line<'static>> {
        let mut shown: VecDeque<Line<'static>> = self.end().into_iter().collect();
        for (number, line) in self.lines() {
            for part in self.line(number, line).into_iter().rev() {
                shown.push_front(part);
            }
            if shown.len() >= self.height {
                break;
            }
        }
        if shown.len() < self.height {
            let top = self.first.max(self.log.first());
            for part in self.beginning(top).into_iter().rev() {
                shown.push_front(part);
            }
        }
        let over = shown.len().saturating_sub(self.height);
        shown.into_iter().skip(over).collect()
    }

    /// The line that is on top when the last one is at the bottom; the first one of a log that fits whole.
    pub(super) fn last_top(&self) -> u64 {
        let mut left = self.height.saturating_sub(self.end().len());
        let mut top = self.log.end();
        for (number, line) in self.lines() {
            let rows = self.line(number, line).len();
            if rows > left {
                break;
            }
            left -= rows;
            top = number;
        }
        top.min(self.log.end().saturating_sub(1))
    }

    /// Lines from this number on.
    pub(super) fn from(&self, top: u64) -> Vec<Line<'static>> {
        let top = top.max(self.first);
        // What left the memory and is not read yet: as much as there is.
        let top = match self.at(top) {
            Some(_) => top,
            None => top.max(self.log.first()),
        };
        let mut shown = if top == self.first || self.at(top - 1).is_none() {
            self.beginning(top)
        } else {
            Vec::new()
        };
        for number in top..self.log.end() {
            let Some(line) = self.at(number) else {
                shown.push(self.mark("the lines below are being read", Tone::Muted));
                return shown;
            };
            shown.extend(self.line(number, line));
            if shown.len() >= self.height {
                return shown;
            }
        }
        shown.extend(self.end());
        shown
    }

    /// The line of that number, from memory or from what was read of the history.
    fn at(&self, number: u64) -> Option<&LogLine> {
        let page = self.view.earlier.page.as_ref();
        let earlier = || page.filter(|_| self.is_of)?.line(number);
        self.log.line(number).or_else(earlier)
    }

    /// The lines that may be shown, newest first.
    fn lines(&self) -> impl Iterator<Item = (u64, &LogLine)> {
        let first = self.first;
        self.log.lines().rev().take_while(move |(n, _)| *n >= first)
    }

    /// What is said before line `top`, the first one that is shown.
    fn beginning(&self, top: u64) -> Vec<Line<'static>> {
        if top == 0 {
            return Vec::new();
        }
        let before = text::count(usize::try_from(top).unwrap_or(usize::MAX), "earlier line");
        let words = match self.view.since {
            Some(minutes) if top == self.first => {
                format!("{before} older than {minutes}m; s shows all again")
            }
            _ => format!("{before} in the history file; up reads on"),
        };
        vec![self.mark(&words, Tone::Muted)]
    }

    /// What is said behind the last line.
    fn end(&self) -> Vec<Line<'static>> {
        let mut lines: Vec<Line> = self
            .log
            .gaps()
            .iter()
            .filter(|gap| gap.before >= self.log.total())
            .map(|gap| self.gap(gap))
            .collect();
        let lacking = self.log.total() - self.log.end();
        if lacking > 0 {
            let lacking = text::count(usize::try_from(lacking).unwrap_or(usize::MAX), "line");
            let words = format!("{lacking} more were read and are not kept");
            lines.push(self.mark(&words, Tone::Warning));
        }
        match self.log.follow() {
            Follow::Broken(reason) => lines.push(self.mark(
                &format!("the connection of the log dropped: {reason}; it is resumed without loss"),
                Tone::Warning,
            )),
            Follow::Gone(reason) => lines.push(self.mark(
                &format!("the log ends here, complete or not: {reason}"),
                Tone::Warning,
            )),
            Follow::Waiting | Follow::Following | Follow::Whole => {}
        }
        lines
    }

    fn gap(&self, gap: &Gap) -> Line<'static> {
        self.mark(
            &format!("lines are missing here: {}", gap.reason),
            Tone::Bad,
        )
    }

    fn mark(&self, words: &str, tone: Tone) -> Line<'static> {
        let gap = self.theme.glyphs().gap.repeat(2);
        let shown = format!("{gap} {} {gap}", sanitize(words));
        let shown = text::fit(&shown, self.room, self.theme.glyphs().ellipsis);
        Line::styled(shown, self.theme.tone(tone))
    }

    /// One line of the log as it is shown, after the gaps before it.
    fn line(&self, number: u64, line: &LogLine) -> Vec<Line<'static>> {
        let gaps = self.log.gaps().iter();
        let mut shown: Vec<Line> = gaps
            .filter(|gap| gap.before == number)
            .map(|gap| self.gap(gap))
            .collect();
        let from = shown.len();
        shown.extend(line::lines(line, self.view, self.theme, self.room));
        if self.view.mark == Some(number) {
            for part in &mut shown[from..] {
                *part = std::mem::take(part).patch_style(self.theme.selected(true));
            }
        }
        shown
    }
}
