//! The detail of the selected run: its tabs.

pub mod logs;

use super::super::action::{Action, Context};
use super::super::notices::Notice;
use super::super::{Pane, Turn};
use super::{Effect, Slice};
use crate::domain::runs::Phase;
use crate::domain::target::Target;
use crate::domain::why::{Part, Why, kubectl_for};
use logs::kept;
use tui_input::InputRequest;

/// A tab of the run detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Timeline,
    Logs,
    Result,
    Events,
    Manifest,
}

impl Tab {
    /// All tabs in their order.
    pub const ALL: [Self; 5] = [
        Self::Timeline,
        Self::Logs,
        Self::Result,
        Self::Events,
        Self::Manifest,
    ];

    /// The word on the tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Timeline => "Timeline",
            Self::Logs => "Logs",
            Self::Result => "Result",
            Self::Events => "Events",
            Self::Manifest => "Manifest",
        }
    }
}

/// How the managed fields of a manifest are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManagedFields {
    /// In one line that names the managers.
    #[default]
    Folded,
    Whole,
}

impl ManagedFields {
    fn other(self) -> Self {
        match self {
            Self::Folded => Self::Whole,
            Self::Whole => Self::Folded,
        }
    }
}

impl Slice {
    /// Where keys are looked up while the detail has the focus.
    pub fn detail_context(&self) -> Context {
        match self.tab {
            Tab::Logs if self.searching => Context::LogSearch,
            Tab::Logs => Context::DetailLogs,
            _ => Context::Detail,
        }
    }

    /// Takes one editing key in the search of the log.
    pub fn edit_search(&mut self, request: &InputRequest, turn: &mut Turn) {
        let before = self.log_view.search.text().to_owned();
        self.log_view.search.edit(request);
        if self.log_view.search.text() != before {
            self.search_typed(turn);
        }
    }

    /// Takes one action in the detail.
    pub fn act_detail(&mut self, action: Action, page: usize, target: &Target, turn: &mut Turn) {
        match action {
            Action::NextTab | Action::Right => self.turn_tab(1, turn),
            Action::PreviousTab | Action::Left => self.turn_tab(-1, turn),
            Action::Dismiss if self.searching => {
                self.searching = false;
                self.end_search();
            }
            Action::Accept if self.searching => self.searching = false,
            Action::Dismiss if !self.log_view.search.text().is_empty() => self.end_search(),
            Action::Dismiss => turn.focus = Some(Pane::Runs),
            Action::SaveLog => self.save_log(turn),
            Action::Copy => self.copy_tab(target, turn),
            Action::CopyKubectl => self.copy_kubectl(target, turn),
            Action::Unfold => {
                self.managed_fields = self.managed_fields.other();
                (self.manifest, self.tab) = (None, Tab::Manifest);
                self.opened_tab(turn);
            }
            _ if self.tab == Tab::Logs => self.act_log(action, page, turn),
            Action::Follow
            | Action::Times
            | Action::Wrap
            | Action::Search
            | Action::PrettyLog
            | Action::LogSince
            | Action::ToMarker
            | Action::ToResult
            | Action::NextError
            | Action::PreviousError => {
                self.tab = Tab::Logs;
                turn.focus = Some(Pane::Detail);
                self.opened_tab(turn);
                self.act_log(action, page, turn);
            }
            _ => self.detail_top = moved(self.detail_top, action, page),
        }
    }

    pub(super) fn turn_tab(&mut self, by: isize, turn: &mut Turn) {
        let at = Tab::ALL.iter().position(|t| *t == self.tab).unwrap_or(0);
        let count = Tab::ALL.len();
        let next = (at + count).saturating_add_signed(by) % count;
        self.tab = Tab::ALL[next];
        self.detail_top = 0;
        self.opened_tab(turn);
    }

    /// The tab or the run under it changed: ask for what is not in memory.
    pub(super) fn opened_tab(&mut self, turn: &mut Turn) {
        if self.tab == Tab::Logs {
            self.look_at_current(turn);
        }
        let Some(run) = self.current() else { return };
        let (id, job) = (run.id.clone(), run.job.clone());
        let effect = match self.tab {
            Tab::Logs if run.log.total() > 0 && run.log.lines().next().is_none() => {
                Effect::KeptLog(kept::Effect::Recall { run: id })
            }
            Tab::Manifest
                if !matches!(
                    run.phase,
                    Phase::Dispatching | Phase::NotDispatched | Phase::Removed
                ) && self.manifest.as_ref().is_none_or(|(of, _)| *of != id) =>
            {
                Effect::FetchManifest {
                    run: id,
                    job,
                    whole: self.managed_fields == ManagedFields::Whole,
                }
            }
            _ => return,
        };
        turn.effects.push(super::super::Effect::Runs(effect));
    }

    fn save_log(&self, turn: &mut Turn) {
        match self.current() {
            Some(run) if run.log.total() > 0 => {
                let (run, job) = (run.id.clone(), run.job.clone());
                turn.ask_log(kept::Effect::Save { run, job });
            }
            _ => turn.notice(Notice::info("there is no log to save yet")),
        }
    }

    fn copy_tab(&self, target: &Target, turn: &mut Turn) {
        let Some(run) = self.current() else { return };
        let text = match self.tab {
            Tab::Logs => run
                .log
                .lines()
                .filter(|(n, _)| *n >= self.log_view.first(&run.log))
                .map(|(_, line)| line.text.as_str())
                .collect::<Vec<_>>()
                .join("\n"),
            Tab::Result => run
                .executor
                .as_ref()
                .map(|result| result.raw.to_string())
                .unwrap_or_default(),
            Tab::Manifest => match &self.manifest {
                Some((of, yaml)) if *of == run.id => yaml.clone(),
                _ => String::new(),
            },
            Tab::Timeline => {
                let why = Why::of(run, target, turn.now);
                let parts = [Some(why.sentence), why.last_line, why.fix];
                parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
            }
            Tab::Events => run
                .events
                .iter()
                .map(|event| {
                    let (at, reason, message) = (event.last, &event.reason, &event.message);
                    format!("{at} {reason} {}/{}: {message}", event.kind, event.name)
                })
                .collect::<Vec<_>>()
                .join("\n"),
        };
        if text.is_empty() {
            return turn.notice(Notice::info("there is nothing to copy here yet"));
        }
        let left_out = match self.tab {
            Tab::Logs if self.log_view.first(&run.log) < run.log.first() => {
                "; the lines in memory, ctrl-s saves all"
            }
            _ => "",
        };
        turn.notice(Notice::info(format!(
            "copied: {} ({} characters{left_out})",
            self.tab.title(),
            text.chars().count()
        )));
        turn.effects.push(super::super::Effect::Copy(text));
    }
}

impl Slice {
    fn copy_kubectl(&self, target: &Target, turn: &mut Turn) {
        let Some(run) = self.current() else { return };
        let part = match self.tab {
            Tab::Timeline => Part::Job,
            Tab::Logs => Part::Log,
            Tab::Result => Part::Result,
            Tab::Events => Part::Events,
            Tab::Manifest => Part::Manifest,
        };
        let line = kubectl_for(run, target, part);
        turn.notice(Notice::info(format!("copied: {line}")));
        turn.effects.push(super::super::Effect::Copy(line));
    }
}

fn moved(top: usize, action: Action, page: usize) -> usize {
    match action {
        Action::Down => top.saturating_add(1),
        Action::Up => top.saturating_sub(1),
        Action::PageDown => top.saturating_add(page),
        Action::PageUp => top.saturating_sub(page),
        Action::Top => 0,
        Action::Bottom => usize::MAX,
        _ => top,
    }
}
