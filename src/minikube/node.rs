//! What only the node itself can say.

use super::Minikube;
use super::group::Group;
use std::process::Stdio;
use std::time::Duration;

/// Longest wait for an answer of the node.
const PATIENCE: Duration = Duration::from_secs(20);

impl Minikube {
    /// Whether the node of `profile` has a directory at `path`; none when it does not say.
    pub async fn has_directory(&self, profile: &str, path: &str) -> Option<bool> {
        // minikube's own failures end with the same code as a remote command's, so that the answer is in the words.
        let quoted = path.replace('\'', r"'\''");
        let mut command = self.command(profile);
        command
            .args(["ssh", "--"])
            .arg(format!("test -d '{quoted}' && echo there || echo absent"))
            .stderr(Stdio::null());
        let mut group = Group::spawn(command).ok()?;
        let output = tokio::time::timeout(PATIENCE, group.output())
            .await
            .ok()?
            .ok()?;
        match String::from_utf8_lossy(&output.stdout).trim() {
            "there" => Some(true),
            "absent" => Some(false),
            _ => None,
        }
    }
}
