//! Saving to another file, when the settings' own cannot be written.

use super::form::Typing;
use super::{Effect, Slice, Turn, counted};
use crate::app::action::Action;
use crate::app::notices::Notice;
use crate::app::text::Field;
use std::path::{Path, PathBuf};

impl Slice {
    /// Asks for the other file.
    pub(super) fn ask_elsewhere(&mut self, turn: &mut Turn) {
        if self.drafts.count() == 0 {
            return turn.notice(Notice::info("nothing to save: no setting is changed"));
        }
        let Some(form) = &mut self.form else { return };
        let asked = form.review.as_ref().map(|review| review.elsewhere.clone());
        let field = Field::with(&asked.unwrap_or_default());
        form.typing = Typing::Elsewhere { field };
    }

    /// While the other file is named.
    pub(super) fn act_elsewhere(&mut self, action: Action, turn: &mut Turn) {
        let Some(form) = &mut self.form else { return };
        let Typing::Elsewhere { field } = &form.typing else {
            return;
        };
        let name = field.text().trim().to_owned();
        if let Some(review) = &mut form.review {
            review.elsewhere.clone_from(&name);
        }
        match action {
            Action::Accept | Action::SaveSettings if name.is_empty() => {
                turn.notice(Notice::info("name the file, or go back with esc"));
            }
            Action::Accept | Action::SaveSettings => {
                form.typing = Typing::Nothing;
                let copy = Effect::SaveCopy {
                    path: self.layered.path().to_path_buf(),
                    copy: PathBuf::from(name),
                    edits: self.drafts.edits(),
                };
                turn.effects.push(crate::app::Effect::Settings(copy));
            }
            Action::Dismiss => form.typing = Typing::Nothing,
            _ => {}
        }
    }

    /// Takes the end of it. The changes are still none of the settings' own file.
    pub(super) fn copied(&self, copy: &Path, result: Result<usize, String>, turn: &mut Turn) {
        let copy = copy.display();
        turn.notice(match result {
            Ok(count) => Notice::good(format!(
                "saved {} in the copy {copy}: start with --settings {copy} to use it; {} itself is as it was",
                counted(count, "change"),
                self.file_name()
            )),
            Err(why) => Notice::bad(format!("not saved, the changes are kept here: {why}")),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Play;
    use super::super::{Effect, Msg};
    use super::*;
    use crate::app::action::Context;

    #[test]
    fn what_cannot_be_saved_is_saved_to_another_file_and_stays_a_change() {
        let mut play = Play::new(&[]);
        play.act(&[Action::EditSettings, Action::Right, Action::SaveSettings]);
        play.update(Msg::SaveFailed("the disk is full".into()));
        assert!(play.told().contains("another file"), "{}", play.told());
        play.act(&[Action::ReviewSettings, Action::SaveElsewhere]);
        assert_eq!(play.slice.context(), Context::SettingsElsewhere);
        play.act(&[Action::Accept]);
        assert!(play.told().contains("name the file"));
        play.type_text("/other/x.toml").act(&[Action::Accept]);
        let effects: Vec<_> = play.turn.effects.iter().collect();
        let [crate::app::Effect::Settings(Effect::SaveCopy { copy, edits, .. })] = effects[..]
        else {
            panic!("{effects:?}");
        };
        assert_eq!((copy.to_str(), edits.len()), (Some("/other/x.toml"), 1));
        let copy = copy.clone();
        let result = Err("/other/x.toml is there already".into());
        play.update(Msg::Copied {
            copy: copy.clone(),
            result,
        });
        assert!(play.told().contains("kept here: /other/x.toml"));
        // The name is not typed again.
        play.act(&[Action::SaveElsewhere]).type_text("2");
        play.act(&[Action::Accept]);
        play.update(Msg::Copied {
            copy,
            result: Ok(1),
        });
        assert!(play.told().contains("--settings /other/x.toml"));
        assert_eq!(play.slice.drafts.count(), 1);
        play.act(&[
            Action::Dismiss,
            Action::UndoAllSettings,
            Action::ReviewSettings,
            Action::SaveElsewhere,
        ]);
        assert_eq!(play.slice.context(), Context::SettingsReview);
    }
}
