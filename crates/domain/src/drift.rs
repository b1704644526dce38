//! How far this process's clock is from that of the store, which all processes have in common.

use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::services::Ports;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Beyond this somebody should see to the clock.
pub const NOTEWORTHY: Duration = Duration::from_secs(5);
/// Beyond this the process must not be sent requests: others would refuse the tokens that it signs.
pub const MOST: Duration = Duration::from_mins(1);
/// An answer that took longer does not tell the time well enough.
const PRECISE: Duration = Duration::from_secs(1);

/// Nothing until it is measured.
#[derive(Debug, Default)]
pub struct ClockDrift {
    ahead_millis: AtomicI64,
}

impl ClockDrift {
    /// Milliseconds by which this process is ahead of the store, below zero if it is behind.
    pub fn ahead_millis(&self) -> i64 {
        self.ahead_millis.load(Ordering::Relaxed)
    }

    pub fn set_ahead_millis(&self, millis: i64) {
        self.ahead_millis.store(millis, Ordering::Relaxed);
    }

    /// In either direction.
    pub fn exceeds(&self, limit: Duration) -> bool {
        Duration::from_millis(self.ahead_millis().unsigned_abs()) > limit
    }

    /// What the store's clock shows when this process's shows `time`.
    fn correct(&self, time: Timestamp) -> Timestamp {
        let ahead = self.ahead_millis();
        let distance = Duration::from_millis(ahead.unsigned_abs());
        if ahead > 0 { time.minus(distance) } else { time.plus(distance) }
    }
}

impl Ports {
    /// The calendar time on which all processes agree, for ages that one begins to count and another one ends. What is
    /// signed has this process's own time: of two clocks nobody knows which one is wrong.
    pub fn store_time(&self) -> Timestamp {
        self.drift.correct(self.clock.now())
    }

    /// Compares this process's clock with the store's, if that has another one. If the answer takes more than a second,
    /// what was measured before still counts.
    pub async fn measure_drift(&self) -> Result<(), StoreError> {
        let (asked, began) = (self.clock.now(), self.clock.monotonic());
        let Some(there) = self.store.time().await? else { return Ok(()) };
        let took = self.clock.monotonic().saturating_sub(began);
        if took <= PRECISE {
            // The store looked at its clock at some time in between: half way is the least wrong.
            let here = asked.plus(took / 2);
            self.drift.set_ahead_millis(here.as_millis().saturating_sub(there.as_millis()));
        }
        Ok(())
    }
}
