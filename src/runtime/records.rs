//! Records of runs on their way to the disk: one writer, and of each run only the newest record waits.

use crate::domain::runs::{Run, RunId};
use crate::files::history::History;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What waits to be written. Clones are handles to one heap of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Records(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    runs: HashMap<RunId, Run>,
    /// Somebody is at work on them.
    written: bool,
}

impl Records {
    /// Takes a record in; says whether somebody has to [`write`](Self::write) from now on.
    pub(super) fn add(&self, run: Run) -> bool {
        let mut waiting = self.lock();
        let newer = waiting
            .runs
            .get(&run.id)
            .is_none_or(|known| known.revision <= run.revision);
        if newer {
            waiting.runs.insert(run.id.clone(), run);
        }
        !std::mem::replace(&mut waiting.written, true)
    }

    /// Writes until nothing waits any more; says what went wrong first.
    pub(super) async fn write(&self, history: &Arc<History>) -> Option<String> {
        let (records, history) = (self.clone(), Arc::clone(history));
        let written = tokio::task::spawn_blocking(move || {
            let mut problem = None;
            while let Some(batch) = records.take() {
                for run in batch.into_values() {
                    if let Err(error) = history.record(&run) {
                        problem.get_or_insert(format!("run {} is not kept: {error}", run.job));
                    }
                }
            }
            problem
        });
        written
            .await
            .unwrap_or_else(|error| Some(format!("runs are not kept: {error}")))
    }

    fn take(&self) -> Option<HashMap<RunId, Run>> {
        let mut waiting = self.lock();
        if waiting.runs.is_empty() {
            waiting.written = false;
            return None;
        }
        Some(std::mem::take(&mut waiting.runs))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::history::Bounds;
    use jiff::Timestamp;

    fn run(name: &str, revision: u64) -> Run {
        let mut run = Run::new(RunId(name.into()), name, "n", Timestamp::UNIX_EPOCH);
        run.revision = revision;
        run
    }

    #[tokio::test]
    async fn one_writes_and_the_newest_record_counts() {
        let directory = tempfile::tempdir().unwrap();
        let history = History::open(directory.path().to_owned(), Bounds::default()).unwrap();
        let history = Arc::new(history);
        let records = Records::default();
        assert!(records.add(run("a", 2)));
        assert!(!records.add(run("a", 5)));
        assert!(!records.add(run("a", 4)));
        assert!(!records.add(run("b", 1)));
        assert_eq!(records.write(&history).await, None);
        let (runs, _) = history.load();
        let mut kept: Vec<(String, u64)> = runs.into_iter().map(|r| (r.id.0, r.revision)).collect();
        kept.sort();
        assert_eq!(kept, [("a".to_owned(), 5), ("b".to_owned(), 1)]);
        assert!(records.add(run("c", 1)), "the writer went home");
    }
}
