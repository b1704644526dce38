//! The machine's own clock and randomness.

use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use vestibule_domain::clock::Timer;
use vestibule_domain::{Clock, Rng, Timestamp};

/// The wall clock, and the time since this value was made.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place where calendar time enters")]
        let now = SystemTime::now();
        let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::EPOCH.plus(since_1970)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn timer(&self, lasts: Duration) -> Timer {
        let end = tokio::time::Instant::now() + lasts;
        Box::pin(tokio::time::sleep_until(end))
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    /// Ends the process if the system gives no randomness: whatever went on without it would be guessable.
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "the one place where randomness enters")]
        let outcome = getrandom::fill(bytes);
        if let Err(error) = outcome {
            // Nobody would write a line of the log any more.
            let _ = writeln!(std::io::stderr(), "the system gives no randomness: {error}");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_past_the_day_this_was_written_and_monotonic_time_never_falls() {
        let clock = SystemClock::new();
        assert!(clock.now().as_secs() > 1_767_225_600, "before 2026");
        let (earlier, later) = (clock.monotonic(), clock.monotonic());
        assert!(earlier <= later);
    }

    #[test]
    fn two_draws_differ() {
        let rng: &dyn Rng = &SystemRng;
        assert_ne!(rng.bytes::<32>(), rng.bytes::<32>());
    }
}
