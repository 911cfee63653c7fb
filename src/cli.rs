//! The command line: one file per subcommand.

use std::ffi::OsString;
use std::process::ExitCode;

/// Parses the arguments and runs what they ask for.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let _ = args;
    ExitCode::SUCCESS
}
