//! The runs in the UI: the list, the detail of the selected one, the dialog that starts one.

mod acts;
pub mod again;
pub mod cancel;
pub mod compare;
pub mod detail;
pub mod dialog;
pub mod editor;
pub mod form;
pub mod list;
mod news;
pub mod orphans;
mod start;

use super::action::{Action, Context};
use super::notices::Notice;
use super::text::Field;
use super::{Pane, Turn};
use crate::domain::cancel::{CancelPlan, CancelStep};
use crate::domain::logs::LogEvent;
use crate::domain::manifest::asked::Asked;
use crate::domain::manifest::{RunOptions, RunPlan, RunSettings, plan_run};
use crate::domain::observed::{JobSeen, Seen};
use crate::domain::orphans::Orphan;
use crate::domain::preflight::{Facts, Place};
use crate::domain::runs::lifecycle::GivenUp;
use crate::domain::runs::{Run, RunId, Runs, Ttl};
use crate::domain::samples::Sample;
use crate::domain::target::Target;
use again::{Then, Unread};
use detail::logs::{LogView, kept};
use detail::{ManagedFields, Tab};
use dialog::RunDialog;
use editor::Language;
use jiff::Timestamp;
use list::Sort;
use news::News;
use serde_json::Value;
use std::collections::BTreeSet;

/// State of the runs list, the detail and the dialog.
#[derive(Debug, Default)]
pub struct Slice {
    pub all: Runs,
    pub samples: Vec<Sample>,
    /// Follows the run and not the row.
    pub selected: Option<RunId>,
    /// Marked for an action on all of them.
    pub marked: BTreeSet<RunId>,
    pub filter: Field,
    /// The filter is being typed.
    pub filtering: bool,
    pub sort: Sort,
    /// What the list shows, in its order; brought up to date by [`Slice::settle`].
    pub visible: Vec<RunId>,
    /// `visible` is older than what it is made of.
    stale: bool,
    /// The membership that `visible` was made of, when it holds all runs in their own order.
    whole: Option<u64>,
    pub tab: Tab,
    /// First row in sight of the tabs that are plain pages.
    pub detail_top: usize,
    pub log_view: LogView,
    /// The search of the log is being typed.
    pub searching: bool,
    /// Manifest of a run, once fetched.
    pub manifest: Option<(RunId, String)>,
    pub managed_fields: ManagedFields,
    pub dialog: RunDialog,
    /// Requests that wait for a look at the cluster before they are sent again.
    once_more: Vec<again::OnceMore>,
    news: News,
    /// What runs left behind, once it was looked for.
    pub orphans: Option<Vec<Orphan>>,
    /// Which of them is selected, and which are marked, by UID.
    pub left_over: orphans::Choice,
    /// The two that are compared.
    pub compared: Option<compare::Compared>,
    /// The cancels of this session, oldest first.
    pub cancels: Vec<cancel::Cancel>,
}

/// What happened to runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    SamplesRead(Vec<Sample>),
    /// Runs of earlier days, from the history on disk.
    Restored(Vec<Run>),
    /// The API server has the Job.
    Accepted {
        run: RunId,
        job: Box<JobSeen>,
    },
    /// Nobody knows whether it was created.
    Unanswered {
        run: RunId,
        why: String,
    },
    /// Nothing was created; the sentence says why and what to do.
    Refused {
        run: RunId,
        why: String,
    },
    Log {
        run: RunId,
        event: LogEvent,
    },
    /// What the history answered about a log that it keeps.
    KeptLog(kept::Msg),
    ManifestFetched {
        run: RunId,
        yaml: String,
    },
    Previewed {
        yaml: String,
    },
    /// What the run dialog wanted to know of the cluster.
    Preflighted(Box<Facts>),
    /// The same for runs that are to be sent again.
    LookedAgain(Box<Facts>),
    PayloadWritten {
        text: String,
        language: Language,
    },
    /// What a text says, or where it is neither JSON nor YAML.
    PayloadRead {
        revision: u64,
        result: Result<Value, String>,
    },
    CancelStepped {
        run: RunId,
        step: CancelStep,
    },
    /// What came of a run that did not start in time.
    GivenUp {
        run: RunId,
        outcome: GivenUp,
    },
    /// What a run asked for, for what was to be done with it.
    RequestRead {
        run: RunId,
        then: Then,
        asked: Box<Result<Asked, Unread>>,
    },
    /// What runs left behind.
    OrphansFound(Vec<Orphan>),
    /// The Job has that time to live now, and no other reaper sees it.
    Kept {
        run: RunId,
        ttl: Ttl,
    },
}

