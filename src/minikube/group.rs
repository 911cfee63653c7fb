//! A child process with a process group of its own, which ends with its owner.

use rustix::process::{Pid, Signal, kill_process_group};
use std::process::Output;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

/// A running child. Dropping it kills what is left of its group: minikube runs other programs (docker, ssh) that would go on.
pub(super) struct Group {
    pub(super) child: Child,
    leader: Option<Pid>,
}

impl Group {
    pub(super) fn spawn(mut command: Command) -> std::io::Result<Self> {
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let leader = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, leader })
    }

    /// Reads both pipes to their ends and waits.
    pub(super) async fn output(&mut self) -> std::io::Result<Output> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let (out, err) = (self.child.stdout.take(), self.child.stderr.take());
        let read_out = async {
            match out {
                Some(mut pipe) => pipe.read_to_end(&mut stdout).await,
                None => Ok(0),
            }
        };
        let read_err = async {
            match err {
                Some(mut pipe) => pipe.read_to_end(&mut stderr).await,
                None => Ok(0),
            }
        };
        tokio::try_join!(read_out, read_err)?;
        let status = self.child.wait().await?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // After the child was waited for its id may be another's: only a group whose leader still is our child is killed.
        if self.child.id().is_some()
            && let Some(leader) = self.leader
        {
            // It may have ended this very moment.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
