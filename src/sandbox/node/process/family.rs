//! Everything that descends from a container's first process, and its end.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How often a family is looked for at most until none of it is left, and the pause between two looks.
const LOOKS: u32 = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// How often a process that holds SIGTERM back is looked at before it is one that waits for it.
const LOOKS_AT_A_BLOCK: u32 = 50;

/// A container's processes. Dropping it kills them as long as the first one was not waited for.
#[derive(Debug)]
pub(super) struct Family {
    /// The leader of the process group, until it was waited for.
    pub(super) leader: Option<Pid>,
    /// What every process of it has in its environment.
    pub(super) mark: String,
}

impl Family {
    /// Asks the first process to end, as a container runtime does. Process 1 of a container is not even interrupted by a SIGTERM
    /// that it does not handle, so the request is for a process that does.
    pub(super) fn terminate(&self) {
        if let Some(leader) = self.leader.filter(|leader| minds_sigterm(*leader)) {
            // One that is gone needs no signal.
            let _ = kill_process(leader, Signal::TERM);
        }
    }

    pub(super) fn kill(&self) {
        if let Some(leader) = self.leader {
            // A group that is gone needs no signal.
            let _ = kill_process_group(leader, Signal::KILL);
        }
        kill_marked(&self.mark);
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if self.leader.is_some() {
            self.kill();
        }
    }
}

/// Kills every process of this user that carries a mark.
pub(crate) fn kill_marked(mark: &str) {
    // An executor gives its command a group of its own, and orphans belong to nobody: their mark tells. Dying takes a moment, and
    // who is just starting another program shows no mark: gone is what two looks in a row did not find.
    let mut quiet = 0;
    for _ in 0..LOOKS {
        let found = marked(mark);
        if found.is_empty() {
            quiet += 1;
            if quiet == 2 {
                return;
            }
        } else {
            quiet = 0;
        }
        for pid in found {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// The live processes of this user that carry the mark; none where there is no `/proc`.
pub(super) fn marked(mark: &str) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            // A zombie's environment is empty, so the dead are not found.
            let environment = std::fs::read(entry.path().join("environ")).ok()?;
            environment
                .split(|byte| *byte == 0)
                .any(|one| one == mark.as_bytes())
                .then_some(pid)
        })
        .collect()
}

/// Whether a process handles SIGTERM, or holds it back to take it later; true of every process where there is no `/proc`.
fn minds_sigterm(pid: Pid) -> bool {
    for _ in 0..LOOKS_AT_A_BLOCK {
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
        match status.map_or(Stance::Handles, |status| stance(&status)) {
            Stance::Handles => return true,
            Stance::Deaf => return false,
            // A shell holds back every signal while it starts a program.
            Stance::HoldsBack => std::thread::sleep(BETWEEN_LOOKS),
        }
    }
    true
}

/// What a process does about SIGTERM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stance {
    Handles,
    /// Blocked, and there is no handler.
    HoldsBack,
    /// Ignored or left to its default, which process 1 of a container does not follow.
    Deaf,
}

/// Reads the signal masks of `/proc/PID/status`.
fn stance(status: &str) -> Stance {
    const SIGTERM: u64 = 1 << (15 - 1);
    let holds = |wanted: &str| {
        status
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| *name == wanted)
            .filter_map(|(_, mask)| u64::from_str_radix(mask.trim(), 16).ok())
            .any(|mask| mask & SIGTERM != 0)
    };
    if holds("SigCgt") {
        Stance::Handles
    } else if holds("SigBlk") {
        Stance::HoldsBack
    } else {
        Stance::Deaf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_tell_who_minds() {
        let status = |blocked: &str, ignored: &str, caught: &str| {
            format!(
                "Name:\tsh\nSigPnd:\t0000000000004000\nSigBlk:\t{blocked}\nSigIgn:\t{ignored}\nSigCgt:\t{caught}\n"
            )
        };
        let (none, term, other) = ("0000000000000000", "0000000000004002", "0000000000002002");
        assert_eq!(stance(&status(none, none, term)), Stance::Handles);
        assert_eq!(stance(&status(term, none, term)), Stance::Handles);
        assert_eq!(stance(&status(term, none, none)), Stance::HoldsBack);
        assert_eq!(stance(&status(none, term, none)), Stance::Deaf);
        assert_eq!(stance(&status(other, none, other)), Stance::Deaf);
    }
}
