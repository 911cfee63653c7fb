//! The question before an apply. Asking is proportional: y/N for changes, the overlay's name typed when something goes.

use crate::cli::exit::{Exit, Failure};
use crate::domain::overlays::plan::Plan;
use crate::domain::overlays::progress::ApplyOptions;
use crate::domain::target::Target;
use crate::sanitize::sanitize;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Somebody must be there to answer.
///
/// # Errors
/// Wrong usage when standard input is no terminal.
pub(super) fn needs_a_terminal() -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        "standard input is no terminal, so nobody can be asked: look at `overlays diff`, then give --yes",
    ))
}

/// Asks on standard error and reads one line.
///
/// # Errors
/// Refused when the answer is not yes.
pub(super) fn consent(plan: &Plan, target: &Target, options: ApplyOptions) -> Result<(), Failure> {
    let (question, wanted) = question(plan, target, options);
    let mut err = io::stderr().lock();
    let _ = write!(err, "{} ", sanitize(&question));
    let _ = err.flush();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    let answer = answer.trim();
    let said_yes = match &wanted {
        Some(name) => answer == name,
        None => answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"),
    };
    if read.is_ok() && said_yes {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        "not applied: nothing was changed",
    ))
}

/// The question, and the name to type when y is not enough.
fn question(plan: &Plan, target: &Target, options: ApplyOptions) -> (String, Option<String>) {
    let to = plan.namespaces.join(", ");
    let what = format!(
        "Apply overlay {} to {to} @ {}",
        plan.overlay,
        target.badge()
    );
    let gone: Vec<String> = plan.prunable().map(ToString::to_string).collect();
    if options.prune && !gone.is_empty() {
        let question = format!(
            "{what} and remove {}? Type the overlay's name:",
            gone.join(", ")
        );
        return (question, Some(plan.overlay.clone()));
    }
    let taken = if options.force && plan.conflicts().next().is_some() {
        " and take the ownership of what others own"
    } else {
        ""
    };
    (format!("{what}{taken}? [y/N]"), None)
}
