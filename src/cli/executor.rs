//! `executor` on the command line.

use std::path::PathBuf;

use crate::executor::{self, Invocation};
use crate::sandbox::warden;

/// Arguments of `executor`; the sources of a payload and their order are contract 5.1.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File with the payload
    #[arg(long, value_name = "FILE")]
    pub payload_file: Option<PathBuf>,
    /// The payload itself
    #[arg(long, value_name = "JSON")]
    pub payload_json: Option<String>,
    /// Also write the result to this file, as indented JSON
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    /// Wait for the end of the sandbox that has this directory, and end what it leaves
    #[arg(long, value_name = "DIRECTORY", hide = true)]
    pub outlive: Option<PathBuf>,
}

/// Runs a payload and returns the process exit code of contract 5.6.
pub fn run(args: Args) -> u8 {
    if let Some(directory) = args.outlive {
        return u8::from(warden::outlive(&directory).is_err());
    }
    let code = executor::main(&Invocation {
        payload_file: args.payload_file,
        payload_json: args.payload_json,
        output_file: args.output_file,
    });
    u8::try_from(code).unwrap_or(1)
}
