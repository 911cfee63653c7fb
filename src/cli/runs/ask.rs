//! The question before much is removed: the namespace's name typed in full.

use super::super::exit::{Exit, Failure};
use super::super::headless::Headless;
use crate::sanitize::sanitize;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Asks on standard error; `what` begins the question: "Remove 3 Jobs with their pods".
///
/// # Errors
/// Wrong usage when standard input is no terminal, refused when another name is typed.
pub(super) fn typed(headless: &Headless, what: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "standard input is no terminal, so nobody can be asked: give --yes",
        ));
    }
    let namespace = headless.world.namespace();
    let question = format!(
        "{what} from {namespace} @ {}? Type the namespace's name:",
        headless.world.target().badge()
    );
    let mut err = io::stderr().lock();
    let _ = write!(err, "{} ", sanitize(&question));
    let _ = err.flush();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == namespace {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        "another name was typed: nothing was removed",
    ))
}
