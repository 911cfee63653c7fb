//! The history of runs on disk: a record and a log for each, kept after the Job is gone.
//!
//! One directory a target, mode 0700; in it `<id>.json` and `<id>.log` of each run, mode 0600. Two programs may use it at once. A record
//! is replaced as a whole under the lock of the directory (file `.lock`, held for one write). A log is written by one program at a time,
//! which holds the lock of that file; another program that follows the same container leaves the writing to it.
//!
//! Neither holds a payload, so that no value of its environment comes to the disk here.

mod bounds;
mod line;
mod logs;
pub mod parts;

use crate::domain::logs::{LogEvent, LogLine};
use crate::domain::runs::{Run, RunId};
pub use bounds::Bounds;
use bounds::prune;
use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why something of the history could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct HistoryError {
    pub path: PathBuf,
    #[source]
    pub error: io::Error,
}

/// A record that could not be read; it was set aside and the start went on.
#[derive(Debug)]
pub struct SetAside {
    pub path: PathBuf,
    pub reason: String,
}

impl std::fmt::Display for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "a run of the history cannot be read and was set aside as {}: {}",
            self.path.display(),
            self.reason
        )
    }
}

/// The history of one target.
#[derive(Debug)]
pub struct History {
    directory: PathBuf,
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Logs that are being written, by this program or another.
    open: HashMap<RunId, Writing>,
    /// Revision of the record that was written last: tasks that write are not in step.
    written: HashMap<RunId, u64>,
    /// Records since the bounds were looked at.
    unpruned: usize,
}

#[derive(Debug)]
enum Writing {
    Ours {
        file: BufWriter<File>,
        bytes: u64,
    },
    /// Another program holds the lock.
    Theirs,
    /// The log is longer than what is kept of one.
    Full,
}

/// Records between two looks at the bounds.
const PRUNE_EVERY: usize = 200;

impl History {
    /// Opens the history in `directory`, which is made when it is not there.
    ///
    /// # Errors
    /// When the directory cannot be made or closed to others.
    pub fn open(directory: PathBuf, bounds: Bounds) -> Result<Self, HistoryError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .and_then(|()| fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)))
            .map_err(at(&directory))?;
        Ok(Self {
            directory,
            bounds,
            state: Mutex::default(),
        })
    }

    /// All runs that are kept, oldest first, after what is out of bounds was removed. A record that cannot be read is
    /// set aside (`.corrupt`) and told.
    pub fn load(&self) -> (Vec<Run>, Vec<SetAside>) {
        let mut runs = Vec::new();
        let mut aside = Vec::new();
        prune(&self.directory, self.bounds);
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return (runs, aside);
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let read = fs::read(&path)
                .map_err(|error| error.to_string())
                .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|e| e.to_string()));
            match read {
                Ok(run) => runs.push(run),
                Err(reason) => aside.push(set_aside(&path, reason)),
            }
        }
        runs.sort_by_key(|run: &Run| run.created);
        (runs, aside)
    }

    /// Keeps the record of a run; one that is there is replaced as a whole, unless it is newer. What only another program could know of
    /// the run, that its user asked for the end, is kept.
    ///
    /// # Errors
    /// When it cannot be written; the record before is still there then.
    pub fn record(&self, run: &Run) -> Result<(), HistoryError> {
        let mut state = self.state();
        let path = self.path(&run.id, "json");
        if state
            .written
            .get(&run.id)
            .is_some_and(|newest| *newest > run.revision)
        {
            return Ok(());
        }
        let write = || {
            let lock = self.lock()?;
            let known = fs::read(&path)
                .ok()
                .and_then(|bytes| serde_json::from_slice::<Run>(&bytes).ok());
            let merged = known.map(|known| {
                let mut run = run.record();
                run.adopt_asks(&known);
                run
            });
            let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
            let mut out = BufWriter::new(&mut file);
            serde_json::to_writer(&mut out, merged.as_ref().unwrap_or(run))?;
            out.flush()?;
            drop(out);
            file.persist(&path).map_err(|persist| persist.error)?;
            drop(lock);
            Ok(())
        };
        write().map_err(at(&path))?;
        state.written.insert(run.id.clone(), run.revision);
        state.unpruned += 1;
        if state.unpruned >= PRUNE_EVERY {
            state.unpruned = 0;
            prune(&self.directory, self.bounds);
        }
        Ok(())
    }

    /// Keeps what a follower read: a stream that begins anew begins the file anew.
    ///
    /// # Errors
    /// When the log cannot be written; what was kept before is still there then.
    pub fn keep(&self, id: &RunId, event: &LogEvent) -> Result<(), HistoryError> {
        let mut state = self.state();
        let path = self.path(id, "log");
        match event {
            LogEvent::Opened { .. } => {
                // An earlier follow of this program holds the lock until then.
                state.open.remove(id);
                let writing = begin(&path).map_err(at(&path))?;
                state.open.insert(id.clone(), writing);
            }
            LogEvent::Lines(lines) => {
                if let Some(writing) = state.open.get_mut(id) {
                    self.append(writing, lines).map_err(at(&path))?;
                }
            }
            LogEvent::Whole | LogEvent::Gone { .. } => {
                state.open.remove(id);
            }
            LogEvent::Broken { .. } | LogEvent::Resumed | LogEvent::Gap { .. } => {}
        }
        Ok(())
    }

    fn append(&self, writing: &mut Writing, lines: &[LogLine]) -> io::Result<()> {
        let Writing::Ours { file, bytes } = writing else {
            return Ok(());
        };
        let mut text = String::new();
        for line in lines {
            text.clear();
            line::put(line, &mut text);
            *bytes += text.len() as u64;
            if *bytes > self.bounds.log_bytes {
                text.clear();
                line::put(&bounds::cut(self.bounds.log_bytes), &mut text);
                file.write_all(text.as_bytes())?;
                file.flush()?;
                *writing = Writing::Full;
                return Ok(());
            }
            file.write_all(text.as_bytes())?;
        }
        file.flush()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock of the directory, until it is dropped.
    fn lock(&self) -> io::Result<File> {
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.directory.join(".lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn path(&self, id: &RunId, extension: &str) -> PathBuf {
        // An id is a UID of the cluster: data, and no path.
        let name: String =
            id.0.chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() || c == '-' {
                        c
                    } else {
                        '_'
                    }
                })
                .take(100)
                .collect();
        self.directory.join(format!("{name}.{extension}"))
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> HistoryError {
    move |error| HistoryError {
        path: path.to_path_buf(),
        error,
    }
}

fn begin(path: &Path) -> io::Result<Writing> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            Ok(Writing::Ours {
                file: BufWriter::new(file),
                bytes: 0,
            })
        }
        Err(fs::TryLockError::WouldBlock) => Ok(Writing::Theirs),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

fn set_aside(path: &Path, reason: String) -> SetAside {
    let aside = path.with_extension("json.corrupt");
    // Where even that fails the record stays, is told again at the next start, and stops nothing.
    let path = match fs::rename(path, &aside) {
        Ok(()) => aside,
        Err(_) => path.to_path_buf(),
    };
    SetAside { path, reason }
}
