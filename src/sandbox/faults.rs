//! Faults on demand: a switchboard that tests and the demo's palette hold while the cluster runs.

mod injector;
mod named;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;

use super::status::Status;
pub use injector::Injector;
pub use named::{Fault, Planned, Unknown};

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

impl Refusal {
    fn code(self) -> u16 {
        match self {
            Self::TooManyRequests(_) => 429,
            Self::InternalError => 500,
            Self::Unavailable(_) => 503,
        }
    }
}

/// The switches. Clones switch the same cluster.
#[derive(Debug, Clone)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    /// Counts the times that every open stream had to end.
    drops: Arc<watch::Sender<u64>>,
    /// Counts the times that a switch was moved.
    switched: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct State {
    down_until: Option<Instant>,
    delay: Duration,
    refusal: Option<(Refusal, u32)>,
    silent_until: Option<Instant>,
    pull: Option<Duration>,
    offset: SignedDuration,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            drops: Arc::new(watch::Sender::new(0)),
            switched: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl Faults {
    /// The API is unreachable for this long: requests fail as a refused connection does, open watches and logs end.
    pub fn api_down(&self, during: Duration) {
        self.switch(|state| state.down_until = Some(Instant::now() + during));
        self.drop_watches();
    }

    /// Ends [`Self::api_down`] early.
    pub fn api_up(&self) {
        self.switch(|state| state.down_until = None);
    }

    /// Every answer waits this long first; zero ends it.
    pub fn slow(&self, delay: Duration) {
        self.switch(|state| state.delay = delay);
    }

    /// The next `count` requests get this answer.
    pub fn refuse(&self, refusal: Refusal, count: u32) {
        self.switch(|state| state.refusal = (count > 0).then_some((refusal, count)));
    }

    /// Every open watch and followed log ends, without a bookmark and without an error.
    pub fn drop_watches(&self) {
        self.drops.send_modify(|count| *count += 1);
    }

    /// The node is cut off for this long: it hears nothing new and nothing is heard of it, while what runs there goes on.
    pub fn silence_node(&self, during: Duration) {
        self.switch(|state| state.silent_until = Some(Instant::now() + during));
    }

    /// Every pull of an image takes this long, and the node has no image from before; none ends it.
    pub fn slow_pulls(&self, each: Option<Duration>) {
        self.switch(|state| state.pull = each);
    }

    /// Notes how far the cluster's clock was set off; [`super::clock::Clock::set_offset`] does it.
    pub(super) fn note_offset(&self, offset: SignedDuration) {
        self.switch(|state| state.offset = offset);
    }

    /// Ends every fault that lasts.
    pub(super) fn clear(&self) {
        self.switch(|state| *state = State::default());
    }

    /// What is wrong now, in words, and when that changes by itself.
    pub fn on(&self) -> (Vec<String>, Option<Instant>) {
        let (now, state) = (Instant::now(), self.lock());
        let left = |until: Option<Instant>| until.filter(|until| *until > now);
        let (down, silent) = (left(state.down_until), left(state.silent_until));
        let mut words = Vec::new();
        if down.is_some() {
            words.push("API down".to_owned());
        }
        if !state.delay.is_zero() {
            words.push(format!("answers {} late", named::seconds(state.delay)));
        }
        if let Some((refusal, count)) = state.refusal {
            words.push(format!("{} for {count} requests", refusal.code()));
        }
        if silent.is_some() {
            words.push("node silent".to_owned());
        }
        if let Some(pull) = state.pull {
            words.push(format!("pulls take {}", named::seconds(pull)));
        }
        if !state.offset.is_zero() {
            words.push(format!("clock {:+} s", state.offset.as_secs()));
        }
        (words, down.into_iter().chain(silent).min())
    }

    /// Whether the API is unreachable now.
    pub fn is_down(&self) -> bool {
        self.lock()
            .down_until
            .is_some_and(|until| Instant::now() < until)
    }

    /// Whether nothing is heard of the node now.
    pub fn is_silent(&self) -> bool {
        self.silence().is_some()
    }

    /// How long a pull takes, when a fault says so.
    pub fn pull(&self) -> Option<Duration> {
        self.lock().pull
    }

    /// How far the cluster's clock is off.
    pub fn offset(&self) -> SignedDuration {
        self.lock().offset
    }

    /// How long every answer waits.
    pub fn delay(&self) -> Duration {
        self.lock().delay
    }

    /// A signal that changes when every open stream has to end.
    pub fn drops(&self) -> watch::Receiver<u64> {
        self.drops.subscribe()
    }

    /// A signal that changes when a switch is moved.
    pub fn switched(&self) -> watch::Receiver<u64> {
        self.switched.subscribe()
    }

    /// Waits until the node is heard of; at once when it is.
    pub(super) async fn node_reports(&self) {
        let mut switched = self.switched();
        while let Some(until) = self.silence() {
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                _ = switched.changed() => {}
            }
        }
    }

    fn silence(&self) -> Option<Instant> {
        self.lock()
            .silent_until
            .filter(|until| Instant::now() < *until)
    }

    /// The refusal that this request gets, if any; it is used up by that.
    pub(super) fn take_refusal(&self) -> Option<Status> {
        let (refusal, left) = self.lock().refusal?;
        self.refuse(refusal, left - 1);
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

    fn switch(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.switched.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
