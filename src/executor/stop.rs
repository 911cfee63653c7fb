//! What asks the executor itself to stop: signals and, on request, the end of its parent.

use std::env;
use std::io;
use std::time::Duration;

use rustix::process::{Pid, getppid};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

/// Set to `1` by a host that runs executors as its children, such as the sandbox: an executor whose parent was killed
/// ends its run instead of going on unseen. Not for containers, where it is process 1.
pub const PARENT_VARIABLE: &str = "LLMCTL_EXECUTOR_END_WITH_PARENT";

const LOOK_FOR_PARENT: Duration = Duration::from_millis(500);

/// Why to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The name of the signal that arrived.
    Signal(&'static str),
    ParentGone,
}

/// SIGTERM, SIGINT and SIGHUP from the moment it exists. As process 1 of a container a signal without this is not
/// even delivered (W16). What arrives while nobody waits is kept.
#[derive(Debug)]
pub(super) struct Stops {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// The parent at the start, when its end matters.
    parent: Option<Pid>,
}

impl Stops {
    /// Must be called inside a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        let wanted = env::var_os(PARENT_VARIABLE).is_some_and(|value| value == "1");
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            parent: if wanted { getppid() } else { None },
        })
    }

    /// The next reason to stop. The end of the parent is one only once.
    pub(super) async fn next(&mut self) -> Stop {
        let parent = self.parent;
        let orphaned = async {
            while parent.is_some() && getppid() == parent {
                sleep(LOOK_FOR_PARENT).await;
            }
            if parent.is_none() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Stop::Signal("SIGTERM"),
            _ = self.interrupt.recv() => Stop::Signal("SIGINT"),
            _ = self.hangup.recv() => Stop::Signal("SIGHUP"),
            () = orphaned => {
                self.parent = None;
                Stop::ParentGone
            }
        }
    }
}
