//! The runs in the UI: the list, the detail of the selected one, the dialog that starts one.

use super::Turn;
use super::action::{Action, Context};
use super::text::Field;
use crate::domain::logs::LogEvent;
use crate::domain::observed::Seen;
use crate::domain::runs::{Run, RunId, Runs};
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

/// Order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    State,
    Sample,
    Removal,
}

/// How the log is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct LogView {
    /// The newest line stays in sight.
    pub follow: bool,
    /// Times before the lines.
    pub times: bool,
    pub wrap: bool,
    /// First line in sight when not following, counted from the first kept line.
    pub top: usize,
    pub search: Field,
    pub searching: bool,
}

impl Default for LogView {
    fn default() -> Self {
        Self {
            follow: true,
            times: false,
            wrap: false,
            top: 0,
            search: Field::default(),
            searching: false,
        }
    }
}

/// State of the runs list, the detail and the dialog.
#[derive(Debug, Default)]
pub struct Slice {
    pub all: Runs,
    /// Follows the run and not the row.
    pub selected: Option<RunId>,
    pub filter: Field,
    /// The filter is being typed.
    pub filtering: bool,
    pub sort: Sort,
    /// What the list shows, in its order; brought up to date by [`Slice::settle`].
    pub visible: Vec<RunId>,
    pub tab: Tab,
    /// First row in sight of the tabs that are plain pages.
    pub detail_top: usize,
    pub log_view: LogView,
    /// Manifest of the selected run, once fetched.
    pub manifest: Option<(RunId, String)>,
}

/// What happened to runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    Log {
        run: RunId,
        event: LogEvent,
    },
    /// Runs of earlier days, from the history on disk.
    Restored(Vec<Run>),
    ManifestFetched {
        run: RunId,
        yaml: String,
    },
}

/// What runs ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    FollowLog {
        run: RunId,
        pod: String,
        container_id: String,
    },
    FetchManifest {
        run: RunId,
        job: String,
    },
}

impl Slice {
    /// The selected run.
    pub fn current(&self) -> Option<&Run> {
        self.all.find(self.selected.as_ref()?)
    }

    /// Where keys are looked up while the dialog is open.
    pub fn dialog_context(&self) -> Context {
        Context::RunDialog
    }

    /// Where keys are looked up while the list has the focus.
    pub fn list_context(&self) -> Context {
        if self.filtering {
            Context::RunsFilter
        } else {
            Context::Runs
        }
    }

    /// Where keys are looked up while the detail has the focus.
    pub fn detail_context(&self) -> Context {
        match self.tab {
            Tab::Logs if self.log_view.searching => Context::LogSearch,
            Tab::Logs => Context::DetailLogs,
            _ => Context::Detail,
        }
    }

    /// Takes one action in the list.
    pub fn act(&mut self, action: Action, page: usize, turn: &mut Turn) {
        let _ = (action, page, turn);
    }

    /// Takes one action in the detail.
    pub fn act_detail(&mut self, action: Action, page: usize, turn: &mut Turn) {
        let _ = (action, page, turn);
    }

    /// Takes one action in the dialog.
    pub fn act_dialog(&mut self, action: Action, turn: &mut Turn) {
        let _ = (action, turn);
    }

    /// Takes one editing key in the dialog.
    pub fn edit_dialog(&mut self, request: &InputRequest) {
        let _ = request;
    }

    /// Takes one editing key in the filter.
    pub fn edit_filter(&mut self, request: &InputRequest) {
        self.filter.edit(request);
    }

    /// Takes one editing key in the search of the log.
    pub fn edit_search(&mut self, request: &InputRequest) {
        self.log_view.search.edit(request);
    }

    /// Takes one fact of the cluster.
    pub fn seen(&mut self, seen: Seen, turn: &mut Turn) {
        let _ = self.all.observe(seen, turn.now);
    }

    /// Takes an answer of the world.
    pub fn update(&mut self, msg: Msg, turn: &mut Turn) {
        let _ = (msg, turn);
    }

    /// One second passed.
    pub fn tick(&mut self, turn: &mut Turn) {
        let _ = turn;
    }

    /// Some visible text of the list or the detail counts seconds.
    pub fn shows_seconds(&self) -> bool {
        true
    }

    /// Brings `visible` and the selection up to date.
    pub fn settle(&mut self) {}
}
