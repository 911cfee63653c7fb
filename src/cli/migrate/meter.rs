//! How far a migration is, on standard error: one line that moves on a terminal, one line per step elsewhere.

use crate::domain::migration::Step;
use std::io::{self, IsTerminal as _, Write as _};
use std::mem::{Discriminant, discriminant};

const WIDTH: u64 = 24;

/// The line.
#[derive(Debug)]
pub(super) struct Meter {
    is_terminal: bool,
    last: Option<Discriminant<Step>>,
    drawn: bool,
}

impl Meter {
    /// Nothing shown yet.
    pub(super) fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            last: None,
            drawn: false,
        }
    }

    /// Shows a step.
    pub(super) fn show(&mut self, step: Step) {
        let mut err = io::stderr().lock();
        if self.is_terminal {
            self.drawn = true;
            let _ = write!(err, "\r\x1b[K{}{step}", bar(step));
            let _ = err.flush();
        } else if self.last != Some(discriminant(&step)) {
            let _ = writeln!(err, "{}", first_words(step));
        }
        self.last = Some(discriminant(&step));
    }

    /// Takes the moving line away.
    fn end(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r\x1b[K");
            let _ = err.flush();
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.end();
    }
}

/// A step without its numbers, which are those of its first batch.
fn first_words(step: Step) -> String {
    let text = step.to_string();
    text.split(':').next().unwrap_or_default().to_owned()
}

fn bar(step: Step) -> String {
    let (Step::BackingUp { rows, of } | Step::Changing { rows, of } | Step::Verifying { rows, of }) =
        step
    else {
        return String::new();
    };
    let full = (rows * WIDTH).checked_div(of).unwrap_or(WIDTH).min(WIDTH);
    (0..WIDTH)
        .map(|at| if at < full { '#' } else { '.' })
        .chain([' '])
        .collect()
}
