//! The overlays in the UI: the pane and the diff.

use super::Turn;
use super::action::{Action, Context};
use crate::domain::overlays::plan::Plan;
use crate::domain::overlays::progress::{ApplyOptions, Progress, Report};
use crate::domain::overlays::{Overlay, Problem};
use tui_input::InputRequest;

/// State of the overlays pane and the diff.
#[derive(Debug, Default)]
pub struct Slice {}

/// Why a comparison came to nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanFailure {
    /// The overlay cannot be rendered.
    Broken(Problem),
    /// The cluster did not answer; what failed and the next step.
    Cluster(String),
}

/// What happened to overlays.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// All overlays that there are; answers [`Effect::List`].
    Listed(Vec<Overlay>),
    /// An overlay was rendered and compared with the cluster; answers [`Effect::Plan`].
    Planned {
        name: String,
        result: Result<Plan, PlanFailure>,
    },
    /// Files below an overlay directory changed on disk; no paths: any of them may have.
    FilesChanged(Vec<String>),
    /// One object of an apply is done.
    Progressed { name: String, progress: Progress },
    /// An apply ended; answers [`Effect::Apply`]. An error says what failed before any object was sent.
    Applied {
        name: String,
        result: Result<Report, String>,
    },
}

/// What overlays ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Find all overlays.
    List,
    /// Render one from its files as they are now and compare it with the cluster.
    Plan { name: String },
    /// Apply exactly what `plan` shows.
    Apply { plan: Plan, options: ApplyOptions },
}

impl Slice {
    /// Where keys are looked up while the pane has the focus.
    pub fn list_context(&self) -> Context {
        Context::Overlays
    }

    /// Where keys are looked up while the diff is open.
    pub fn context(&self) -> Context {
        Context::Diff
    }

    /// Takes one action, in the pane or in the diff; a page is `page` rows.
    pub fn act(&mut self, action: Action, page: usize, turn: &mut Turn) {
        let _ = (action, page, turn);
    }

    /// Takes one editing key.
    pub fn edit(&mut self, request: &InputRequest) {
        let _ = request;
    }

    /// Takes an answer of the world.
    pub fn update(&mut self, msg: Msg, turn: &mut Turn) {
        let _ = (msg, turn);
    }
}
