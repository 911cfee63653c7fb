//! The terminal UI: bare on the Minikube profile or a named context, `demo` on the sandbox.

use super::args::Globals;
use super::exit::{Exit, Failure};

/// Opens the terminal UI on what the globals name.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn bare(globals: &Globals) -> Result<Exit, Failure> {
    let _ = globals;
    Ok(Exit::Ok)
}

/// Opens the terminal UI on a fresh sandbox.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn demo(globals: &Globals) -> Result<Exit, Failure> {
    let _ = globals;
    Ok(Exit::Ok)
}
