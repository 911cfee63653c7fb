//! The executor settings in the UI: the pane and the form.

mod copy;
pub mod draft;
pub mod elsewhere;
pub mod form;
mod list;
pub mod outcome;
pub mod review;
mod save;
mod studio;

use super::Turn;
use super::action::{Action, Context};
use super::notices::Notice;
use crate::domain::cancel::CancelPlan;
use crate::domain::manifest::RunSettings;
use crate::domain::settings::Settings;
use crate::domain::settings::edit::Edit;
use crate::domain::settings::held::{Held, Store, StoredChange};
use crate::domain::settings::key::Key;
use crate::domain::settings::layers::{Layer, Layered, Origin};
use crate::domain::settings::push::{Pushed, Rollout, Workload};
use draft::{Drafts, Wanted};
use elsewhere::Known;
use form::{Form, Typing};
use review::Obstacle;
use std::path::PathBuf;
use tui_input::InputRequest;

/// State of the settings pane and form. The form's dialog is open exactly while `form` is there.
#[derive(Debug)]
pub struct Slice {
    layered: Layered,
    pub drafts: Drafts,
    /// The key with the cursor, in the pane and in the form.
    pub selected: Key,
    pub form: Option<Form>,
    /// What the cluster has.
    pub known: Known,
}

impl Default for Slice {
    fn default() -> Self {
        Self::new(Layered::default())
    }
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
    /// A copy of the file with the edits was to be written; the answer to [`Effect::SaveCopy`].
    Copied {
        copy: PathBuf,
        /// How many settings differ from the file, or why nothing was written.
        result: Result<usize, String>,
    },
    /// Nothing was written, because the file changed under the edits; it now holds this.
    Conflicted(Layer),
    /// What the cluster has; the answer to [`Effect::Look`]. An error is one sentence.
    Looked {
        /// Namespace and cluster, as questions name them.
        place: String,
        result: Result<Vec<Held>, String>,
    },
    /// What a push would meet; the answer to [`Effect::CheckPush`].
    Checked {
        configmap: String,
        result: Result<Pushed, Obstacle>,
    },
    /// A push ended, with the workloads that read the ConfigMap; the answer to [`Effect::Push`].
    Pushed {
        configmap: String,
        count: usize,
        result: Result<Vec<Workload>, Obstacle>,
    },
    /// What Studio's database has, where the namespace has one; the other answer to [`Effect::Look`].
    LookedAtStudio(Result<Option<Held>, String>),
    /// A write to Studio's database ended; the answer to [`Effect::PushToStudio`].
    PushedToStudio {
        place: String,
        count: usize,
        result: Result<(), String>,
    },
    /// A restarted workload came a step further; the last one is done, stuck or an error.
    Restarted {
        workload: Workload,
        result: Result<Rollout, String>,
    },
}

/// What settings ask of the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read the settings file.
    Reload { path: PathBuf },
    /// Write these edits to the settings file, unless it says something else than they were based on.
    Save { path: PathBuf, edits: Vec<Edit> },
    /// Write what the file would be with these edits to another file, which must not be there yet.
    SaveCopy {
        path: PathBuf,
        copy: PathBuf,
        edits: Vec<Edit>,
    },
    /// Read the settings that the session's namespace holds.
    Look,
    /// See what a push would meet, and write nothing.
    CheckPush {
        configmap: String,
        changes: Vec<StoredChange>,
    },
    /// Write these changes to a ConfigMap, unless it says something else than they were based on.
    Push {
        configmap: String,
        changes: Vec<StoredChange>,
        /// Take keys that others own.
        force: bool,
    },
    /// Write these changes to Studio's database, unless it holds something else than what was seen.
    PushToStudio {
        seen: Held,
        changes: Vec<StoredChange>,
    },
    /// Restart workloads and follow them until they are ready.
    Restart { workloads: Vec<Workload> },
}

