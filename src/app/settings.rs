//! The executor settings in the UI: the pane and the form.

use super::Turn;
use super::action::{Action, Context};
use crate::domain::cancel::CancelPlan;
use crate::domain::manifest::RunSettings;
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
    /// What a run takes from the effective settings.
    pub fn for_runs(&self, namespace: &str) -> RunSettings {
        RunSettings {
            namespace: namespace.into(),
            workspace_identity: "default".into(),
            frontier_image: "llmctl-executor-frontier:latest".into(),
            vllm_image: "llmctl-executor-vllm:latest".into(),
            service_account: Some("llmctl-executor".into()),
            image_pull_secrets: Vec::new(),
            gpu_limit: 0,
            ttl_seconds: 1800,
            dispatch_timeout_seconds: 300,
            execution_timeout_seconds: 1800,
            argocd_app: None,
            live_code_path: None,
        }
    }

    /// How a run is cancelled by the effective settings.
    pub fn cancel_plan(&self) -> CancelPlan {
        CancelPlan {
            grace: 15,
            force: true,
        }
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
        let _ = turn;
        match msg {}
    }
}
