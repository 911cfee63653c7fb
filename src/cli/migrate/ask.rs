//! The question before a change of a database.

use crate::cli::exit::{Exit, Failure};
use crate::sanitize::sanitize;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Somebody must be there to answer.
///
/// # Errors
/// Wrong usage when standard input is no terminal.
pub(super) fn needs_a_terminal(look_at: &str) -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        format!(
            "standard input is no terminal, so nobody can be asked: look at {look_at}, then give --yes"
        ),
    ))
}

/// Asks on standard error and reads one line.
///
/// # Errors
/// Refused when the answer is not yes.
pub(super) fn consent(question: &str) -> Result<(), Failure> {
    let mut err = io::stderr().lock();
    let _ = write!(err, "{} ", sanitize(question));
    let _ = err.flush();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    let answer = answer.trim();
    if read.is_ok() && (answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")) {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "nothing was changed"))
}
