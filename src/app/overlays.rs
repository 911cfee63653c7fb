//! The overlays in the UI: the pane and the diff.

use super::Turn;
use super::action::{Action, Context};
use tui_input::InputRequest;

/// State of the overlays pane and the diff.
#[derive(Debug, Default)]
pub struct Slice {}

/// What happened to overlays.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {}

/// What overlays ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {}

impl Slice {
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
        let _ = turn;
        match msg {}
    }
}