/// What runs ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Create {
        run: RunId,
        plan: Box<RunPlan>,
    },
    /// Follow a container's log from its first line, and keep it in the history.
    FollowLog {
        run: RunId,
        pod: String,
        container_id: String,
    },
    /// Keep the run in the history.
    Record(Box<Run>),
    Cancel {
        run: RunId,
        job: String,
        plan: CancelPlan,
    },
    Remove {
        run: RunId,
        job: String,
    },
    /// Stop it, unless its container began.
    GiveUp {
        run: RunId,
        job: String,
    },
    Keep {
        run: RunId,
        job: String,
        ttl: Ttl,
    },
    /// Look for what runs left behind.
    FindOrphans,
    /// Remove it, then look again.
    RemoveOrphans(Vec<Orphan>),
    FetchManifest {
        run: RunId,
        job: String,
        /// With its managed fields.
        whole: bool,
    },
    /// Read what a run asked for, so that it can be asked once more.
    ReadRequest {
        run: RunId,
        job: String,
        then: Then,
    },
    /// Ask the history about a log that it keeps.
    KeptLog(kept::Effect),
    /// Show the objects of a run before they are created.
    Preview(Box<RunPlan>),
    /// Look at what runs there need, for the run dialog.
    Preflight(Place),
    /// The same for runs that are to be sent again.
    PreflightAgain(Place),
    /// Write a payload as text.
    WritePayload {
        document: Value,
        language: Language,
    },
    /// Read a payload's text.
    ReadPayload {
        text: String,
        revision: u64,
    },
}

/// What a run needs to know of the rest of the state.
#[derive(Clone, Debug)]
pub struct Around {
    pub settings: RunSettings,
    pub cancel: CancelPlan,
    /// What is wrong in the settings: a run must not quietly use another value than the one somebody wrote.
    pub problem: Option<String>,
    /// `llmctl @ MINIKUBE llmctl`: namespace and cluster, for questions.
    pub place: String,
    pub target: Target,
}

impl Around {
    /// The objects of a run.
    ///
    /// # Errors
    /// What is wrong in the settings or in what was asked for; nothing was created.
    fn plan(
        &self,
        sample: &Sample,
        execution: u64,
        options: &RunOptions,
    ) -> Result<RunPlan, String> {
        if let Some(problem) = &self.problem {
            return Err(format!("the settings have a problem: {problem}"));
        }
        plan_run(sample, execution, &self.settings, options).map_err(|refusal| refusal.to_string())
    }
}

impl Slice {
    /// No runs yet, of `namespace`.
    pub fn of(namespace: &str, target: &Target) -> Self {
        Self {
            all: Runs::of(namespace),
            news: News::of(target),
            ..Self::default()
        }
    }

    /// The selected run.
    pub fn current(&self) -> Option<&Run> {
        self.all.find(self.selected.as_ref()?)
    }

    /// Takes one fact of the cluster.
    pub fn seen(&mut self, seen: Seen, turn: &mut Turn) {
        let wants = self.all.observe(seen, turn.now);
        self.stale = true;
        self.want(wants, turn);
    }

    /// One second passed.
    pub fn tick(&mut self, turn: &mut Turn) {
        let wants = self.all.tick(turn.now);
        self.stale |= !wants.is_empty();
        self.want(wants, turn);
        self.expiring(turn);
        if self.tab == Tab::Logs {
            self.look_at_current(turn);
            self.find_since(turn);
        }
    }

