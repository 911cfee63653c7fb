//! How long to wait before the next try: growing, bounded, and never the same for two programs.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(800);
const LONGEST: Duration = Duration::from_secs(30);

/// The pauses of one sequence of failures.
#[derive(Debug)]
pub(super) struct Pauses {
    next: Duration,
}

impl Pauses {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// It works again: the next pause is the shortest.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// The pause to make now: 0.8 s doubling to 30 s, a fifth less at most by chance.
    pub(super) fn next(&mut self) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(LONGEST);
        // Without a source of chance the pauses are just not spread.
        let chance = getrandom::u32().unwrap_or(u32::MAX);
        full.mul_f64(0.8 + 0.2 * f64::from(chance) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_start_again() {
        let mut pauses = Pauses::new();
        for full in [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0] {
            let pause = pauses.next().as_secs_f64();
            assert!(
                pause <= full + 1e-9 && pause >= full * 0.8 - 1e-9,
                "{pause} for {full}"
            );
        }
        pauses.reset();
        assert!(pauses.next() <= FIRST);
    }

    #[test]
    fn two_programs_do_not_wait_alike() {
        let (mut one, mut other) = (Pauses::new(), Pauses::new());
        assert!((0..8).any(|_| one.next() != other.next()));
    }
}
