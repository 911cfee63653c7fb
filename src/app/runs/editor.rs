//! The payload of a run being edited as text; what it breaks is told while typing.

use super::super::Turn;
use super::super::action::Action;
use super::super::notices::Notice;
use super::super::page::Page;
use super::{Around, Effect, Slice};
use crate::domain::payload::check::problems;
use crate::domain::payload::own::{self, Own};
use crate::domain::samples::Sample;
use serde_json::Value;
use tui_input::InputRequest;

/// How a document is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    Yaml,
    Json,
}

impl Language {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Json => "JSON",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Yaml => Self::Json,
            Self::Json => Self::Yaml,
        }
    }
}

/// The text and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Editor {
    pub page: Page,
    pub language: Language,
    /// What the newest text that was read says; none while it is being read.
    read: Option<Value>,
    /// What is wrong with it, worst first.
    pub problems: Vec<String>,
    /// Something was typed before it was written in another language.
    typed: bool,
    /// The revision that was about to be left, which was said.
    warned: Option<u64>,
}

impl Editor {
    fn of(text: &str, language: Language) -> Self {
        Self {
            page: Page::with(text),
            language,
            read: None,
            problems: Vec::new(),
            typed: false,
            warned: None,
        }
    }

    /// Whether it may be left: nothing was typed, or it was said that what was typed goes.
    fn may_go(&mut self) -> bool {
        let revision = self.page.revision();
        let told = self.warned.replace(revision) == Some(revision);
        !self.is_typed() || told
    }

    /// Whether what stands there was read; what was found out before is of another text.
    pub fn is_read(&self) -> bool {
        self.read.is_some()
    }

    fn is_typed(&self) -> bool {
        self.typed || self.page.revision() > 0
    }
}

impl Slice {
    /// Opens the editor on the payload as it is chosen.
    pub(super) fn edit_payload(&mut self, turn: &mut Turn) {
        let Some(sample) = self.offered(self.dialog.sample) else {
            return;
        };
        let document = match &self.dialog.written {
            Some(written) => written.clone(),
            None => own::of_sample(&sample),
        };
        turn.effects
            .push(super::super::Effect::Runs(Effect::WritePayload {
                document,
                language: Language::Yaml,
            }));
    }

    /// The text of a payload is there.
    pub(super) fn payload_written(&mut self, text: &str, language: Language, turn: &mut Turn) {
        let typed = self.dialog.editor.as_ref().is_some_and(Editor::is_typed);
        self.dialog.editor = Some(Editor {
            typed,
            ..Editor::of(text, language)
        });
        self.read_payload(turn);
    }

    /// Takes one editing key.
    pub(super) fn type_payload(&mut self, request: &InputRequest, turn: &mut Turn) {
        if let Some(editor) = &mut self.dialog.editor {
            let before = editor.page.revision();
            editor.page.edit(request);
            if editor.page.revision() != before {
                self.read_payload(turn);
            }
        }
    }

    fn read_payload(&mut self, turn: &mut Turn) {
        if let Some(editor) = &mut self.dialog.editor {
            editor.read = None;
            turn.effects
                .push(super::super::Effect::Runs(Effect::ReadPayload {
                    text: editor.page.text(),
                    revision: editor.page.revision(),
                }));
        }
    }

    /// A text was read; the answer about an older one is of no interest.
    pub(super) fn payload_read(&mut self, revision: u64, result: Result<Value, String>) {
        let Some(editor) = &mut self.dialog.editor else {
            return;
        };
        if editor.page.revision() != revision {
            return;
        }
        match result {
            Ok(document) => {
                editor.problems = problems(&document)
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                editor.read = Some(document);
            }
            Err(mistake) => {
                editor.problems = vec![mistake];
                editor.read = None;
            }
        }
    }

    /// Takes one action in the editor.
    pub(super) fn act_editor(
        &mut self,
        action: Action,
        page: usize,
        around: &Around,
        turn: &mut Turn,
    ) {
        let Some(editor) = &mut self.dialog.editor else {
            return;
        };
        let rows = isize::try_from(page).unwrap_or(isize::MAX);
        match action {
            Action::Up => editor.page.go(-1),
            Action::Down => editor.page.go(1),
            Action::PageUp => editor.page.go(-rows),
            Action::PageDown => editor.page.go(rows),
            Action::Accept => self.type_payload(&InputRequest::InsertChar('\n'), turn),
            Action::UndoEdit => {
                editor.page.undo();
                self.read_payload(turn);
            }
            Action::OtherLanguage => {
                if let Some(document) = editor.read.clone() {
                    let language = editor.language.other();
                    turn.effects
                        .push(super::super::Effect::Runs(Effect::WritePayload {
                            document,
                            language,
                        }));
                }
            }
            Action::TakePayload => self.take_payload(around, turn),
            Action::Dismiss if editor.may_go() => self.dialog.editor = None,
            Action::Dismiss => turn.notice(Notice::warning(
                "what you typed is not taken yet: ctrl-s takes it, esc once more drops it",
            )),
            _ => {}
        }
    }

    /// Takes the payload as typed, when it is in order.
    fn take_payload(&mut self, around: &Around, turn: &mut Turn) {
        let Some(sample) = self.offered(self.dialog.sample) else {
            return;
        };
        let Some(written) = self
            .dialog
            .editor
            .as_ref()
            .and_then(|editor| editor.read.clone())
        else {
            return turn.notice(Notice::warning(
                "not taken: the text is not read yet, or cannot be",
            ));
        };
        match taken(&sample, &written) {
            Ok(own) => {
                self.dialog.own = Some(own);
                self.dialog.written = Some(written);
                self.dialog.editor = None;
                self.check_dialog(around);
            }
            Err(problems) => {
                if let Some(editor) = &mut self.dialog.editor {
                    editor.problems = problems;
                }
            }
        }
    }
}

pub(super) fn taken(sample: &Sample, written: &Value) -> Result<Own, Vec<String>> {
    let mut document = written.clone();
    own::unmask(&mut document, sample);
    Own::new(sample, document)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}