    /// A text about runs changes between `before` and `now` by time alone.
    pub fn ages(&self, before: Timestamp, now: Timestamp) -> bool {
        let counting = self
            .cancels
            .iter()
            .any(|cancel| cancel.left(before).is_some());
        counting || self.all.next_change(before).is_some_and(|at| at <= now)
    }

    /// Takes an answer of the world.
    pub fn update(&mut self, msg: Msg, around: &Around, turn: &mut Turn) {
        match msg {
            Msg::SamplesRead(samples) => self.samples = samples,
            Msg::Restored(runs) => {
                let wants = self.all.restore(runs, turn.now);
                self.stale = true;
                self.want(wants, turn);
            }
            Msg::Accepted { run, job } => {
                let wants = self.all.accepted(&run, *job, turn.now);
                self.stale = true;
                self.want(wants, turn);
            }
            Msg::Unanswered { run, why } => {
                turn.notice(Notice::bad(why.clone()));
                let wants = self.all.unanswered(&run, why, turn.now);
                self.stale = true;
                self.want(wants, turn);
            }
            Msg::Refused { run, why } => {
                turn.notice(Notice::bad(why.clone()));
                let wants = self.all.refused(&run, why, turn.now);
                self.stale = true;
                self.want(wants, turn);
            }
            Msg::Log { run, event } => {
                self.stale |= !matches!(event, LogEvent::Lines(_));
                self.log_comes(&run, &event);
                let began = matches!(event, LogEvent::Opened { .. });
                let wants = self.all.log(&run, event, turn.now);
                self.log_came(&run, began, turn);
                self.want(wants, turn);
            }
            Msg::KeptLog(msg) => self.kept_log(msg, turn),
            Msg::ManifestFetched { run, yaml } => self.manifest = Some((run, yaml)),
            Msg::Previewed { yaml } => self.dialog.preview = Some(yaml),
            Msg::RequestRead { run, then, asked } => {
                self.request_read(&run, then, *asked, around, turn);
            }
            Msg::OrphansFound(found) => {
                self.left_over.stay_with(&found);
                self.orphans = Some(found);
            }
            Msg::Kept { run, ttl } => self.kept(&run, ttl, turn),
            Msg::Preflighted(facts) => self.preflighted(*facts, around),
            Msg::LookedAgain(facts) => self.looked_again(&facts, around, turn),
            Msg::PayloadWritten { text, language } => self.payload_written(&text, language, turn),
            Msg::PayloadRead { revision, result } => self.payload_read(revision, result),
            Msg::CancelStepped { run, step } => self.cancel_stepped(run, step, turn),
            Msg::GivenUp { run, outcome } => self.given_up(&run, &outcome, turn),
        }
    }

    /// Where keys are looked up while the list has the focus.
    pub fn list_context(&self) -> Context {
        if self.filtering {
            Context::RunsFilter
        } else {
            Context::Runs
        }
    }

    /// Takes one action in the list, or one about the selected run from anywhere.
    pub fn act(&mut self, action: Action, page: usize, around: &Around, turn: &mut Turn) {
        match action {
            Action::NewRun => self.open_dialog(around, turn),
            Action::RunAgain => self.once_more(Then::Again, around, turn),
            Action::CloneRun => self.once_more(Then::Clone, around, turn),
            Action::CancelRun => self.ask_cancel(around, turn),
            Action::RemoveRun => self.ask_remove(around, turn),
            Action::KeepRun => self.keep(turn),
            Action::ExtendRun => self.extend(turn),
            Action::Compare => self.compare(turn),
            Action::ShowOrphans => self.show_orphans(turn),
            Action::Logs => {
                self.tab = Tab::Logs;
                turn.focus = Some(Pane::Detail);
                self.opened_tab(turn);
            }
            other => self.act_list(other, page, turn),
        }
    }
}
