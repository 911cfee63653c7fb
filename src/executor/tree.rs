//! Descendants of a process, and ending all of them: what killing a container does to what runs in it.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Processes that a kernel call holds do not die at once.
const WITHIN: Duration = Duration::from_secs(2);

/// A process as the kernel's process table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    pid: i32,
    parent: i32,
    /// Ended, and only waiting for its parent to notice.
    is_over: bool,
}

/// SIGKILL to an executor with everything it started, without a last word of it: the force deletion of a pod. SIGKILL
/// to the executor alone would leave its run behind. The caller still waits for its child.
///
/// Blocks for some milliseconds. Descendants are found on Linux only.
pub fn kill(executor: u32) {
    let Some(root) = i32::try_from(executor).ok().and_then(Pid::from_raw) else {
        return;
    };
    // Held still, it can neither report what happens nor start more; as long as it exists, its orphans stay with it.
    let _ = kill_process(root, Signal::STOP);
    let deadline = Instant::now() + WITHIN;
    while kill_descendants(root) > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = kill_process(root, Signal::KILL);
}

/// SIGKILL to each living descendant; returns how many there were.
pub(super) fn kill_descendants(root: Pid) -> usize {
    let found = descendants(root.as_raw_pid(), &process_table());
    for pid in found.iter().copied().filter_map(Pid::from_raw) {
        // Gone already is as good.
        let _ = kill_process(pid, Signal::KILL);
    }
    found.len()
}

fn descendants(root: i32, table: &[Entry]) -> Vec<i32> {
    let mut family = vec![root];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(
            table
                .iter()
                .filter(|entry| entry.parent == parent)
                .map(|entry| entry.pid),
        );
        next += 1;
    }
    let living = |pid: &i32| {
        table
            .iter()
            .any(|entry| entry.pid == *pid && !entry.is_over)
    };
    family.into_iter().skip(1).filter(living).collect()
}

#[cfg(target_os = "linux")]
fn process_table() -> Vec<Entry> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbered = entries.flatten().filter(|entry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.parse::<i32>().is_ok())
    });
    numbered
        .filter_map(|entry| std::fs::read(entry.path().join("stat")).ok())
        .filter_map(|stat| read(&String::from_utf8_lossy(&stat)))
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn process_table() -> Vec<Entry> {
    Vec::new()
}

/// A line of `/proc/PID/stat`. The program's name in it may hold anything, also `)`.
#[cfg(target_os = "linux")]
fn read(stat: &str) -> Option<Entry> {
    let pid = stat.split_whitespace().next()?.parse().ok()?;
    let mut after_name = stat[stat.rfind(')')? + 1..].split_whitespace();
    let is_over = matches!(after_name.next()?, "Z" | "X");
    Some(Entry {
        pid,
        parent: after_name.next()?.parse().ok()?,
        is_over,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_behind_any_program_name() {
        assert_eq!(
            read("12 (sleep) S 7 12 3"),
            Some(Entry {
                pid: 12,
                parent: 7,
                is_over: false
            })
        );
        assert_eq!(
            read("12 (a) S 9 (b) Z 8 1"),
            Some(Entry {
                pid: 12,
                parent: 8,
                is_over: true
            })
        );
        assert_eq!(read(""), None);
    }

    #[test]
    fn descendants_are_found_through_those_that_are_over() {
        let entry = |pid, parent, is_over| Entry {
            pid,
            parent,
            is_over,
        };
        let table = [
            entry(2, 1, false),
            entry(3, 2, true),
            entry(4, 3, false),
            entry(5, 1, false),
            entry(6, 4, false),
        ];
        assert_eq!(descendants(2, &table), [4, 6]);
        assert_eq!(descendants(5, &table), Vec::<i32>::new());
    }
}
