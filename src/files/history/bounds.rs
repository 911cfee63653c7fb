//! How much history is kept.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The oldest runs beyond any of these are removed at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub runs: usize,
    pub age: Duration,
    /// Records and logs together.
    pub bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            runs: 1000,
            age: Duration::from_secs(30 * 24 * 3600),
            bytes: 256 * 1024 * 1024,
        }
    }
}

struct Kept {
    record: PathBuf,
    log: PathBuf,
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

fn kept(directory: &Path) -> Vec<Kept> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let record = entry.path();
            if record.extension()? != "json" {
                return None;
            }
            let meta = entry.metadata().ok()?;
            let log = record.with_extension("log");
            let log_bytes = fs::metadata(&log).map_or(0, |meta| meta.len());
            Some(Kept {
                log,
                changed: meta.modified().ok()?,
                bytes: meta.len() + log_bytes,
                record,
            })
        })
        .collect()
}

/// A log that a program writes at the moment stays.
fn remove(run: &Kept) {
    let written = File::open(&run.log)
        .is_ok_and(|log| matches!(log.try_lock(), Err(fs::TryLockError::WouldBlock)));
    if !written {
        let _ = fs::remove_file(&run.record);
        let _ = fs::remove_file(&run.log);
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
                    age: Duration::from_secs(2 * 24 * 3600),
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
