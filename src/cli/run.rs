//! `run` on the command line.

use super::args::Globals;
use super::exit::{Exit, Failure};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `run`.
///
/// # Errors
/// A [`Failure`] with its exit code and message.
pub async fn run(globals: &Globals, args: Args) -> Result<Exit, Failure> {
    let _ = (globals, args);
    Ok(Exit::Ok)
}
