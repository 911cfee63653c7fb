//! The end of what a killed sandbox leaves behind: a process of its own outlives the sandbox and sees to it.
//!
//! It holds one end of a pipe. The kernel closes the other one when the sandbox's process is over, however it ended: then
//! everything that still carries the node's mark is killed, and the node's directory removed. After a clean end nothing is left.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::node::process::kill_marked;

/// The variable that marks every process of a node with the node's directory.
pub(crate) const MARK: &str = "LLMCTL_SANDBOX_NODE";

/// The argument by which the program becomes a warden; the directory follows.
pub const ARGUMENT: &str = "--outlive";

/// How long a clean end waits for it.
const END_WITHIN: Duration = Duration::from_secs(2);

/// A warden at its post, for as long as it is held.
#[derive(Debug)]
pub(crate) struct Warden(Child);

impl Warden {
    /// Posts one for the node with this directory. Without a program that can be started there is none.
    pub(crate) fn post(executor: &[OsString], directory: &Path) -> Option<Self> {
        let (program, arguments) = executor.split_first()?;
        Command::new(program)
            .args(arguments)
            .arg(ARGUMENT)
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A key that ends the program in its terminal is not for the warden.
            .process_group(0)
            .spawn()
            .ok()
            .map(Self)
    }

    /// Sends it away after a clean end.
    pub(crate) async fn dismiss(mut self) {
        drop(self.0.stdin.take());
        // One that takes long goes by itself.
        let _ = tokio::time::timeout(END_WITHIN, self.0.wait()).await;
    }
}

/// What a warden does: waits for the end of the process that posted it, then ends what it left.
///
/// # Errors
/// When the directory is there and cannot be removed.
pub fn outlive(directory: &Path) -> io::Result<()> {
    let mut nothing = Vec::new();
    // Whatever this gives, nobody is at the other end any more.
    let _ = io::stdin().read_to_end(&mut nothing);
    kill_marked(&format!("{MARK}={}", directory.display()));
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