/// The order of the pane: what is looked at and changed most comes first.
pub const PANE: [Key; 22] = [
    Key::K8sJobTtlSeconds,
    Key::DispatchTimeoutSeconds,
    Key::ExecutionTimeoutSeconds,
    Key::K8sNamespace,
    Key::K8sServiceAccount,
    Key::K8sFrontierImage,
    Key::K8sFrontierImageTag,
    Key::K8sVllmImage,
    Key::K8sVllmImageTag,
    Key::K8sGpuLimit,
    Key::CancelGraceTimeoutSeconds,
    Key::CancelForceKillEnabled,
    Key::LogCollectionTimeoutSeconds,
    Key::WorkspaceIdentityKey,
    Key::K8sImagePullSecretsJson,
    Key::K8sLiveCodeEnabled,
    Key::K8sLiveCodeHostPath,
    Key::K8sArgocdAppName,
    Key::AgentRuntimeCutoverEnabled,
    Key::K8sInCluster,
    Key::K8sKubeconfig,
    Key::Provider,
];

impl Slice {
    /// A slice that shows these settings.
    pub fn new(layered: Layered) -> Self {
        Self {
            layered,
            drafts: Drafts::default(),
            selected: PANE[0],
            form: None,
            known: Known::default(),
        }
    }

    /// What the next run uses; look at [`Slice::layered`] for problems first.
    pub fn effective(&self) -> &Settings {
        self.layered.effective()
    }

    /// The settings with their layers.
    pub fn layered(&self) -> &Layered {
        &self.layered
    }

    /// What a run in `namespace` takes from the effective settings.
    pub fn for_runs(&self, namespace: &str) -> RunSettings {
        self.effective().for_runs(namespace)
    }

    /// How a run is cancelled by the effective settings.
    pub fn cancel_plan(&self) -> CancelPlan {
        self.effective().cancel_plan()
    }

    /// Why no run may start with these settings: the first problem, and how many more there are.
    pub fn hindrance(&self) -> Option<String> {
        let first = self.layered.problems().next()?;
        let more = self.layered.problems().count() - 1;
        Some(match more {
            0 => first.to_string(),
            n => format!("{first} (and {n} more)"),
        })
    }

    /// What would be effective if all right changes were saved.
    pub fn preview(&self) -> Settings {
        let mut settings = self.effective().clone();
        for (key, draft) in self.drafts.iter() {
            let covered = self.layered.origin(key) == Origin::Environment;
            if let (false, Some(value)) = (covered, draft.value(key)) {
                settings.put(key, &value);
            }
        }
        settings
    }

    /// Where keys are looked up while the form is open.
    pub fn context(&self) -> Context {
        match &self.form {
            None => Context::SettingsForm,
            Some(form) => match form.typing {
                Typing::Value { .. } | Typing::Jump { .. } => Context::SettingsText,
                Typing::List { .. } => Context::SettingsList,
                Typing::Elsewhere { .. } => Context::SettingsElsewhere,
                Typing::Nothing if form.review.is_some() => Context::SettingsReview,
                Typing::Nothing if form.diff => Context::SettingsDiff,
                Typing::Nothing => Context::SettingsForm,
            },
        }
    }

    /// Takes one action, in the pane or in the form; a page is `page` rows.
    pub fn act(&mut self, action: Action, page: usize, turn: &mut Turn) {
        if self.form.is_some() {
            return self.act_form(action, page, turn);
        }
        let by = isize::try_from(page).unwrap_or(1);
        match action {
            Action::Down => self.selected = form::moved(&PANE, self.selected, 1),
            Action::Up => self.selected = form::moved(&PANE, self.selected, -1),
            Action::PageDown => self.selected = form::moved(&PANE, self.selected, by),
            Action::PageUp => self.selected = form::moved(&PANE, self.selected, -by),
            Action::Top => self.selected = PANE[0],
            Action::Bottom => self.selected = PANE[PANE.len() - 1],
            Action::EditSettings | Action::Accept => self.open_form(turn),
            Action::ShowSettingsDiff => {
                self.open_form(turn);
                self.show_diff(true);
            }
            other => self.act_anywhere(other, turn),
        }
    }

