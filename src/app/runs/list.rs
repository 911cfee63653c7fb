//! The list: what it shows in which order.

use super::super::action::Action;
use super::super::notices::Notice;
use super::super::{Pane, Turn};
use super::Slice;
use crate::domain::runs::{Phase, Run, RunId};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use tui_input::InputRequest;

/// Order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    /// Living ones first, then by phase.
    State,
    Sample,
    /// The next to be removed first.
    Removal,
}

impl Sort {
    /// The word in the title.
    pub fn word(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::State => "state",
            Self::Sample => "sample",
            Self::Removal => "removal",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Newest => Self::State,
            Self::State => Self::Sample,
            Self::Sample => Self::Removal,
            Self::Removal => Self::Newest,
        }
    }
}

/// The text that the filter looks at.
pub fn haystack(run: &Run) -> String {
    format!(
        "{} {} {:?} {:?} {}",
        run.label(),
        run.sample.as_deref().unwrap_or("studio"),
        run.phase,
        run.verdict,
        run.reason.word
    )
    .to_lowercase()
}

impl Slice {
    /// Takes one editing key in the filter.
    pub fn edit_filter(&mut self, request: &InputRequest) {
        self.filter.edit(request);
        self.stale = true;
    }

    pub(super) fn act_list(&mut self, action: Action, page: usize, turn: &mut Turn) {
        match action {
            Action::Down => self.step(1, turn),
            Action::Up => self.step(-1, turn),
            Action::PageDown => self.step(isize::try_from(page).unwrap_or(1), turn),
            Action::PageUp => self.step(-isize::try_from(page).unwrap_or(1), turn),
            Action::Top => self.step(isize::MIN, turn),
            Action::Bottom => self.step(isize::MAX, turn),
            Action::Mark => {
                self.mark();
                self.step(1, turn);
            }
            Action::MarkAll => self.mark_all(),
            Action::Filter => self.filtering = true,
            Action::Sort => {
                self.sort = self.sort.next();
                self.stale = true;
            }
            Action::Accept if self.filtering => self.filtering = false,
            Action::Accept => {
                turn.focus = Some(Pane::Detail);
                self.opened_tab(turn);
            }
            Action::Dismiss if !self.filtering && !self.marked.is_empty() => self.marked.clear(),
            Action::Dismiss => {
                self.filtering = false;
                self.filter = super::Field::default();
                self.stale = true;
            }
            Action::NextTab | Action::Right => self.turn_tab(1, turn),
            Action::PreviousTab | Action::Left => self.turn_tab(-1, turn),
            Action::Copy => self.copy_job(turn),
            _ => {}
        }
    }

    /// Row of the selected run in [`Slice::visible`].
    pub fn row(&self) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        self.visible.iter().position(|id| id == selected)
    }

    fn step(&mut self, by: isize, turn: &mut Turn) {
        self.settle();
        let last = self.visible.len().saturating_sub(1);
        let row = self.row().unwrap_or(0).saturating_add_signed(by).min(last);
        self.select(self.visible.get(row).cloned(), turn);
    }

    fn select(&mut self, id: Option<RunId>, turn: &mut Turn) {
        if self.selected != id {
            self.selected = id;
            self.detail_top = 0;
            self.log_view.top = 0;
            self.log_view.follow = true;
            self.opened_tab(turn);
        }
    }

    fn copy_job(&self, turn: &mut Turn) {
        if let Some(run) = self.current() {
            let line = format!("kubectl -n {} get job {}", run.namespace, run.job);
            turn.notice(Notice::info(format!("copied: {line}")));
            turn.effects.push(super::super::Effect::Copy(line));
        }
    }

    /// Brings `visible` and the selection up to date.
    pub fn settle(&mut self) {
        if !self.stale {
            return;
        }
        self.stale = false;
        // Thousands of runs change all the time; which they are changes seldom.
        let plain = self.sort == Sort::Newest && self.filter.text().trim().is_empty();
        let whole = plain.then(|| self.all.membership());
        if whole.is_some() && whole == self.whole {
            return;
        }
        self.whole = whole;
        self.visible = self.shown().into_iter().map(|run| run.id.clone()).collect();
        // A run that was accepted is found under its old id and goes by its new one.
        let still = self.current().map(|run| run.id.clone());
        self.selected = still
            .filter(|id| self.filter.text().is_empty() || self.visible.contains(id))
            .or_else(|| self.visible.first().cloned());
    }

    fn shown(&self) -> Vec<&Run> {
        let mut runs: Vec<&Run> = if self.filter.text().trim().is_empty() {
            self.all.iter().collect()
        } else {
            let pattern = Pattern::parse(
                self.filter.text(),
                CaseMatching::Ignore,
                Normalization::Smart,
            );
            let mut matcher = Matcher::new(Config::DEFAULT);
            let mut buffer = Vec::new();
            self.all
                .iter()
                .filter(|run| {
                    let text = haystack(run);
                    let text = Utf32Str::new(&text, &mut buffer);
                    pattern.score(text, &mut matcher).is_some()
                })
                .collect()
        };
        match self.sort {
            Sort::Newest => {}
            Sort::State => runs.sort_by_key(|run| rank(run.phase)),
            Sort::Sample => runs.sort_by(|a, b| a.sample.cmp(&b.sample)),
            Sort::Removal => runs.sort_by_key(|run| {
                let gone = run.removal.is_some();
                (gone, run.expires_at().is_none(), run.expires_at())
            }),
        }
        runs
    }
}

fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Running | Phase::Started => 0,
        Phase::Dispatching | Phase::Queued | Phase::Pending => 1,
        Phase::Retained => 2,
        Phase::Deleting => 3,
        Phase::NotDispatched => 4,
        Phase::Removed => 5,
    }
}
