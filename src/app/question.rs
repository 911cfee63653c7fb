//! A question before something is written: y/N for one object, the name typed for many.

use super::Effect;
use super::action::{Action, Context};
use super::text::Field;
use tui_input::InputRequest;

/// What is asked and what a yes does.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Names objects, cluster and namespace.
    pub text: String,
    /// The name to type, when y is not enough.
    pub wants: Option<String>,
    pub typed: Field,
    pub effects: Vec<Effect>,
}

/// What an answer leads to.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Waiting,
    No,
    Yes(Vec<Effect>),
}

impl Question {
    /// A y/N question.
    pub fn yes_no(text: impl Into<String>, effects: Vec<Effect>) -> Self {
        Self {
            text: text.into(),
            wants: None,
            typed: Field::default(),
            effects,
        }
    }

    /// A question that `name` typed in full answers.
    pub fn typed(text: impl Into<String>, name: impl Into<String>, effects: Vec<Effect>) -> Self {
        Self {
            text: text.into(),
            wants: Some(name.into()),
            typed: Field::default(),
            effects,
        }
    }

    /// Where its keys are looked up.
    pub fn context(&self) -> Context {
        if self.wants.is_some() {
            Context::QuestionText
        } else {
            Context::Question
        }
    }

    /// Takes one action.
    pub fn act(&mut self, action: Action) -> Answer {
        let said_yes = match (action, &self.wants) {
            (Action::Yes, None) => true,
            (Action::Accept, Some(name)) => self.typed.text() == name,
            _ => false,
        };
        match action {
            _ if said_yes => Answer::Yes(std::mem::take(&mut self.effects)),
            // Enter is No: the careful answer is the one that a hasty key gives.
            Action::No | Action::Dismiss => Answer::No,
            Action::Accept if self.wants.is_none() => Answer::No,
            _ => Answer::Waiting,
        }
    }

    /// Takes one editing key.
    pub fn edit(&mut self, request: &InputRequest) {
        self.typed.edit(request);
    }
}
