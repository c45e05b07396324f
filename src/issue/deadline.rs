//! Divides the time of a run (`--timeout`) among the identities that it still has to resolve, so
//! that one that hangs does not use up the time of the others. `mod` asks for a share before it
//! waits for the lock of an identity. It is pure.

use std::time::{Duration, Instant};

/// The time that a run has left, and how many identities still need a share of it.
pub(super) struct TimeBudget {
    end: Instant,
    /// How many identities have had no share yet.
    waiting: u32,
}

impl TimeBudget {
    pub(super) fn new(now: Instant, total: Duration) -> Self {
        Self {
            end: now + total,
            waiting: 1,
        }
    }

    /// Shares the time between so many identities.
    pub(super) fn share_between(&mut self, identities: usize) {
        self.waiting = u32::try_from(identities).unwrap_or(u32::MAX).max(1);
    }

    /// Ends the time earlier.
    pub(super) fn end_by(&mut self, end: Instant) {
        self.end = self.end.min(end);
    }

    /// Takes the next share; returns when it ends.
    pub(super) fn next_share(&mut self, now: Instant) -> Instant {
        let share = self.end.saturating_duration_since(now) / self.waiting.max(1);
        self.waiting = self.waiting.saturating_sub(1);
        now + share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn every_identity_has_an_equal_share() {
        let now = Instant::now();
        let mut time = TimeBudget::new(now, 12 * SECOND);
        time.share_between(3);
        assert_eq!(time.next_share(now), now + 4 * SECOND);
        // The second one starts when the first one has used its share up.
        assert_eq!(time.next_share(now + 4 * SECOND), now + 8 * SECOND);
        // What the second one has left over is the third one's.
        assert_eq!(time.next_share(now + 5 * SECOND), now + 12 * SECOND);
    }

    #[test]
    fn the_time_can_end_earlier_and_not_later() {
        let now = Instant::now();
        let mut time = TimeBudget::new(now, 12 * SECOND);
        time.end_by(now + 20 * SECOND);
        time.end_by(now + 3 * SECOND);
        assert_eq!(time.next_share(now), now + 3 * SECOND);
    }

    #[test]
    fn one_identity_has_all_the_time_and_a_late_one_none() {
        let now = Instant::now();
        let mut time = TimeBudget::new(now, 12 * SECOND);
        time.share_between(0);
        assert_eq!(time.next_share(now), now + 12 * SECOND);
        // More identities ask than were announced.
        assert_eq!(time.next_share(now + SECOND), now + 12 * SECOND);
        let late = now + 20 * SECOND;
        assert_eq!(time.next_share(late), late);
    }
}
