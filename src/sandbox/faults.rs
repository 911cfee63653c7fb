//! Faults on demand: a switchboard that tests and the demo's palette hold while the cluster runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::status::Status;

/// What the server answers instead of working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 429 with `Retry-After`, in seconds.
    TooManyRequests(u32),
    /// 500.
    InternalError,
    /// 503 with `Retry-After`, in seconds.
    Unavailable(u32),
}

/// The switches. Clones switch the same cluster.
#[derive(Debug, Clone)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    /// Counts the times that every open stream had to end.
    drops: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct State {
    down_until: Option<Instant>,
    delay: Duration,
    refusal: Option<(Refusal, u32)>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            drops: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl Faults {
    /// The API is unreachable for this long: requests fail as a refused connection does, open watches and logs end.
    pub fn api_down(&self, during: Duration) {
        self.lock().down_until = Some(Instant::now() + during);
        self.drop_watches();
    }

    /// Ends [`Self::api_down`] early.
    pub fn api_up(&self) {
        self.lock().down_until = None;
    }

    /// Every answer waits this long first; zero ends it.
    pub fn slow(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// The next `count` requests get this answer.
    pub fn refuse(&self, refusal: Refusal, count: u32) {
        self.lock().refusal = (count > 0).then_some((refusal, count));
    }

    /// Every open watch and followed log ends, without a bookmark and without an error.
    pub fn drop_watches(&self) {
        self.drops.send_modify(|count| *count += 1);
    }

    /// Whether the API is unreachable now.
    pub fn is_down(&self) -> bool {
        self.lock()
            .down_until
            .is_some_and(|until| Instant::now() < until)
    }

    /// A signal that changes when every open stream has to end.
    pub fn drops(&self) -> watch::Receiver<u64> {
        self.drops.subscribe()
    }

    pub(super) fn delay(&self) -> Duration {
        self.lock().delay
    }

    /// The refusal that this request gets, if any; it is used up by that.
    pub(super) fn take_refusal(&self) -> Option<Status> {
        let mut state = self.lock();
        let (refusal, left) = state.refusal?;
        state.refusal = (left > 1).then_some((refusal, left - 1));
        Some(match refusal {
            Refusal::TooManyRequests(seconds) => Status::new(
                429,
                "TooManyRequests",
                "too many requests, please try again later",
            )
            .retry_after(seconds),
            Refusal::InternalError => Status::new(
                500,
                "InternalError",
                "Internal error occurred: fault injected by the sandbox",
            ),
            Refusal::Unavailable(seconds) => Status::new(
                503,
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
            )
            .retry_after(seconds),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
