//! The sandbox's one clock: a wall-clock base plus tokio's elapsed time, so that a test's paused time is the cluster's time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the cluster's time. Clones share the offset.
#[derive(Debug, Clone)]
pub struct Clock {
    base: Timestamp,
    start: Instant,
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that reads `base` now and advances with tokio's time.
    pub fn new(base: Timestamp) -> Self {
        Self {
            base,
            start: Instant::now(),
            offset_ms: Arc::new(AtomicI64::new(0)),
        }
    }

    /// The wall time in the cluster.
    pub fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.start.elapsed()).unwrap_or(SignedDuration::MAX);
        let offset = SignedDuration::from_millis(self.offset_ms.load(Ordering::Relaxed));
        let shift = elapsed.checked_add(offset).unwrap_or(SignedDuration::MAX);
        self.base.checked_add(shift).unwrap_or(Timestamp::MAX)
    }

    /// Now as Kubernetes writes a `Time`: whole seconds, cut and not rounded.
    pub fn stamp(&self) -> String {
        whole_seconds(self.now())
    }

    /// Now as Kubernetes writes a `MicroTime`: always six digits.
    pub fn micro_stamp(&self) -> String {
        format!("{:.6}", self.now())
    }

    /// The fault "wrong clock": shifts the cluster's wall time; timers keep their pace.
    pub fn set_offset(&self, offset: SignedDuration) {
        let ms = i64::try_from(offset.as_millis()).unwrap_or(i64::MAX);
        self.offset_ms.store(ms, Ordering::Relaxed);
    }
}

/// A time as Kubernetes writes a `Time`: RFC 3339 in UTC without fractions.
pub fn whole_seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second())
        .unwrap_or(at)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_is_tokios_time() {
        let clock = Clock::new("2026-11-24T08:00:00.75Z".parse().unwrap());
        assert_eq!(clock.stamp(), "2026-11-24T08:00:00Z");
        tokio::time::advance(std::time::Duration::from_millis(61_250)).await;
        assert_eq!(clock.micro_stamp(), "2026-11-24T08:01:02.000000Z");
        clock.set_offset(SignedDuration::from_hours(-1));
        assert_eq!(clock.clone().stamp(), "2026-11-24T07:01:02Z");
    }
}
