//! Time that moves only when a test says so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vestibule_domain::clock::Timer;
use vestibule_domain::{Clock, Timestamp};

/// 2026-01-01T00:00:00Z: every test begins here, so that ids and times in snapshots are the same in each run.
const START_MILLIS: i64 = 1_767_225_600_000;

/// Calendar and monotonic time, which move together. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct MovableClock {
    elapsed: Arc<Mutex<Duration>>,
}

impl MovableClock {
    pub fn start() -> Timestamp {
        Timestamp::from_millis(START_MILLIS).expect("a date within the calendar")
    }

    pub fn advance(&self, by: Duration) {
        *self.elapsed.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        Self::start().plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn timer(&self, lasts: Duration) -> Timer {
        let end = tokio::time::Instant::now() + lasts;
        Box::pin(tokio::time::sleep_until(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_move_together_and_in_all_clones() {
        let clock = MovableClock::default();
        let clone = clock.clone();
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clone.monotonic(), Duration::from_millis(1_500));
        assert_eq!(clone.now().to_string(), "2026-01-01T00:00:01.500Z");
    }
}
