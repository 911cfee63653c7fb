//! A child with all its descendants: reaped, asked to end, ended.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process_group, test_kill_process_group, wait,
};
use tokio::signal::unix::{Signal as Arrivals, SignalKind, signal};
use tokio::time::{Instant, sleep, timeout_at};

use super::process::Exit;
use super::tree::kill_descendants;

/// Processes that a kernel call holds do not even die of SIGKILL at once; the result does not wait longer than this.
const END_WITHIN: Duration = Duration::from_secs(5);
/// Ends of processes that are not our children announce themselves to nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The processes of one run. This process waits for *any* child, so it has to be the executor's own: as process 1 it
/// inherits every orphan of the container, and elsewhere it asks the kernel for its own orphans.
#[derive(Debug)]
pub(super) struct Family {
    arrivals: Arrivals,
    leader: Option<Pid>,
    exit: Option<Exit>,
    orphans_come_here: bool,
}

impl Family {
    /// Before the first child starts, so that no end is missed.
    pub(super) fn prepare() -> io::Result<Self> {
        Ok(Self {
            arrivals: signal(SignalKind::child())?,
            leader: None,
            exit: None,
            orphans_come_here: receive_orphans(),
        })
    }

    /// `leader` leads the process group that has its id.
    pub(super) fn adopt(&mut self, leader: Pid) {
        self.leader = Some(leader);
    }

    /// How the leader ended, when it has.
    pub(super) fn exit(&mut self) -> Option<Exit> {
        self.reap();
        self.exit
    }

    /// Returns when a child may have ended.
    pub(super) async fn changed(&mut self) {
        let _ = self.arrivals.recv().await;
    }

    /// SIGTERM to the group, and then up to `grace` for all of it to go.
    pub(super) async fn ask_to_end(&mut self, grace: Duration) {
        if !self.reap() && self.orphans_come_here {
            return;
        }
        let deadline = Instant::now() + grace;
        self.signal_group(Signal::TERM);
        // A stopped process acts on nothing until it is continued.
        self.signal_group(Signal::CONT);
        let gone = async {
            while self.reap() && self.group_exists() {
                tokio::select! {
                    () = self.changed() => {}
                    () = sleep(LOOK_AGAIN) => {}
                }
            }
        };
        let _ = timeout_at(deadline, gone).await;
    }

    /// Kills what is left: the group, and descendants that left it. True when none can be left.
    pub(super) async fn end(&mut self) -> bool {
        let deadline = Instant::now() + END_WITHIN;
        if !self.orphans_come_here {
            self.signal_group(Signal::KILL);
        }
        while self.reap() {
            self.signal_group(Signal::KILL);
            kill_descendants(getpid());
            if Instant::now() >= deadline {
                return false;
            }
            tokio::select! {
                () = self.changed() => {}
                () = sleep(LOOK_AGAIN) => {}
            }
        }
        self.orphans_come_here
    }

    /// Collects every child that has ended; false when there is no child left at all.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if Some(pid) == self.leader {
                        self.exit = exit_of(status);
                    }
                }
                Ok(None) => return true,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // Nobody left to receive it is what is wanted.
            let _ = kill_process_group(leader, signal);
        }
    }

    fn group_exists(&self) -> bool {
        self.leader
            .is_some_and(|leader| test_kill_process_group(leader).is_ok())
    }
}

fn exit_of(status: WaitStatus) -> Option<Exit> {
    let code = status.exit_status().map(Exit::Code);
    code.or_else(|| status.terminating_signal().map(Exit::Signal))
}

/// Makes this process the parent of its orphaned descendants. Process 1 of a container is that already.
#[cfg(target_os = "linux")]
fn receive_orphans() -> bool {
    use rustix::process::set_child_subreaper;
    set_child_subreaper(Some(getpid())).is_ok() || getpid().is_init()
}

#[cfg(not(target_os = "linux"))]
fn receive_orphans() -> bool {
    false
}
