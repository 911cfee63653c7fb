//! The dialog that starts a sample run.

mod wanted;

use super::super::action::{Action, Context};
use super::super::notices::Notice;
use super::super::text::Field;
use super::super::{Dialog, Pane, Turn};
use super::editor::Editor;
use super::form::Form;
use super::{Around, Effect, Slice};
use crate::domain::manifest::RunOptions;
use crate::domain::manifest::asked::Asked;
use crate::domain::nodes::{NodeType, TYPES};
use crate::domain::payload::own::Own;
use crate::domain::preflight::{Facts, Needs, Place, Preflight};
use crate::domain::runs::RunId;
use crate::domain::samples::Sample;
use crate::domain::settings::images::ImageClass;
use jiff::Timestamp;
use serde_json::Value;
use std::borrow::Cow;
use tui_input::InputRequest;

/// The place in the dialog that has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spot {
    #[default]
    Sample,
    Timeout,
    Ttl,
    Gpu,
    Image,
    Class,
    Env,
}

impl Spot {
    const ALL: [Self; 7] = [
        Self::Sample,
        Self::Timeout,
        Self::Ttl,
        Self::Gpu,
        Self::Image,
        Self::Class,
        Self::Env,
    ];

    fn turned(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|s| *s == self).unwrap_or(0);
        let all = Self::ALL.len();
        Self::ALL[(at + all).saturating_add_signed(by) % all]
    }
}

/// A run whose request the dialog began with; it stands behind the samples and the node types.
#[derive(Clone, Debug, PartialEq)]
pub struct Cloned {
    /// What lists call the run.
    pub of: String,
    pub asked: Asked,
}

/// What is chosen so far. The fields start as the settings have them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunDialog {
    /// Index in [`Slice::samples`].
    pub sample: usize,
    pub spot: Spot,
    pub timeout: Field,
    pub ttl: Field,
    pub gpu: Field,
    /// Another image than the one of the class; blank for that one.
    pub other_image: Field,
    /// Another class than the payload asks for.
    pub class: Option<ImageClass>,
    /// More of the payload's environment: `NAME=value`, parted by blanks.
    pub env: Field,
    /// Why it cannot be started as it is.
    pub problem: Option<String>,
    /// Image that would run.
    pub image: String,
    /// The number it would get.
    pub execution: u64,
    /// The payload as edited, when it was; as a document with its secrets masked, and as it is sent.
    pub written: Option<Value>,
    pub own: Option<Own>,
    /// Pass through the node, when another than the first or the payload's own was asked for.
    pub index: Option<u64>,
    /// The run that it began with.
    pub cloned: Option<Cloned>,
    /// The payload being edited.
    pub editor: Option<Editor>,
    /// The fields of a node being filled in.
    pub form: Option<Form>,
    /// The run that was this very request already.
    pub known: Option<RunId>,
    /// When the dialog was opened.
    opened: Timestamp,
    /// What was seen in the cluster, once it was looked at.
    pub facts: Option<Facts>,
    /// What follows from it for the run as it is chosen.
    pub preflight: Option<Preflight>,
    /// Objects that would be created, once asked for.
    pub preview: Option<String>,
    pub preview_top: usize,
}

impl Slice {
    /// How many things the dialog offers: the samples, then the node types.
    pub fn offers(&self) -> usize {
        self.samples.len() + TYPES.len() + usize::from(self.dialog.cloned.is_some())
    }

