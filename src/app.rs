//! State, messages, effects and the one `update` function. Synchronous and total: no clock, no IO, no randomness.
//!
//! A message comes in, the state changes, effects come out; each effect carries all its inputs and is answered by
//! one message. One slice per noun; what a slice asks of the whole it leaves in the [`Turn`].

pub mod action;
pub mod checks;
mod inside;
pub mod limits;
pub mod link;
pub mod notices;
pub mod overlays;
pub mod page;
pub mod palette;
pub mod question;
pub mod runs;
pub mod settings;
pub mod text;
pub mod turn;

use crate::domain::observed::Seen;
use crate::domain::occasion::Occasion;
use crate::domain::target::{Target, TargetKind};
use action::{Action, Context};
use jiff::Timestamp;
use link::{Link, LinkMsg};
use notices::{Notice, Notices};
use tui_input::InputRequest;
use turn::Turn;

/// A pane of the main screen that can hold the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    Overlays,
    Settings,
    #[default]
    Runs,
    /// The detail of the selected run, below the list.
    Detail,
    /// Studio's database and the checkout: what is left of what was removed.
    Checks,
}

/// What lies over the main screen; the last one gets the keys. Its contents live in the slice of its noun.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// Start a sample run.
    Run,
    /// The settings form.
    Settings,
    /// The diff of an overlay, before it is applied.
    Diff,
    Question(Box<question::Question>),
    Help,
    Palette,
    Messages,
    /// What runs left behind.
    Orphans,
    /// Two runs side by side.
    Compare,
    /// What a check found.
    Checks,
}

/// Everything that a frame is drawn from.
#[derive(Debug)]
pub struct State {
    pub target: Target,
    pub namespace: String,
    /// The target's time, set before each message: moments are kept finer than the tick.
    pub now: Timestamp,
    /// The last tick; what counts seconds was drawn for it.
    ticked: Timestamp,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    pub link: Link,
    pub focus: Pane,
    pub dialogs: Vec<Dialog>,
    pub runs: runs::Slice,
    pub settings: settings::Slice,
    pub overlays: overlays::Slice,
    pub checks: checks::Slice,
    /// What the sandbox's faults make wrong now, in words.
    pub faults: Vec<String>,
    pub notices: Notices,
    pub palette: palette::Palette,
    /// First line shown of the help, the message history and other plain pages.
    pub page_top: usize,
    /// A visible text changed since the last frame.
    pub dirty: bool,
    pub quit: bool,
}

/// Everything that can happen.
#[derive(Debug)]
pub enum Msg {
    /// A key that the key table knows, in the context it was pressed in.
    Do(Action),
    /// A key in a text field.
    Edit(InputRequest),
    Paste(String),
    Resized(u16, u16),
    /// One second passed; carries the target's own time.
    Ticked(Timestamp),
    Link(LinkMsg),
    Seen(Seen),
    Runs(runs::Msg),
    Settings(settings::Msg),
    Overlays(overlays::Msg),
    Checks(checks::Msg),
    /// What the sandbox's faults make wrong from now on, in words; none is none (demo only).
    Faults(Vec<String>),
    /// Something to tell the person.
    Noticed(Notice),
}

/// Everything that `update` can ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Runs(runs::Effect),
    Settings(settings::Effect),
    Overlays(overlays::Effect),
    Checks(checks::Effect),
    /// Tell somebody who looks elsewhere. Not loud: many come at once, and the last one has just been told.
    Announce {
        occasion: Box<Occasion>,
        loud: bool,
    },
    /// Put text on the clipboard of the terminal.
    Copy(String),
    /// Change a switch of the sandbox's fault machinery (demo only).
    Fault(action::Fault),
}

impl State {
    /// A state that knows nothing of the cluster yet.
    pub fn new(
        target: Target,
        namespace: String,
        now: Timestamp,
        settings: settings::Slice,
    ) -> Self {
        Self {
            now,
            ticked: now,
            size: (80, 24),
            link: Link::Connecting { since: now },
            focus: Pane::default(),
            dialogs: Vec::new(),
            runs: runs::Slice::of(&namespace, &target),
            settings,
            overlays: overlays::Slice::default(),
            checks: checks::Slice::default(),
            faults: Vec::new(),
            notices: Notices::default(),
            palette: palette::Palette::default(),
            page_top: 0,
            dirty: true,
            quit: false,
            namespace,
            target,
        }
    }

    /// Where a key is pressed: the innermost place that has keys of its own.
    pub fn context(&self) -> Context {
        match self.dialogs.last() {
            Some(Dialog::Run) => self.runs.dialog_context(),
            Some(Dialog::Settings) => self.settings.context(),
            Some(Dialog::Diff) => self.overlays.context(),
            Some(Dialog::Question(question)) => question.context(),
            Some(Dialog::Help) => Context::Help,
            Some(Dialog::Messages) => Context::Messages,
            Some(Dialog::Orphans) => self.runs.orphans_context(),
            Some(Dialog::Compare) => Context::Compare,
            Some(Dialog::Palette) => Context::Palette,
            Some(Dialog::Checks) => self.checks.context(),
            None => match self.focus {
                Pane::Overlays => self.overlays.list_context(),
                Pane::Settings => Context::Settings,
                Pane::Runs => self.runs.list_context(),
                Pane::Detail => self.runs.detail_context(),
                Pane::Checks => Context::Checks,
            },
        }
    }

