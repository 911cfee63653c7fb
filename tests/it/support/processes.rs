//! The processes of this machine, as `/proc` tells of them.

use std::time::{Duration, Instant};

/// One process; its start time tells it from a later one with the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) id: i32,
    parent: i32,
    started: u64,
    /// Clock ticks (hundredths of a second) that it ran.
    ticks: u64,
    name: String,
    zombie: bool,
}

impl Process {
    /// The process with that id, while it lives.
    pub(crate) fn find(id: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name is in parentheses and may hold any character.
        let (head, tail) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = tail.split(' ').collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            id,
            parent: fields.get(1)?.parse().ok()?,
            started: number(19)?,
            ticks: number(11)? + number(12)?,
            name: head.split_once('(')?.1.to_owned(),
            zombie: fields[0] == "Z",
        })
    }

    /// It runs or could run.
    pub(crate) fn lives(&self) -> bool {
        Self::find(self.id).is_some_and(|now| now.started == self.started && !now.zombie)
    }

    /// Time on a processor so far.
    pub(crate) fn busy(&self) -> Duration {
        Self::find(self.id).map_or(Duration::ZERO, |now| Duration::from_millis(now.ticks * 10))
    }
}

/// All processes below one.
pub(crate) fn below(id: i32) -> Vec<Process> {
    let all: Vec<Process> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| Process::find(entry.file_name().to_str()?.parse().ok()?))
        .collect();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![id];
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|process| process.parent == parent) {
            parents.push(process.id);
            found.push(process.clone());
        }
    }
    found
}

/// Waits until none of them lives.
#[track_caller]
pub(crate) fn all_end(processes: &[Process]) {
    let begin = Instant::now();
    loop {
        let living: Vec<&Process> = processes.iter().filter(|one| one.lives()).collect();
        if living.is_empty() {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "still there: {living:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
