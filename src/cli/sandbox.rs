//! `sandbox` on the command line.

use super::args::Globals;
use super::exit::{Exit, Failure};

/// Arguments of `sandbox`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `sandbox`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let _ = (globals, args);
    Ok(Exit::Ok)
}
