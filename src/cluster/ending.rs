//! Which containers are known to have ended, told by the pod watch to those who read logs: when a pod is gone, nobody else can say it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Ends kept; a log that is read to its end asks within seconds.
const KEPT: usize = 4096;

/// Ids of containers that were seen terminated, the latest ones.
#[derive(Default)]
pub(super) struct Endings {
    ids: Mutex<VecDeque<String>>,
    news: Notify,
}

impl Endings {
    /// This container was seen terminated.
    pub(super) fn saw(&self, id: &str) {
        if id.is_empty() || self.knows(id) {
            return;
        }
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() == KEPT {
            ids.pop_front();
        }
        ids.push_back(id.to_owned());
        drop(ids);
        self.news.notify_waiters();
    }

    /// Waits until the end of this container is known, at most for `patience`.
    pub(super) async fn wait(&self, id: &str, patience: Duration) -> bool {
        let known = async {
            loop {
                let news = self.news.notified();
                if self.knows(id) {
                    return;
                }
                news.await;
            }
        };
        tokio::time::timeout(patience, known).await.is_ok()
    }

    fn knows(&self, id: &str) -> bool {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().rev().any(|known| known == id)
    }
}