    /// From so many columns on, the header's clock has seconds.
    pub const WIDE: u16 = 100;

    /// What runs need to know of the rest.
    pub fn around(&self) -> runs::Around {
        runs::Around {
            settings: self.settings.for_runs(&self.namespace),
            cancel: self.settings.cancel_plan(),
            problem: self.settings.hindrance(),
            place: format!("{} @ {}", self.namespace, self.target.badge()),
            target: self.target.clone(),
        }
    }

    /// Brings what is derived up to date; called once before a frame and not for each message.
    pub fn settle(&mut self) {
        self.runs.settle();
    }

    /// Rows that a list can be expected to show: the step of the page keys.
    pub fn page(&self) -> usize {
        usize::from(self.size.1 / 2).max(1)
    }
}

/// Takes one message and says what is to be done in the world.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let mut turn = Turn::new(state.now);
    if !matches!(msg, Msg::Ticked(_)) {
        state.dirty = true;
    }
    match msg {
        Msg::Do(action) => act(state, action, &mut turn),
        Msg::Edit(request) => inside::edit(state, &request, &mut turn),
        Msg::Paste(text) => {
            let lines = matches!(state.context(), Context::Payload | Context::SettingsList);
            for c in text
                .chars()
                .filter(|c| !c.is_control() || (lines && *c == '\n'))
            {
                inside::edit(state, &InputRequest::InsertChar(c), &mut turn);
            }
        }
        Msg::Resized(columns, rows) => state.size = (columns, rows),
        Msg::Ticked(now) => tick(state, now, &mut turn),
        Msg::Link(msg) => {
            if let Some(notice) = state.link.take(msg, state.now) {
                turn.notice(notice);
            }
            state.overlays.linked(state.link.is_live(), &mut turn);
            state.settings.linked(state.link.is_live(), &mut turn);
            state.checks.linked(state.link.is_live(), &mut turn);
        }
        Msg::Seen(seen) => state.runs.seen(seen, &mut turn),
        Msg::Runs(msg) => {
            let around = state.around();
            state.runs.update(msg, &around, &mut turn);
        }
        Msg::Settings(msg) => state.settings.update(msg, &mut turn),
        Msg::Overlays(msg) => {
            // An overlay may have brought other settings.
            if matches!(msg, overlays::Msg::Applied { .. }) {
                state.settings.look(&mut turn);
            }
            state.overlays.update(msg, &mut turn);
        }
        Msg::Checks(msg) => state.checks.update(msg, &mut turn),
        Msg::Faults(on) => state.faults = on,
        Msg::Noticed(notice) => turn.notice(notice),
    }
    finish(state, turn)
}

fn finish(state: &mut State, turn: Turn) -> Vec<Effect> {
    if turn.close {
        state.dialogs.pop();
    }
    if let Some(dialog) = turn.open {
        state.page_top = 0;
        state.dialogs.push(dialog);
    }
    if let Some(pane) = turn.focus {
        state.focus = pane;
    }
    for notice in turn.notices {
        state.notices.push(notice, state.now);
    }
    turn.effects
}

fn tick(state: &mut State, now: Timestamp, turn: &mut Turn) {
    let minute = |t: Timestamp| t.as_second().div_euclid(60);
    let shows_seconds = state.size.0 >= State::WIDE
        || state.link.shows_seconds()
        || state.runs.ages(state.ticked, now);
    state.dirty |= shows_seconds || minute(now) != minute(state.ticked);
    state.dirty |= state.notices.expire(now);
    state.now = now;
    state.ticked = now;
    turn.now = now;
    let patience = state.settings.effective().log_collection_timeout;
    state.runs.all.set_patience(patience);
    state.runs.tick(turn);
}

fn act(state: &mut State, action: Action, turn: &mut Turn) {
    match action {
        Action::Quit => state.quit = true,
        Action::Help => turn.open = Some(Dialog::Help),
        Action::Messages => turn.open = Some(Dialog::Messages),
        Action::Palette => {
            state.palette = palette::Palette::open(state.target.kind == TargetKind::Sandbox);
            turn.open = Some(Dialog::Palette);
        }
        Action::Focus(pane) => {
            state.focus = pane;
            if pane == Pane::Overlays {
                state.overlays.looked_at(turn);
            }
        }
        // Inside a dialog these go from field to field.
        Action::FocusNext if state.dialogs.is_empty() => {
            state.focus = next_pane(state.focus, 1);
        }
        Action::FocusPrevious if state.dialogs.is_empty() => {
            state.focus = next_pane(state.focus, 4);
        }
        Action::Fault(fault) => turn.effects.push(Effect::Fault(fault)),
        other if other.writes() && !state.link.is_live() => turn.notice(Notice::warning(format!(
            "not connected to {}: nothing is written until it answers again",
            state.target.badge()
        ))),
        other => inside::act(state, other, turn),
    }
}

fn next_pane(pane: Pane, by: usize) -> Pane {
    let order = [
        Pane::Overlays,
        Pane::Settings,
        Pane::Runs,
        Pane::Detail,
        Pane::Checks,
    ];
    let at = order.iter().position(|p| *p == pane).unwrap_or(0);
    order[(at + by) % order.len()]
}
