//! How much history is kept.

use crate::domain::logs::LogLine;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The oldest runs beyond any of these are removed, at the start and now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub runs: usize,
    pub age: Duration,
    /// Records and logs together.
    pub bytes: u64,
    /// Of one log; what comes after is not kept.
    pub log_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            runs: 1000,
            age: Duration::from_hours(720),
            bytes: 256 * 1024 * 1024,
            log_bytes: 64 * 1024 * 1024,
        }
    }
}

/// The line that stands where a log was cut.
pub(super) fn cut(bytes: u64) -> LogLine {
    LogLine {
        at: None,
        text: format!("[llmctl-dev] the log is longer than {bytes} bytes; the rest is not kept"),
    }
}

/// What is kept of one run: its record, its log, a record that was set aside.
struct Kept {
    files: Vec<PathBuf>,
    changed: SystemTime,
    bytes: u64,
}

/// Removes what is out of bounds; what cannot be removed stays.
pub(super) fn prune(directory: &Path, bounds: Bounds) {
    let mut kept = kept(directory);
    kept.sort_by_key(|run| std::cmp::Reverse(run.changed));
    let now = SystemTime::now();
    let mut bytes = 0;
    for (n, run) in kept.iter().enumerate() {
        bytes += run.bytes;
        let old = now
            .duration_since(run.changed)
            .is_ok_and(|age| age > bounds.age);
        if n >= bounds.runs || old || bytes > bounds.bytes {
            remove(run);
        }
    }
}

/// All files by run: what stands before the first dot of their names. Files that begin with a dot are none of a run.
fn kept(directory: &Path) -> Vec<Kept> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut runs: HashMap<String, Kept> = HashMap::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((id, _)) = name.split_once('.').filter(|(id, _)| !id.is_empty()) else {
            sweep(&entry, &name);
            continue;
        };
        let Ok(meta) = entry.metadata() else { continue };
        let run = runs.entry(id.to_owned()).or_insert_with(|| Kept {
            files: Vec::new(),
            changed: SystemTime::UNIX_EPOCH,
            bytes: 0,
        });
        run.files.push(entry.path());
        run.bytes += meta.len();
        run.changed = run.changed.max(meta.modified().unwrap_or(run.changed));
    }
    runs.into_values().collect()
}

/// Removes the half-written record of a program that was killed.
fn sweep(entry: &fs::DirEntry, name: &str) {
    let changed = entry.metadata().and_then(|meta| meta.modified()).ok();
    let age = changed.and_then(|at| SystemTime::now().duration_since(at).ok());
    if name.starts_with(".tmp") && age.is_some_and(|age| age > Duration::from_hours(1)) {
        let _ = fs::remove_file(entry.path());
    }
}

/// A run whose log a program writes at the moment stays.
fn remove(run: &Kept) {
    let written = |path: &PathBuf| {
        path.extension().is_some_and(|end| end == "log")
            && File::open(path)
                .is_ok_and(|log| matches!(log.try_lock(), Err(fs::TryLockError::WouldBlock)))
    };
    if !run.files.iter().any(written) {
        for file in &run.files {
            let _ = fs::remove_file(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, name: &str, bytes: usize, days: u64) {
        for extension in ["json", "log"] {
            let path = directory.join(name).with_extension(extension);
            fs::write(&path, vec![b'x'; bytes]).unwrap();
            let at = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(at)
                .unwrap();
        }
    }

    fn left(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_oldest_go_first_by_count_age_and_bytes() {
        let table = [
            (
                Bounds {
                    runs: 1,
                    ..Bounds::default()
                },
                vec!["new.json", "new.log"],
            ),
            (
                Bounds {
                    age: Duration::from_hours(48),
                    ..Bounds::default()
                },
                vec!["mid.json", "mid.log", "new.json", "new.log"],
            ),
            (
                Bounds {
                    bytes: 250,
                    ..Bounds::default()
                },
                vec!["new.json", "new.log"],
            ),
        ];
        for (bounds, expected) in table {
            let directory = tempfile::tempdir().unwrap();
            for (name, days) in [("old", 3), ("new", 0), ("mid", 1)] {
                write(directory.path(), name, 100, days);
            }
            prune(directory.path(), bounds);
            assert_eq!(left(directory.path()), expected, "{bounds:?}");
        }
    }
}