    /// Actions that mean the same in the pane and in the form.
    fn act_anywhere(&mut self, action: Action, turn: &mut Turn) {
        match action {
            Action::SaveSettings => self.save(turn),
            Action::ReviewSettings => self.open_review(turn),
            Action::UndoSetting => {
                let undone = self.drafts.undo(self.selected);
                let label = self.selected.facts().label;
                let told = if undone {
                    "change undone"
                } else {
                    "nothing to undo"
                };
                turn.notice(Notice::info(format!("{label}: {told}")));
            }
            Action::UndoAllSettings => {
                let undone = self.drafts.undo_all();
                turn.notice(Notice::info(format!(
                    "{} undone",
                    counted(undone, "change")
                )));
            }
            Action::ResetSetting => {
                self.drafts
                    .want(&self.layered, self.selected, Wanted::Default);
            }
            _ => {}
        }
    }

    /// Takes one editing key.
    pub fn edit(&mut self, request: &InputRequest, _turn: &mut Turn) {
        self.edit_form(request);
    }

    /// Takes an answer of the world.
    pub fn update(&mut self, msg: Msg, turn: &mut Turn) {
        match msg {
            Msg::Changed => {
                let path = self.layered.path().to_path_buf();
                turn.effects
                    .push(super::Effect::Settings(Effect::Reload { path }));
            }
            Msg::Loaded(layer) => self.loaded(layer, turn),
            Msg::LoadFailed(reason) => turn.notice(Notice::bad(reason)),
            Msg::Saved { layer, edits } => {
                self.drafts.saved(&edits);
                self.drafts.rebase(self.layered.file(), &layer);
                self.replace_file(layer);
                self.tell_saved(&edits, turn);
                self.ended(Store::File, None, Ok(()));
                self.refresh_review();
            }
            Msg::SaveFailed(reason) => {
                turn.notice(Notice::bad(format!(
                    "not saved, the changes are kept here: {reason}; S offers other places and another file"
                )));
                self.ended(Store::File, None, Err(reason));
            }
            Msg::Copied { copy, result } => self.copied(&copy, result, turn),
            Msg::Conflicted(layer) => {
                let why = "the file changed while it was being saved";
                turn.notice(Notice::bad(format!("not saved: {why}")));
                self.ended(Store::File, None, Err(why.into()));
                self.loaded(layer, turn);
            }
            Msg::Looked { place, result } => {
                self.looked(place, result, turn);
            }
            Msg::Checked { configmap, result } => self.checked(&configmap, result),
            Msg::Pushed {
                configmap,
                count,
                result,
            } => {
                let ended = match &result {
                    Ok(_) => Ok(()),
                    Err(obstacle) => Err(obstacle.of(&configmap)),
                };
                self.ended(Store::ConfigMap, Some(&configmap), ended);
                self.pushed(&configmap, count, result, turn);
            }
            Msg::LookedAtStudio(result) => self.looked_at_studio(result, turn),
            Msg::PushedToStudio {
                place,
                count,
                result,
            } => {
                self.ended(Store::Studio, Some(&place), result.clone());
                self.pushed_to_studio(&place, count, result, turn);
            }
            Msg::Restarted { workload, result } => Self::restarted(&workload, result, turn),
        }
    }

    /// The settings file without its directory.
    pub fn file_name(&self) -> String {
        let path = self.layered.path();
        path.file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned()
    }
}