    /// What stands at a place of the dialog's list.
    pub fn offered(&self, at: usize) -> Option<Cow<'_, Sample>> {
        if let Some(cloned) = self.cloned(at) {
            return Some(Cow::Borrowed(cloned.asked.payload.sample()));
        }
        match self.samples.get(at) {
            Some(sample) => Some(Cow::Borrowed(sample)),
            None => TYPES
                .get(at - self.samples.len())
                .map(NodeType::sample)
                .map(Cow::Owned),
        }
    }

    /// The run that stands at a place of the dialog's list.
    pub fn cloned(&self, at: usize) -> Option<&Cloned> {
        let behind = self.samples.len() + TYPES.len();
        self.dialog.cloned.as_ref().filter(|_| at == behind)
    }

    /// Where keys are looked up while the dialog is open.
    pub fn dialog_context(&self) -> Context {
        if self.dialog.editor.is_some() {
            Context::Payload
        } else if self.dialog.form.is_some() {
            Context::RunForm
        } else if matches!(self.dialog.spot, Spot::Sample | Spot::Class)
            || self.dialog.preview.is_some()
        {
            Context::RunDialog
        } else {
            Context::RunDialogText
        }
    }

    pub(super) fn open_dialog(&mut self, around: &Around, turn: &mut Turn) {
        let at = self.dialog.sample;
        self.open_at(at, &RunOptions::default(), around, turn);
    }

    /// Opens with the request of a run.
    pub(super) fn open_clone(&mut self, cloned: Cloned, around: &Around, turn: &mut Turn) {
        let options = cloned.asked.options.clone();
        self.open_at(0, &options, around, turn);
        self.dialog.sample = self.samples.len() + TYPES.len();
        self.dialog.cloned = Some(cloned);
        self.begin_clone();
        self.check_dialog(around);
    }

    /// The payload of the run that stands where the choice is, not edited yet.
    fn begin_clone(&mut self) {
        let payload = self
            .cloned(self.dialog.sample)
            .map(|cloned| cloned.asked.payload.clone());
        self.dialog.written = payload.as_ref().map(Own::shown);
        self.dialog.own = payload;
    }

    /// Opens on one of the samples and types, its fields as the settings have them or as was chosen.
    pub(super) fn open_at(
        &mut self,
        at: usize,
        chosen: &RunOptions,
        around: &Around,
        turn: &mut Turn,
    ) {
        if self.samples.is_empty() {
            return turn.notice(Notice::bad(
                "there are no samples; look at the message history (!) for what was wrong with them",
            ));
        }
        let settings = &around.settings;
        let field =
            |chosen: Option<u32>, setting: u32| Field::with(&chosen.unwrap_or(setting).to_string());
        self.dialog = RunDialog {
            sample: at.min(self.samples.len() + TYPES.len() - 1),
            timeout: field(chosen.timeout_seconds, settings.execution_timeout_seconds),
            ttl: field(chosen.ttl_seconds, settings.ttl_seconds),
            gpu: field(chosen.gpu, settings.gpu_limit),
            execution: self.all.next_execution(),
            opened: turn.now,
            ..RunDialog::default()
        };
        self.check_dialog(around);
        let place = Place::of(settings);
        turn.effects
            .push(super::super::Effect::Runs(Effect::Preflight(place)));
        turn.open = Some(Dialog::Run);
    }

    /// The cluster was looked at.
    pub(super) fn preflighted(&mut self, facts: Facts, around: &Around) {
        self.dialog.facts = Some(facts);
        self.check_dialog(around);
    }

    /// Takes one editing key in the dialog.
    pub fn edit_dialog(&mut self, request: &InputRequest, around: &Around, turn: &mut Turn) {
        if self.dialog.editor.is_some() {
            return self.type_payload(request, turn);
        }
        if let Some(form) = &mut self.dialog.form {
            return form.edit(request);
        }
        let field = match self.dialog.spot {
            Spot::Sample | Spot::Class => return,
            Spot::Timeout => &mut self.dialog.timeout,
            Spot::Ttl => &mut self.dialog.ttl,
            Spot::Gpu => &mut self.dialog.gpu,
            Spot::Image => &mut self.dialog.other_image,
            Spot::Env => &mut self.dialog.env,
        };
        field.edit(request);
        self.check_dialog(around);
    }

    /// Takes one action in the dialog; a page is `page` rows.
    pub fn act_dialog(&mut self, action: Action, page: usize, around: &Around, turn: &mut Turn) {
        if self.dialog.preview.is_some() {
            return self.act_preview(action, page);
        }
        if self.dialog.editor.is_some() {
            return self.act_editor(action, page, around, turn);
        }
        if self.dialog.form.is_some() {
            return self.act_form(action, around, turn);
        }
        let last = self.offers().saturating_sub(1);
        let chosen = self.dialog.sample;
        match (action, self.dialog.spot) {
            (Action::Dismiss, _) => turn.close = true,
            (Action::Accept, _) => self.start_chosen(around, turn),
            (Action::PreviewManifest, _) => self.preview(around, turn),
            (Action::EditPayload, _) => self.edit_payload(turn),
            (Action::FillForm, _) => self.fill_form(turn),
            (Action::Right, Spot::Class) => self.dialog.class = wanted::next(self.dialog.class),
            (Action::Left, Spot::Class) => self.dialog.class = wanted::previous(self.dialog.class),
            (Action::OpenKnown, _) => self.open_known(turn),
            (Action::NextPass, _) => {
                let index = self.dialog.index.or(self.own_index()).unwrap_or(1);
                self.dialog.index = Some(index.saturating_add(1));
            }
            (Action::Down | Action::Right, Spot::Sample) => {
                self.dialog.sample = (self.dialog.sample + 1).min(last);
            }
            (Action::Up | Action::Left, Spot::Sample) => {
                self.dialog.sample = self.dialog.sample.saturating_sub(1);
            }
            (Action::Top, Spot::Sample) => self.dialog.sample = 0,
            (Action::Bottom, Spot::Sample) => self.dialog.sample = last,
            (Action::PageDown, Spot::Sample) => {
                self.dialog.sample = chosen.saturating_add(page).min(last);
            }
            (Action::PageUp, Spot::Sample) => self.dialog.sample = chosen.saturating_sub(page),
            (Action::FocusNext | Action::Down, spot) => self.dialog.spot = spot.turned(1),
            (Action::FocusPrevious | Action::Up, spot) => self.dialog.spot = spot.turned(-1),
            _ => {}
        }
        if self.dialog.sample != chosen {
            self.begin_clone();
            self.dialog.index = None;
        }
        self.check_dialog(around);
    }

    fn own_index(&self) -> Option<u64> {
        self.dialog.own.as_ref()?.numbers().index
    }

    fn open_known(&mut self, turn: &mut Turn) {
        if let Some(known) = self.dialog.known.clone() {
            self.selected = Some(known);
            turn.close = true;
            turn.focus = Some(Pane::Detail);
        }
    }

    fn act_preview(&mut self, action: Action, page: usize) {
        let top = self.dialog.preview_top;
        self.dialog.preview_top = match action {
            Action::Down => top.saturating_add(1),
            Action::Up => top.saturating_sub(1),
            Action::PageDown => top.saturating_add(page),
            Action::PageUp => top.saturating_sub(page),
            Action::Dismiss | Action::Accept | Action::PreviewManifest => {
                self.dialog.preview = None;
                0
            }
            Action::Top => 0,
            // As far as it goes: the next frame says how far that is.
            Action::Bottom => usize::MAX,
            _ => top,
        };
    }

    pub(super) fn check_dialog(&mut self, around: &Around) {
        let Some(sample) = self.offered(self.dialog.sample) else {
            return;
        };
        let planned = self
            .in_order(&sample)
            .and_then(|()| self.options(&sample, around))
            .and_then(|options| around.plan(&sample, self.dialog.execution, &options));
        let known = planned
            .as_ref()
            .ok()
            .and_then(|plan| self.all.duplicate(plan, self.dialog.opened));
        let already = known.map(|run| {
            let what = run.known_already();
            format!("{what}; o opens it, i runs it as the next pass")
        });
        self.dialog.known = known.map(|run| run.id.clone());
        match planned {
            Ok(plan) => {
                let needs = Needs::of(&plan);
                self.dialog.preflight = self
                    .dialog
                    .facts
                    .as_ref()
                    .map(|facts| Preflight::of(&needs, facts, &around.target));
                let refusal = self.dialog.preflight.as_ref().and_then(Preflight::refusal);
                self.dialog.problem = already
                    .or_else(|| refusal.map(|row| format!("{}: {}", row.name, row.sentence())));
                self.dialog.image = plan.image;
            }
            Err(problem) => self.dialog.problem = Some(problem),
        }
    }

    fn start_chosen(&mut self, around: &Around, turn: &mut Turn) {
        let Some(sample) = self.offered(self.dialog.sample).map(Cow::into_owned) else {
            return;
        };
        if self.dialog.known.is_some() || self.in_order(&sample).is_err() {
            return;
        }
        let refused = self
            .dialog
            .preflight
            .as_ref()
            .is_some_and(|preflight| preflight.refusal().is_some());
        if refused {
            // It may have been mended since it was looked at.
            let look = Effect::Preflight(Place::of(&around.settings));
            return turn.effects.push(super::super::Effect::Runs(look));
        }
        let started = self.options(&sample, around).and_then(|options| {
            let execution = self.all.next_execution();
            self.start(&sample, execution, &options, around, turn)
        });
        match started {
            Ok(()) => turn.close = true,
            Err(problem) => self.dialog.problem = Some(problem),
        }
    }

    fn preview(&mut self, around: &Around, turn: &mut Turn) {
        let Some(sample) = self.offered(self.dialog.sample) else {
            return;
        };
        let planned = self
            .options(&sample, around)
            .and_then(|options| around.plan(&sample, self.dialog.execution, &options));
        if let Ok(plan) = planned {
            let effect = Effect::Preview(Box::new(plan));
            turn.effects.push(super::super::Effect::Runs(effect));
        }
    }
}
