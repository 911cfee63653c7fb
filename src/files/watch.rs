//! One watcher over directories, for everything on disk that the program shows.
//!
//! A directory is watched and never a file: editors save by rename, and a watch on the file would die with the old
//! one. Reading is no change: events of access are dropped, or our own reading would wake us for ever.

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long events are gathered before they are told: an editor's save is several.
const GATHER: Duration = Duration::from_millis(100);

/// What a watched place holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// `executor.toml`.
    Settings,
    /// `config.toml`.
    ToolConfig,
    Samples,
    Overlays,
}

/// Something changed on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub subject: Subject,
    /// The files; empty when events were lost and everything of the subject may have changed.
    pub paths: BTreeSet<PathBuf>,
}

/// The system refused to watch.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch {path} for changes: {reason}; changes there are seen at the next start only")]
pub struct WatchError {
    pub path: PathBuf,
    pub reason: String,
}

/// What is watched. Clones watch together; watching ends when all of them and the [`Changes`] are gone.
#[derive(Clone)]
pub struct Watch {
    inner: Arc<Mutex<Inner>>,
}

/// The changes, in their order.
pub struct Changes {
    inner: Arc<Mutex<Inner>>,
    raw: mpsc::UnboundedReceiver<DebounceEventResult>,
    ready: Vec<Change>,
}

struct Inner {
    debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
    interests: Vec<Interest>,
    /// Directories given to the watcher, with how.
    watched: BTreeMap<PathBuf, bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Interest {
    subject: Subject,
    path: PathBuf,
    /// A whole directory tree, or one file.
    tree: bool,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// Starts watching, nothing yet.
///
/// # Errors
/// When the system has no watcher to give.
pub fn open() -> Result<(Watch, Changes), WatchError> {
    let (send, raw) = mpsc::unbounded_channel();
    let debouncer = new_debouncer(GATHER, None, move |events| {
        // Nobody listens any more: the program is about to end.
        let _ = send.send(events);
    })
    .map_err(|e| refused(Path::new("files"), &e))?;
    let inner = Arc::new(Mutex::new(Inner {
        debouncer,
        interests: Vec::new(),
        watched: BTreeMap::new(),
    }));
    let changes = Changes {
        inner: inner.clone(),
        raw,
        ready: Vec::new(),
    };
    Ok((Watch { inner }, changes))
}

impl Watch {
    /// Watches one file, which need not exist yet; a link is followed, and the link itself is watched too.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn file(&self, path: &Path, subject: Subject) -> Result<(), WatchError> {
        let mut inner = lock(&self.inner);
        inner.add(Interest {
            subject,
            path: absolute(path),
            tree: false,
        })?;
        match std::fs::canonicalize(path) {
            Ok(real) if real != absolute(path) => inner.add(Interest {
                subject,
                path: real,
                tree: false,
            }),
            _ => Ok(()),
        }
    }

    /// Watches a directory with everything below it; it need not exist yet.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn tree(&self, directory: &Path, subject: Subject) -> Result<(), WatchError> {
        lock(&self.inner).add(Interest {
            subject,
            path: absolute(directory),
            tree: true,
        })
    }
}

impl Changes {
    /// Waits for the next change; `None` when the watcher is gone. Safe to drop while it waits.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            if let Some(change) = self.ready.pop() {
                return Some(change);
            }
            let events = self.raw.recv().await?;
            self.ready = lock(&self.inner).sort_out(events);
        }
    }
}

impl Inner {
    fn add(&mut self, interest: Interest) -> Result<(), WatchError> {
        if !self.interests.contains(&interest) {
            self.reach(&interest)?;
            self.interests.push(interest);
        }
        Ok(())
    }

    /// Watches what an interest needs: its directory, or the nearest one above that exists.
    fn reach(&mut self, interest: &Interest) -> Result<(), WatchError> {
        let wanted = if interest.tree {
            interest.path.as_path()
        } else {
            interest.path.parent().unwrap_or(Path::new("/"))
        };
        let Some(there) = wanted.ancestors().find(|dir| dir.is_dir()) else {
            return Ok(());
        };
        let recursive = interest.tree && there == wanted;
        match self.watched.get(there) {
            Some(already) if *already || !recursive => return Ok(()),
            _ => {}
        }
        let mode = if recursive {
            RecursiveMode::Recursive
        } else {
            RecursiveMode::NonRecursive
        };
        self.debouncer
            .watch(there, mode)
            .map_err(|e| refused(there, &e))?;
        self.watched.insert(there.to_path_buf(), recursive);
        Ok(())
    }

    fn sort_out(&mut self, events: DebounceEventResult) -> Vec<Change> {
        let mut found: BTreeMap<Subject, BTreeSet<PathBuf>> = BTreeMap::new();
        let Ok(events) = events else {
            return self.everything();
        };
        for event in events {
            if event.need_rescan() {
                return self.everything();
            }
            if !is_change(event.kind) {
                continue;
            }
            for path in &event.paths {
                self.forget_if_gone(path);
                for interest in self.interests.iter().filter(|i| i.concerns(path)) {
                    found
                        .entry(interest.subject)
                        .or_default()
                        .insert(path.clone());
                }
            }
        }
        // A directory that was missing may be there now.
        for interest in self.interests.clone() {
            if let Err(e) = self.reach(&interest) {
                tracing::warn!("{e}");
            }
        }
        let change = |(subject, paths)| Change { subject, paths };
        found.into_iter().rev().map(change).collect()
    }

    fn everything(&self) -> Vec<Change> {
        let subjects: BTreeSet<Subject> = self.interests.iter().map(|i| i.subject).collect();
        let lost = |subject| Change {
            subject,
            paths: BTreeSet::new(),
        };
        subjects.into_iter().rev().map(lost).collect()
    }

    /// A watch dies with its directory; one made anew under the same name must be watched anew.
    fn forget_if_gone(&mut self, path: &Path) {
        self.watched
            .retain(|dir, _| !dir.starts_with(path) || dir.is_dir());
    }
}

impl Interest {
    /// A change of `path` concerns it: it is the file, in the tree, or a directory above either.
    fn concerns(&self, path: &Path) -> bool {
        (self.tree && path.starts_with(&self.path)) || self.path.starts_with(path)
    }
}

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_)
        | EventKind::Remove(_)
        | EventKind::Modify(
            ModifyKind::Name(_)
            | ModifyKind::Data(_)
            | ModifyKind::Any
            | ModifyKind::Other
            | ModifyKind::Metadata(_),
        ) => true,
        EventKind::Any | EventKind::Access(_) | EventKind::Other => false,
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn refused(path: &Path, error: &notify::Error) -> WatchError {
    WatchError {
        path: path.to_path_buf(),
        reason: error.to_string(),
    }
}

fn lock(inner: &Arc<Mutex<Inner>>) -> MutexGuard<'_, Inner> {
    // The lists stay right even when a thread died in between: each change of them is one step.
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}