fn counted(n: usize, one: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{n} {one}{ending}")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::app::Dialog;
    use crate::app::notices::Weight;
    use crate::domain::settings::problem::Place;
    use crate::domain::settings::value::Value;
    use jiff::Timestamp;

    const TTL: Key = Key::K8sJobTtlSeconds;

    /// A slice and what its last turn left.
    pub(super) struct Play {
        pub(super) slice: Slice,
        pub(super) turn: Turn,
    }

    fn layer(pairs: &[(Key, &str)]) -> Layer {
        let mut layer = Layer::default();
        for (key, text) in pairs {
            layer.take(*key, text, Place::Typed);
        }
        layer
    }

    impl Play {
        pub(super) fn new(file: &[(Key, &str)]) -> Self {
            let layered = Layered::new("/c/executor.toml", layer(file), Layer::default());
            Self {
                slice: Slice::new(layered),
                turn: Turn::new(Timestamp::UNIX_EPOCH),
            }
        }

        pub(super) fn act(&mut self, actions: &[Action]) -> &mut Self {
            self.turn = Turn::new(Timestamp::UNIX_EPOCH);
            for action in actions {
                self.slice.act(*action, 10, &mut self.turn);
            }
            self
        }

        pub(super) fn type_text(&mut self, text: &str) -> &mut Self {
            for c in text.chars() {
                self.slice
                    .edit(&InputRequest::InsertChar(c), &mut self.turn);
            }
            self
        }

        pub(super) fn erase(&mut self) -> &mut Self {
            self.slice.edit(&InputRequest::DeleteLine, &mut self.turn);
            self
        }

        pub(super) fn update(&mut self, msg: Msg) -> &mut Self {
            self.turn = Turn::new(Timestamp::UNIX_EPOCH);
            self.slice.update(msg, &mut self.turn);
            self
        }

        pub(super) fn told(&self) -> String {
            let texts: Vec<&str> = self.turn.notices.iter().map(|n| n.text.as_str()).collect();
            texts.join("\n")
        }

        fn saves(&self) -> Option<&[Edit]> {
            self.turn.effects.iter().find_map(|effect| match effect {
                super::super::Effect::Settings(Effect::Save { edits, .. }) => Some(&edits[..]),
                _ => None,
            })
        }
    }

    #[test]
    fn the_pane_holds_every_key_once() {
        let mut pane = PANE.to_vec();
        pane.sort_unstable();
        assert_eq!(pane, Key::ALL);
    }

    #[test]
    fn open_type_a_wrong_value_be_refused_mend_it_and_save() {
        let mut play = Play::new(&[]);
        play.act(&[Action::EditSettings]);
        assert_eq!(play.turn.open, Some(Dialog::Settings));
        play.act(&[Action::Accept]).erase().type_text("30");
        assert_eq!(play.slice.context(), Context::SettingsText);
        assert_eq!(play.slice.drafts.wrong().count(), 1);
        play.act(&[Action::Accept, Action::Top, Action::SaveSettings]);
        assert!(play.told().contains("from 60 to 86400"), "{}", play.told());
        assert_eq!((play.saves(), play.slice.selected), (None, TTL));
        play.act(&[Action::Accept]).type_text("0");
        play.act(&[Action::SaveSettings]);
        let edits = play.saves().unwrap().to_vec();
        assert_eq!(
            edits,
            [Edit {
                key: TTL,
                from: None,
                to: Some(Value::Whole(300))
            }]
        );
        let saved = Msg::Saved {
            layer: layer(&[(TTL, "300")]),
            edits,
        };
        play.update(saved);
        assert_eq!(play.slice.drafts.count(), 0);
        assert_eq!(play.slice.effective().job_ttl.0, 300);
        assert!(
            play.told()
                .contains("saved 1 setting to executor.toml · takes effect with the next run")
        );
        play.act(&[Action::Dismiss]);
        assert!(play.turn.close && play.slice.form.is_none());
    }

    #[test]
    fn escape_while_typing_leaves_the_value_as_before() {
        let mut play = Play::new(&[(TTL, "60")]);
        play.act(&[Action::EditSettings, Action::Right, Action::Accept])
            .type_text("9");
        assert_eq!(play.slice.file_value(TTL), Some(Value::Whole(1209)));
        play.act(&[Action::Dismiss]);
        assert_eq!(play.slice.file_value(TTL), Some(Value::Whole(120)));
        play.act(&[Action::UndoSetting]);
        assert_eq!(play.slice.drafts.count(), 0);
    }

    #[test]
    fn flags_toggle_and_choices_and_secrets_say_why_not() {
        let mut play = Play::new(&[]);
        play.slice.selected = Key::K8sInCluster;
        play.act(&[Action::EditSettings, Action::Accept]);
        assert_eq!(
            play.slice.file_value(Key::K8sInCluster),
            Some(Value::Flag(true))
        );
        play.act(&[Action::Left]);
        assert_eq!(play.slice.drafts.count(), 0);
        for (key, told) in [
            (Key::Provider, "only provider"),
            (Key::K8sKubeconfig, "write-only"),
        ] {
            play.slice.selected = key;
            play.act(&[Action::Accept, Action::Right]);
            assert_eq!(play.turn.notices.len(), 2);
            assert!(play.told().contains(told));
        }
        assert_eq!(play.slice.drafts.count(), 0);
    }

    #[test]
    fn a_jump_goes_to_the_best_match_and_back() {
        let mut play = Play::new(&[]);
        play.act(&[Action::EditSettings, Action::Filter])
            .type_text("gpu");
        assert_eq!(play.slice.selected, Key::K8sGpuLimit);
        play.act(&[Action::Dismiss]);
        assert_eq!(play.slice.selected, TTL);
        play.act(&[Action::Filter]).type_text("image tag");
        let first = play.slice.selected;
        play.act(&[Action::Down, Action::Accept]);
        assert_ne!(play.slice.selected, first);
        assert_eq!(play.slice.context(), Context::SettingsForm);
    }

    #[test]
    fn a_change_on_disk_keeps_the_edit_marks_it_and_asks_before_it_wins() {
        let mut play = Play::new(&[(TTL, "60")]);
        play.act(&[Action::EditSettings, Action::Right]);
        play.update(Msg::Changed);
        assert!(matches!(
            play.turn.effects[..],
            [super::super::Effect::Settings(Effect::Reload { .. })]
        ));
        play.update(Msg::Loaded(layer(&[(TTL, "90"), (Key::K8sGpuLimit, "2")])));
        assert!(
            play.told().contains("k8s_job_ttl_seconds"),
            "{}",
            play.told()
        );
        assert_eq!(play.slice.effective().gpu_limit, 2);
        assert_eq!(play.slice.file_value(TTL), Some(Value::Whole(120)));
        play.act(&[Action::SaveSettings]);
        assert_eq!(play.saves(), None);
        let Some(Dialog::Question(question)) = &play.turn.open else {
            panic!("it did not ask");
        };
        assert!(
            question.text.contains("k8s_job_ttl_seconds"),
            "{}",
            question.text
        );
        let edit = Edit {
            key: TTL,
            from: Some(Value::Whole(90)),
            to: Some(Value::Whole(120)),
        };
        let effect = Effect::Save {
            path: "/c/executor.toml".into(),
            edits: vec![edit],
        };
        assert_eq!(question.effects, [super::super::Effect::Settings(effect)]);
        play.act(&[Action::UndoSetting]);
        assert_eq!(play.slice.file_value(TTL), Some(Value::Whole(90)));
    }

    #[test]
    fn the_echo_of_our_own_save_is_quiet_and_a_new_problem_is_told() {
        let mut play = Play::new(&[(TTL, "60")]);
        play.update(Msg::Loaded(layer(&[(TTL, "60")])));
        assert_eq!(play.turn.notices, []);
        play.update(Msg::Loaded(layer(&[(TTL, "5")])));
        assert!(play.turn.notices.iter().any(|n| n.weight == Weight::Bad));
        assert!(
            play.slice
                .hindrance()
                .unwrap()
                .contains("k8s_job_ttl_seconds")
        );
        // The wrong value in the file can be replaced by its default.
        play.act(&[
            Action::EditSettings,
            Action::ResetSetting,
            Action::SaveSettings,
        ]);
        assert_eq!(play.saves().unwrap()[0].to, None);
    }

    #[test]
    fn a_failed_save_keeps_the_changes() {
        let mut play = Play::new(&[]);
        play.act(&[Action::EditSettings, Action::Right, Action::SaveSettings]);
        play.update(Msg::SaveFailed("the disk is full".into()));
        assert!(play.told().contains("kept here: the disk is full"));
        assert_eq!(play.slice.drafts.count(), 1);
        play.act(&[Action::UndoAllSettings, Action::SaveSettings]);
        assert!(play.told().contains("1 change undone") && play.told().contains("nothing to save"));
    }
}
