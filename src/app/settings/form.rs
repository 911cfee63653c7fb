//! The form: which key the cursor is on, what is being typed, the jump, the diff.

use super::draft::{Draft, Wanted};
use super::{Slice, Turn};
use crate::app::action::Action;
use crate::app::notices::Notice;
use crate::app::page::Page;
use crate::app::text::Field;
use crate::domain::settings::key::{Key, Kind};
use crate::domain::settings::value::Value;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use tui_input::InputRequest;

/// What is being typed, if anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Typing {
    #[default]
    Nothing,
    /// The value of the selected key; carries its change of before.
    Value {
        field: Field,
        before: Option<Box<Draft>>,
    },
    /// The items of a list, one on a line; carries its change of before.
    List {
        page: Page,
        before: Option<Box<Draft>>,
    },
    /// Another file to save to.
    Elsewhere { field: Field },
    /// The name of a key to go to; carries the key of before.
    Jump { field: Field, before: Key },
}

/// The form while it is open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    pub typing: Typing,
    /// The changes are shown instead of the keys.
    pub diff: bool,
    /// First line of the diff in sight.
    pub top: usize,
    /// The places to save to are shown instead of the keys.
    pub review: Option<super::review::Review>,
}

impl Slice {
    /// Takes one action in the open form.
    pub(super) fn act_form(&mut self, action: Action, page: usize, turn: &mut Turn) {
        let Some(form) = &self.form else { return };
        match form.typing {
            Typing::Value { .. } => self.act_typing(action, turn),
            Typing::List { .. } => self.act_list(action, turn),
            Typing::Elsewhere { .. } => self.act_elsewhere(action, turn),
            Typing::Jump { before, .. } => self.act_jump(action, before),
            Typing::Nothing if form.review.is_some() => self.act_review(action, page, turn),
            Typing::Nothing if form.diff => self.act_diff(action, page, turn),
            Typing::Nothing => self.act_keys(action, page, turn),
        }
    }

    fn act_keys(&mut self, action: Action, page: usize, turn: &mut Turn) {
        match action {
            Action::Down | Action::FocusNext => self.step_key(1),
            Action::Up | Action::FocusPrevious => self.step_key(-1),
            Action::PageDown => self.step_key(isize::try_from(page).unwrap_or(1)),
            Action::PageUp => self.step_key(-isize::try_from(page).unwrap_or(1)),
            Action::Top => self.selected = Key::ALL[0],
            Action::Bottom => self.selected = Key::ALL[Key::ALL.len() - 1],
            Action::Accept | Action::EditSettings => self.begin(turn),
            Action::Right => self.nudge(true, turn),
            Action::Left => self.nudge(false, turn),
            Action::Filter => {
                let before = self.selected;
                let field = Field::default();
                self.type_into(Typing::Jump { field, before });
            }
            Action::ShowSettingsDiff => self.show_diff(true),
            Action::Dismiss => {
                self.form = None;
                turn.close = true;
            }
            other => self.act_anywhere(other, turn),
        }
    }

    fn act_diff(&mut self, action: Action, page: usize, turn: &mut Turn) {
        let Some(form) = &mut self.form else { return };
        match action {
            Action::Down => form.top = form.top.saturating_add(1),
            Action::Up => form.top = form.top.saturating_sub(1),
            Action::PageDown => form.top = form.top.saturating_add(page),
            Action::PageUp => form.top = form.top.saturating_sub(page),
            Action::Top => form.top = 0,
            Action::Dismiss | Action::Accept | Action::ShowSettingsDiff => self.show_diff(false),
            Action::SaveSettings | Action::ReviewSettings | Action::UndoAllSettings => {
                self.act_anywhere(action, turn);
            }
            _ => {}
        }
    }

    /// While a value is typed.
    fn act_typing(&mut self, action: Action, turn: &mut Turn) {
        match action {
            Action::Accept => self.type_into(Typing::Nothing),
            Action::Down | Action::FocusNext => {
                self.type_into(Typing::Nothing);
                self.step_key(1);
            }
            Action::Up | Action::FocusPrevious => {
                self.type_into(Typing::Nothing);
                self.step_key(-1);
            }
            Action::Dismiss => {
                let form = self
                    .form
                    .as_mut()
                    .map(|form| std::mem::take(&mut form.typing));
                if let Some(Typing::Value { before, .. }) = form {
                    self.drafts
                        .put_back(self.selected, before.map(|before| *before));
                }
            }
            Action::SaveSettings => {
                self.type_into(Typing::Nothing);
                self.save(turn);
            }
            _ => {}
        }
    }

    fn act_jump(&mut self, action: Action, before: Key) {
        match action {
            Action::Accept => self.type_into(Typing::Nothing),
            Action::Dismiss => {
                self.selected = before;
                self.type_into(Typing::Nothing);
            }
            Action::Down | Action::FocusNext => self.next_match(1),
            Action::Up | Action::FocusPrevious => self.next_match(-1),
            _ => {}
        }
    }

    /// Takes one editing key into what is being typed.
    pub(super) fn edit_form(&mut self, request: &InputRequest) {
        let Some(form) = &mut self.form else { return };
        match &mut form.typing {
            Typing::Nothing => {}
            Typing::Value { field, .. } => {
                field.edit(request);
                let text = field.text().to_owned();
                self.drafts.want_text(&self.layered, self.selected, &text);
            }
            Typing::List { page, .. } => {
                page.edit(request);
                self.take_list();
            }
            Typing::Elsewhere { field } => field.edit(request),
            Typing::Jump { field, .. } => {
                field.edit(request);
                if let Some(best) = matches(field.text()).first() {
                    self.selected = *best;
                }
            }
        }
    }

