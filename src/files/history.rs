//! The history of runs on disk: a record and a log for each, kept after the Job is gone.
//!
//! One directory a target, mode 0700; in it `<id>.json` and `<id>.log` of each run, mode 0600. A record is replaced as a
//! whole. A log is written by one program at a time, which holds the file's lock; another program that follows the same
//! container leaves the writing to it.

mod bounds;
mod line;

use crate::domain::logs::{LogEvent, LogLine};
use crate::domain::runs::{Run, RunId};
pub use bounds::Bounds;
use bounds::prune;
use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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
    /// Logs that this program is writing.
    open: Mutex<HashMap<RunId, Writing>>,
}

#[derive(Debug)]
enum Writing {
    Ours(BufWriter<File>),
    /// Another program holds the lock.
    Theirs,
}

impl History {
    /// Opens the history in `directory`, which is made when it is not there.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn open(directory: PathBuf, bounds: Bounds) -> Result<Self, HistoryError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(at(&directory))?;
        Ok(Self {
            directory,
            bounds,
            open: Mutex::default(),
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
        runs.sort_by(|a: &Run, b: &Run| a.created.cmp(&b.created));
        (runs, aside)
    }

    /// Keeps the record of a run; one that is there is replaced as a whole.
    ///
    /// # Errors
    /// When it cannot be written; the record before is still there then.
    pub fn record(&self, run: &Run) -> Result<(), HistoryError> {
        let path = self.path(&run.id, "json");
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
            serde_json::to_writer(BufWriter::new(&mut file), run)?;
            file.persist(&path).map_err(|persist| persist.error)?;
            Ok(())
        };
        write().map_err(at(&path))
    }

    /// Keeps what a follower read: a stream that begins anew begins the file anew.
    ///
    /// # Errors
    /// When the log cannot be written; what was kept before is still there then.
    pub fn keep(&self, id: &RunId, event: &LogEvent) -> Result<(), HistoryError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path(id, "log");
        match event {
            LogEvent::Opened { .. } => {
                open.insert(id.clone(), begin(&path).map_err(at(&path))?);
            }
            LogEvent::Lines(lines) => {
                if let Some(Writing::Ours(file)) = open.get_mut(id) {
                    lines
                        .iter()
                        .try_for_each(|l| line::write(file, l))
                        .and_then(|()| file.flush())
                        .map_err(at(&path))?;
                }
            }
            LogEvent::Whole | LogEvent::Gone { .. } => {
                open.remove(id);
            }
            LogEvent::Broken { .. } | LogEvent::Resumed | LogEvent::Gap { .. } => {}
        }
        Ok(())
    }

    /// The last `most` lines of a run's log; none when none was kept.
    ///
    /// # Errors
    /// When the log is there and cannot be read.
    pub fn read_log(&self, id: &RunId, most: usize) -> Result<Vec<LogLine>, HistoryError> {
        let path = self.path(id, "log");
        let mut last = std::collections::VecDeque::new();
        self.each_line(id, |line| {
            if last.len() == most {
                last.pop_front();
            }
            last.push_back(line);
            Ok(())
        })
        .map_err(at(&path))?;
        Ok(last.into())
    }

    /// Gives every line of a run's log to `take`, oldest first, without holding more than one.
    ///
    /// # Errors
    /// When the log is there and cannot be read, or `take` fails.
    pub fn each_line(
        &self,
        id: &RunId,
        mut take: impl FnMut(LogLine) -> io::Result<()>,
    ) -> io::Result<()> {
        let file = match File::open(self.path(id, "log")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes)? == 0 {
                return Ok(());
            }
            take(line::read(&bytes))?;
        }
    }

    /// Writes the text of a run's log to a new file at `path`; a file that is there is not overwritten.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub fn save_log(&self, id: &RunId, path: &Path) -> io::Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut out = BufWriter::new(file);
        self.each_line(id, |line| writeln!(out, "{}", line.text))?;
        out.flush()
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
            Ok(Writing::Ours(BufWriter::new(file)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine {
            at: Some("2026-02-17T20:15:04.119800001Z".parse().unwrap()),
            text: text.into(),
        }
    }

    fn opened() -> LogEvent {
        LogEvent::Opened {
            container_id: "containerd://1".into(),
        }
    }

    #[test]
    fn a_log_is_read_as_it_was_kept_and_begins_anew_with_a_new_stream() {
        let directory = tempfile::tempdir().unwrap();
        let history = History::open(directory.path().join("h"), Bounds::default()).unwrap();
        let id = RunId("u-1".into());
        let lines = vec![
            line("  kept  white space\t"),
            line(""),
            line("a - b"),
            LogLine {
                at: None,
                text: "no time".into(),
            },
        ];
        for _ in 0..2 {
            history.keep(&id, &opened()).unwrap();
            history.keep(&id, &LogEvent::Lines(lines.clone())).unwrap();
            assert_eq!(history.read_log(&id, 100).unwrap(), lines);
        }
        assert_eq!(history.read_log(&id, 2).unwrap(), lines[2..]);
        history.keep(&id, &LogEvent::Whole).unwrap();
        assert_eq!(history.read_log(&id, 100).unwrap(), lines);
    }

    #[test]
    fn a_second_program_leaves_the_writing_to_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let open = || History::open(directory.path().into(), Bounds::default()).unwrap();
        let (first, second) = (open(), open());
        let id = RunId("u-1".into());
        for history in [&first, &second] {
            history.keep(&id, &opened()).unwrap();
        }
        for history in [&second, &first] {
            let lines = vec![line("one"), line("two")];
            history.keep(&id, &LogEvent::Lines(lines)).unwrap();
        }
        assert_eq!(second.read_log(&id, 9).unwrap().len(), 2);
    }

    #[test]
    fn a_broken_record_is_set_aside_and_told_once() {
        let directory = tempfile::tempdir().unwrap();
        let history = History::open(directory.path().into(), Bounds::default()).unwrap();
        fs::write(directory.path().join("u-1.json"), "{\"id\":").unwrap();
        let (runs, aside) = history.load();
        assert!(runs.is_empty());
        assert_eq!(aside.len(), 1);
        assert!(aside[0].path.ends_with("u-1.json.corrupt") && aside[0].path.exists());
        assert!(history.load().1.is_empty());
    }

    #[test]
    fn a_saved_log_never_overwrites() {
        let directory = tempfile::tempdir().unwrap();
        let history = History::open(directory.path().join("h"), Bounds::default()).unwrap();
        let id = RunId("../../etc/passwd".into());
        history.keep(&id, &opened()).unwrap();
        history
            .keep(&id, &LogEvent::Lines(vec![line("x")]))
            .unwrap();
        let path = directory.path().join("saved.log");
        history.save_log(&id, &path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "x\n");
        assert!(history.save_log(&id, &path).is_err());
    }
}
