//! The executor settings in the UI: the pane and the form.

use super::Turn;
use super::action::{Action, Context};
use crate::domain::cancel::CancelPlan;
use crate::domain::manifest::RunSettings;
use crate::domain::settings::Settings;
use crate::domain::settings::edit::Edit;
use crate::domain::settings::layers::{Layer, Layered};
use std::path::PathBuf;
use tui_input::InputRequest;

/// State of the settings pane and form.
#[derive(Debug, Default)]
pub struct Slice {
    layered: Layered,
}

/// What happened to the settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// The file changed on disk (or may have): it is to be read again.
    Changed,
    /// The file as it is now; the answer to [`Effect::Reload`].
    Loaded(Layer),
    /// The file could not be read; one sentence.
    LoadFailed(String),
    /// The edits are in the file, which now holds this; the answer to [`Effect::Save`].
    Saved { layer: Layer, edits: Vec<Edit> },
    /// Nothing was written; one sentence that says why and what to do.
    SaveFailed(String),
    /// Nothing was written, because the file changed under the edits; it now holds this.
    Conflicted(Layer),
}

/// What settings ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read the settings file.
    Reload { path: PathBuf },
    /// Write these edits to the settings file, unless it says something else than they were based on.
    Save { path: PathBuf, edits: Vec<Edit> },
}

impl Slice {
    /// What a run in `namespace` takes from the effective settings.
    pub fn for_runs(&self, namespace: &str) -> RunSettings {
        self.effective().for_runs(namespace)
    }

    /// How a run is cancelled by the effective settings.
    pub fn cancel_plan(&self) -> CancelPlan {
        self.effective().cancel_plan()
    }

    /// A slice that shows these settings.
    pub fn new(layered: Layered) -> Self {
        Self { layered }
    }

    /// What the next run uses; look at [`Slice::layered`] for problems first.
    pub fn effective(&self) -> &Settings {
        self.layered.effective()
    }

    /// The settings with their layers.
    pub fn layered(&self) -> &Layered {
        &self.layered
    }

    /// Where keys are looked up while the form is open.
    pub fn context(&self) -> Context {
        Context::SettingsForm
    }

    /// Takes one action, in the pane or in the form; a page is `page` rows.
    pub fn act(&mut self, action: Action, page: usize, turn: &mut Turn) {
        let _ = (action, page, turn);
    }

    /// Takes one editing key.
    pub fn edit(&mut self, request: &InputRequest, turn: &mut Turn) {
        let _ = (request, turn);
    }

    /// Takes an answer of the world.
    pub fn update(&mut self, msg: Msg, turn: &mut Turn) {
        let _ = (msg, turn);
    }
}
