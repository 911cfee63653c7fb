//! `completions` and `man`: made from the same table of arguments as the parser.

use super::exit::{Exit, Failure};
use super::output;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell to complete for
    pub shell: clap_complete::Shell,
}

/// Prints the completions of a shell.
///
/// # Errors
/// When standard output cannot be written.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "llmctl-dev", &mut out);
    output::text(&String::from_utf8_lossy(&out))?;
    Ok(Exit::Ok)
}

/// Prints the manual page.
///
/// # Errors
/// When standard output cannot be written.
pub fn man() -> Result<Exit, Failure> {
    let mut out = Vec::new();
    clap_mangen::Man::new(super::command())
        .render(&mut out)
        .map_err(|error| Failure::other(format!("cannot write the manual page: {error}")))?;
    output::text(&String::from_utf8_lossy(&out))?;
    Ok(Exit::Ok)
}
