//! A payload as text and back, for who edits it.

use super::World;
use crate::app::Msg;
use crate::app::notices::Notice;
use crate::app::runs::Msg as RunsMsg;
use crate::app::runs::editor::Language;
use crate::files::payload;
use serde_json::Value;

impl World {
    pub(super) fn write_payload(&mut self, document: &Value, language: Language) {
        let written = match language {
            Language::Yaml => serde_saphyr::to_string(document).map_err(|e| e.to_string()),
            Language::Json => serde_json::to_string_pretty(document).map_err(|e| e.to_string()),
        };
        self.read(async move {
            match written {
                Ok(text) => Msg::Runs(RunsMsg::PayloadWritten { text, language }),
                Err(why) => {
                    Msg::Noticed(Notice::bad(format!("the payload cannot be shown: {why}")))
                }
            }
        });
    }

    pub(super) fn read_payload(&mut self, text: String, revision: u64) {
        self.read(async move {
            let result = payload::parse(&text).map_err(|mistake| mistake.to_string());
            Msg::Runs(RunsMsg::PayloadRead { revision, result })
        });
    }
}
