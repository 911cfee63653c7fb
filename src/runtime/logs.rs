//! The logs that the history keeps: recalled, saved, looked through. All of it beside the loop, in pieces.

use super::World;
use crate::app::Msg;
use crate::app::notices::Notice;
use crate::app::runs::Msg as RunsMsg;
use crate::app::runs::detail::logs::kept::{Effect, Msg as KeptMsg};
use crate::domain::logs::quest::{Findings, Reading};
use crate::domain::logs::wanted::Wanted;
use crate::domain::runs::RunId;
use crate::files::history::{History, HistoryError};
use std::mem::{Discriminant, discriminant};
use std::path::PathBuf;
use tokio::task::spawn_blocking;

/// So many lines of a log that is on disk only come back into memory.
const LINES_RECALLED: usize = 20_000;

/// The looks through a log that are under way, one of each kind.
pub(super) type Seeks = std::collections::HashMap<Discriminant<Wanted>, tokio::task::AbortHandle>;

impl World {
    pub(super) fn perform_kept_log(&mut self, effect: Effect) {
        match effect {
            Effect::Recall { run } => self.recall_log(run),
            Effect::Save { run, job } => self.save_log(run, job),
            Effect::Seek {
                ask,
                run,
                wanted,
                upto,
            } => self.seek(ask, run, wanted, upto),
            Effect::ReadPage {
                ask,
                run,
                around,
                upto,
            } => self.ask_history(
                move |history| history.page(&run, around, upto),
                move |page| KeptMsg::PageRead { ask, page },
            ),
            Effect::FindSince {
                ask,
                run,
                from,
                spot,
            } => self.ask_history(
                move |history| history.since(&run, from, spot),
                move |spot| KeptMsg::SinceFound { ask, spot },
            ),
            Effect::Compare { ask, left, right } => self.ask_history(
                move |history| history.diff((&left.0, left.1), (&right.0, right.1)),
                move |diff| KeptMsg::Compared { ask, diff },
            ),
        }
    }

    fn recall_log(&mut self, run: RunId) {
        let id = run.clone();
        let out = self.out.clone();
        let Some(history) = self.history.clone() else {
            return;
        };
        self.streams.spawn(async move {
            let page = apart(move || history.newest(&id, LINES_RECALLED)).await;
            let _ = out
                .send(match page {
                    Ok(page) => told(KeptMsg::Recalled { run, page }),
                    Err(why) => Msg::Noticed(Notice::bad(why)),
                })
                .await;
        });
    }

    /// Asks the history something on a thread of its own.
    fn ask_history<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&History) -> Result<T, HistoryError> + Send + 'static,
        answer: impl FnOnce(Result<T, String>) -> KeptMsg + Send + 'static,
    ) {
        let history = self.history.clone();
        self.read(async move {
            let found = match history {
                Some(history) => apart(move || work(&history)).await,
                None => Err(NO_HISTORY.into()),
            };
            told(answer(found))
        });
    }

    fn seek(&mut self, ask: u64, run: RunId, wanted: Wanted, upto: u64) {
        let kind = discriminant(&wanted);
        let (out, history) = (self.out.clone(), self.history.clone());
        let seek = self.streams.spawn(async move {
            let tell = async |findings| {
                let told = told(KeptMsg::Sought { ask, findings });
                out.send(told).await.is_ok()
            };
            let begun = match history {
                Some(history) => apart(move || history.search(&run, wanted, upto)).await,
                None => Err(NO_HISTORY.into()),
            };
            let mut search = match begun {
                Ok(search) => search,
                Err(why) => {
                    tell(Findings::failed(why)).await;
                    return;
                }
            };
            loop {
                // A part at a time: between two of them the whole can be ended.
                let part = spawn_blocking(move || (search.part(), search));
                let findings;
                (findings, search) = match part.await {
                    Ok(read) => read,
                    Err(error) => {
                        tell(Findings::failed(error.to_string())).await;
                        return;
                    }
                };
                let over = findings.reading != Reading::UnderWay;
                if !tell(findings).await || over {
                    return;
                }
            }
        });
        if let Some(before) = self.seeks.insert(kind, seek) {
            before.abort();
        }
    }

    fn save_log(&mut self, run: RunId, job: String) {
        let Some(history) = self.history.clone() else {
            return self.tell(Notice::bad("there is no history to save the log from"));
        };
        let path = PathBuf::from(format!("{job}.log"));
        self.write(async move {
            Some(Msg::Noticed(match history.save_log(&run, &path) {
                Ok(()) => {
                    let path = std::path::absolute(&path).unwrap_or(path);
                    Notice::good(format!("log saved to {}", path.display()))
                }
                Err(error) => Notice::bad(format!("log not saved to {}: {error}", path.display())),
            }))
        });
    }
}

const NO_HISTORY: &str = "there is no history";

fn told(msg: KeptMsg) -> Msg {
    Msg::Runs(RunsMsg::KeptLog(msg))
}

/// Does it on a thread where waiting for the disk holds up nobody.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HistoryError> + Send + 'static,
) -> Result<T, String> {
    match spawn_blocking(work).await {
        // The reason first: a path is long, and a line of the screen is not.
        Ok(done) => done.map_err(|failed| format!("{} ({})", failed.error, failed.path.display())),
        Err(error) => Err(error.to_string()),
    }
}