    /// Opens the form, or brings it back from its diff, at the selected key.
    pub(super) fn open_form(&mut self, turn: &mut Turn) {
        if self.form.is_none() {
            self.form = Some(Form::default());
            turn.open = Some(crate::app::Dialog::Settings);
            self.look_if_old(turn);
        }
    }

    pub(super) fn show_diff(&mut self, on: bool) {
        if let Some(form) = &mut self.form {
            form.diff = on;
            form.top = 0;
        }
    }

    pub(super) fn type_into(&mut self, typing: Typing) {
        if let Some(form) = &mut self.form {
            form.typing = typing;
        }
    }

    /// Begins to change the selected key, in the way of its kind.
    fn begin(&mut self, turn: &mut Turn) {
        let key = self.selected;
        match key.facts().kind {
            Kind::Flag => self.nudge(true, turn),
            Kind::Choice(_) => turn.notice(Notice::info(
                "Kubernetes is the only provider: there is nothing to choose",
            )),
            Kind::Secret => turn.notice(Notice::info(
                "the kubeconfig is write-only and never kept in a file: it belongs encrypted in Studio's database; llmctl-dev uses your own context",
            )),
            _ => {
                let before = self.drafts.of(key).cloned().map(Box::new);
                let text = match before.as_ref().map(|draft| &draft.to) {
                    Some(Wanted::Wrong { text, .. }) => text.clone(),
                    _ => self.file_value(key).map_or_else(String::new, |value| value.text()),
                };
                let typing = if matches!(key.facts().kind, Kind::PullSecrets) {
                    self.begin_list(&text)
                } else {
                    let field = Field::with(&text);
                    Typing::Value { field, before }
                };
                self.type_into(typing);
            }
        }
    }

    /// One step up or down: a number by a step of its range, a flag to its other side.
    fn nudge(&mut self, up: bool, turn: &mut Turn) {
        let key = self.selected;
        let to = match (key.facts().kind, self.file_value(key)) {
            (Kind::Whole { min, max }, Some(Value::Whole(number))) => {
                Value::Whole(stepped(number, min, max, up))
            }
            (Kind::Flag, Some(Value::Flag(on))) => Value::Flag(!on),
            (Kind::Choice(_) | Kind::Secret, _) => return self.begin(turn),
            _ => return,
        };
        self.drafts.want(&self.layered, key, Wanted::Value(to));
    }

    /// What the file will say of a key, or would say: the change, else the file's value, else the default. The
    /// environment is left out, as it is not what is edited here.
    pub fn file_value(&self, key: Key) -> Option<Value> {
        match self.drafts.of(key) {
            Some(draft) => draft.value(key).or_else(|| key.default()),
            None => self
                .layered
                .file()
                .values
                .get(&key)
                .cloned()
                .or_else(|| key.default()),
        }
    }

    fn step_key(&mut self, by: isize) {
        self.selected = moved(&Key::ALL, self.selected, by);
    }

    fn next_match(&mut self, by: isize) {
        let Some(Typing::Jump { field, .. }) = self.form.as_ref().map(|form| &form.typing) else {
            return;
        };
        let found = matches(field.text());
        if found.contains(&self.selected) {
            self.selected = moved(&found, self.selected, by);
        }
    }
}

/// The key `by` places further in `keys`, no further than the ends.
pub(super) fn moved(keys: &[Key], from: Key, by: isize) -> Key {
    let at = keys.iter().position(|key| *key == from).unwrap_or(0);
    let to = at
        .saturating_add_signed(by)
        .min(keys.len().saturating_sub(1));
    keys.get(to).copied().unwrap_or(from)
}

/// Keys that match what is typed, best first; by label, name and group.
pub fn matches(typed: &str) -> Vec<Key> {
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<(u32, Key)> = Key::ALL
        .into_iter()
        .filter_map(|key| {
            let facts = key.facts();
            let text = format!("{} {} {}", facts.label, facts.name, facts.group.title());
            let score = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher)?;
            Some((score, key))
        })
        .collect();
    found.sort_by_key(|(score, key)| (std::cmp::Reverse(*score), *key));
    found.into_iter().map(|(_, key)| key).collect()
}

/// The next multiple of a step that fits the range: a second in a day is no step that anybody wants.
fn stepped(number: u32, min: u32, max: u32, up: bool) -> u32 {
    let step = match max {
        0..=10 => 1,
        11..=600 => 5,
        601..=3600 => 10,
        _ => 60,
    };
    let next = if up {
        (number / step + 1).saturating_mul(step)
    } else {
        number.saturating_sub(1) / step * step
    };
    next.clamp(min, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_stay_in_range() {
        for (number, min, max, up, expected) in [
            (1800, 60, 86_400, true, 1860),
            (1801, 60, 86_400, false, 1800),
            (1801, 60, 86_400, true, 1860),
            (60, 60, 86_400, false, 60),
            (86_400, 60, 86_400, true, 86_400),
            (0, 0, 8, false, 0),
            (0, 0, 8, true, 1),
            (15, 1, 300, true, 20),
            (5, 1, 300, false, 1),
        ] {
            assert_eq!(stepped(number, min, max, up), expected, "{number} {up}");
        }
    }

    #[test]
    fn a_key_is_found_by_label_name_or_group() {
        for (typed, best) in [
            ("ttl", Key::K8sJobTtlSeconds),
            ("gpu", Key::K8sGpuLimit),
            ("exec time", Key::ExecutionTimeoutSeconds),
            ("vllm tag", Key::K8sVllmImageTag),
            ("argo", Key::K8sArgocdAppName),
        ] {
            assert_eq!(matches(typed).first(), Some(&best), "{typed}");
        }
        assert_eq!(matches("").len(), Key::ALL.len());
        assert_eq!(matches("zzzzz"), []);
    }
}
