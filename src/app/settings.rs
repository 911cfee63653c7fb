//! The executor settings in the UI: the pane and the form.

use super::Turn;
use super::action::{Action, Context};
use tui_input::InputRequest;

/// State of the settings pane and form.
#[derive(Debug, Default)]
pub struct Slice {}

/// What happened to the settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {}

/// What settings ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {}

impl Slice {
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
        let _ = turn;
        match msg {}
    }
}
