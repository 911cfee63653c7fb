//! Settings: read from and saved to their file.

use super::World;
use crate::app::Msg;
use crate::app::settings::{Effect, Msg as SettingsMsg};
use crate::files::settings::{self, SaveError};

impl World {
    pub(super) fn perform_settings(&mut self, effect: Effect) {
        match effect {
            Effect::Reload { path } => self.read(async move {
                Msg::Settings(match settings::load(&path) {
                    Ok(layer) => SettingsMsg::Loaded(layer),
                    Err(error) => SettingsMsg::LoadFailed(error.to_string()),
                })
            }),
            Effect::Save { path, edits } => self.write(async move {
                let answer = match settings::save(&path, &edits) {
                    Ok(saved) => SettingsMsg::Saved {
                        layer: saved.layer,
                        edits,
                    },
                    Err(SaveError::Conflict { layer, .. }) => SettingsMsg::Conflicted(*layer),
                    Err(error) => SettingsMsg::SaveFailed(error.to_string()),
                };
                Some(Msg::Settings(answer))
            }),
        }
    }
}
