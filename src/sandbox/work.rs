//! The work queue of a controller: keys to look at now, and keys to look at later.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// Keys to be worked on. A key waits at most once for now and once for later; the earlier of two later times wins.
#[derive(Debug)]
pub(crate) struct Work<K> {
    ready: VecDeque<K>,
    waiting: HashSet<K>,
    later: BTreeMap<(Instant, u64), K>,
    times: HashMap<K, (Instant, u64)>,
    serial: u64,
}

impl<K: Clone + Eq + Hash> Work<K> {
    pub(crate) fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            waiting: HashSet::new(),
            later: BTreeMap::new(),
            times: HashMap::new(),
            serial: 0,
        }
    }

    /// To be looked at as soon as possible.
    pub(crate) fn now(&mut self, key: K) {
        if self.waiting.insert(key.clone()) {
            self.ready.push_back(key);
        }
    }

    /// To be looked at after a while; an earlier time that is already planned stays.
    pub(crate) fn after(&mut self, key: K, wait: Duration) {
        let at = Instant::now() + wait;
        if let Some(&(planned, serial)) = self.times.get(&key) {
            if planned <= at {
                return;
            }
            self.later.remove(&(planned, serial));
        }
        self.serial += 1;
        self.times.insert(key.clone(), (at, self.serial));
        self.later.insert((at, self.serial), key);
    }

    /// The next key that is due, in the order in which they became so.
    pub(crate) fn take(&mut self) -> Option<K> {
        self.wake();
        let key = self.ready.pop_front()?;
        self.waiting.remove(&key);
        Some(key)
    }

    /// When the next later key is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.later.first_key_value().map(|(&(at, _), _)| at)
    }

    fn wake(&mut self) {
        let now = Instant::now();
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let key = entry.remove();
            self.times.remove(&key);
            self.now(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn keys_wait_once_and_come_when_due() {
        let mut work = Work::new();
        work.now(1);
        work.now(2);
        work.now(1);
        assert_eq!(
            (work.take(), work.take(), work.take()),
            (Some(1), Some(2), None)
        );

        work.after(7, Duration::from_secs(20));
        work.after(7, Duration::from_secs(10));
        work.after(7, Duration::from_secs(30));
        work.after(8, Duration::from_secs(5));
        assert_eq!(work.take(), None);
        assert_eq!(work.due(), Some(Instant::now() + Duration::from_secs(5)));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(
            (work.take(), work.take(), work.take()),
            (Some(8), Some(7), None)
        );
        assert_eq!(work.due(), None);
    }
}
