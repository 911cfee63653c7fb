//! A one-line text field: an input and what its owner needs of it.

use tui_input::{Input, InputRequest};

/// One line being typed.
#[derive(Clone, Debug, Default)]
pub struct Field(Input);

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() && self.cursor() == other.cursor()
    }
}

impl Field {
    /// A field that holds `text`, the cursor behind it.
    pub fn with(text: &str) -> Self {
        Self(Input::new(text.to_owned()))
    }

    /// What is typed.
    pub fn text(&self) -> &str {
        self.0.value()
    }

    /// Cursor in columns from the first character.
    pub fn cursor(&self) -> usize {
        self.0.visual_cursor()
    }

    /// Takes one editing key.
    pub fn edit(&mut self, request: &InputRequest) {
        self.0.handle(*request);
    }
}
