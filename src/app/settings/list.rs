//! A list of names being typed, one on a line, and the JSON array that llmctl keeps of them.

use super::form::Typing;
use super::{Slice, Turn};
use crate::app::action::Action;
use crate::app::page::Page;
use serde_json::Value;
use tui_input::InputRequest;

impl Slice {
    /// Begins to type the list of the selected key: `text` is its JSON array, or what was typed instead of one.
    pub(super) fn begin_list(&mut self, text: &str) -> Typing {
        let before = self.drafts.of(self.selected).cloned().map(Box::new);
        let mut page = Page::with(&lines(text));
        let last = page.lines().len();
        page.go(isize::try_from(last).unwrap_or(isize::MAX));
        page.edit(&InputRequest::GoToEnd);
        Typing::List { page, before }
    }

    /// While a list is typed. A blank line that is entered ends it.
    pub(super) fn act_list(&mut self, action: Action, turn: &mut Turn) {
        let Some(Typing::List { page, before }) = self.form.as_mut().map(|form| &mut form.typing)
        else {
            return;
        };
        let (row, _) = page.cursor();
        match action {
            Action::Up => page.go(-1),
            Action::Down => page.go(1),
            Action::Accept if !page.lines()[row].trim().is_empty() => {
                self.edit_form(&InputRequest::InsertChar('\n'));
            }
            Action::Accept | Action::FocusNext | Action::FocusPrevious => {
                self.type_into(Typing::Nothing);
            }
            Action::UndoEdit => {
                page.undo();
                self.take_list();
            }
            Action::Dismiss => {
                let before = before.take().map(|before| *before);
                self.drafts.put_back(self.selected, before);
                self.type_into(Typing::Nothing);
            }
            Action::SaveSettings => {
                self.type_into(Typing::Nothing);
                self.save(turn);
            }
            _ => {}
        }
    }

    /// Wants what stands in the lines.
    pub(super) fn take_list(&mut self) {
        let Some(Typing::List { page, .. }) = self.form.as_ref().map(|form| &form.typing) else {
            return;
        };
        let text = array(&page.text());
        self.drafts.want_text(&self.layered, self.selected, &text);
    }
}

/// The items of a JSON array, each on a line; anything else as it is.
fn lines(json: &str) -> String {
    let Ok(Value::Array(items)) = serde_json::from_str(json) else {
        return json.to_owned();
    };
    let line = |item: &Value| match (item.as_str(), item["name"].as_str()) {
        (Some(name), _) | (_, Some(name)) => name.to_owned(),
        _ => item.to_string(),
    };
    items.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The JSON array of the lines that are not blank. An array or object that somebody pastes stays what it is.
fn array(lines: &str) -> String {
    if lines.trim_start().starts_with('[') {
        return lines.trim().to_owned();
    }
    let item = |line: &str| match serde_json::from_str(line) {
        Ok(object @ Value::Object(_)) => object,
        _ => line.into(),
    };
    let items: Vec<Value> = lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(item)
        .collect();
    match items.len() {
        0 => String::new(),
        _ => Value::from(items).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Play;
    use super::*;
    use crate::app::action::Context;
    use crate::domain::settings::key::Key;
    use crate::domain::settings::value::Value as Setting;

    const KEY: Key = Key::K8sImagePullSecretsJson;

    #[test]
    fn lines_are_the_array_and_the_array_is_lines() {
        for (json, text) in [
            ("", ""),
            ("[]", ""),
            ("[\"a\"]", "a"),
            ("[\"a\",{\"name\":\"b\"}]", "a\nb"),
            ("[7]", "7"),
            ("{bad", "{bad"),
        ] {
            assert_eq!(lines(json), text);
        }
        for (text, json) in [
            ("", ""),
            (" \n\n", ""),
            ("a\n\n b \n", "[\"a\",\"b\"]"),
            ("{\"name\": \"a\"}\nb\n", "[{\"name\":\"a\"},\"b\"]"),
            ("[\"a\",\n \"b\"]\n", "[\"a\",\n \"b\"]"),
            ("{bad\n", "[\"{bad\"]"),
        ] {
            assert_eq!(array(text), json, "{text}");
        }
    }

    #[test]
    fn names_are_typed_one_below_the_other_and_a_wrong_one_is_told_with_its_place() {
        let mut play = Play::new(&[(KEY, "[\"one\"]")]);
        play.slice.selected = KEY;
        play.act(&[Action::EditSettings, Action::Accept]);
        assert_eq!(play.slice.context(), Context::SettingsList);
        play.act(&[Action::Accept]).type_text("Two");
        let wrong = play.slice.drafts.wrong().next().unwrap().1.to_string();
        assert!(wrong.contains("item 2"), "{wrong}");
        play.act(&[Action::UndoEdit, Action::UndoEdit, Action::UndoEdit])
            .type_text("two");
        play.act(&[Action::Accept, Action::Accept]);
        assert_eq!(play.slice.context(), Context::SettingsForm);
        let names = Setting::Names(vec!["one".into(), "two".into()]);
        assert_eq!(play.slice.file_value(KEY), Some(names));
        // As before, whatever was typed.
        play.act(&[Action::Accept]).erase();
        play.act(&[Action::Dismiss]);
        assert_eq!(play.slice.drafts.count(), 1);
        play.act(&[Action::UndoSetting]);
        assert_eq!(play.slice.drafts.count(), 0);
        // The same list again is no change.
        play.act(&[Action::Accept, Action::FocusNext]);
        assert_eq!(play.slice.drafts.count(), 0);
    }
}
