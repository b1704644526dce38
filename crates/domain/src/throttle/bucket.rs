//! What is remembered of those who tried.

use crate::clock::Timestamp;
use std::time::Duration;

/// The state behind every [`Rule`](super::Rule); each uses its part of it. A new one is as good as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// When the budget will be full again.
    pub full_at: Timestamp,
    /// In a row.
    pub failures: u32,
    pub closed_until: Timestamp,
    /// Which accounts were tried, and when last; at most as many as close the bucket.
    pub tried: Vec<(u64, Timestamp)>,
    /// When it is as good as none.
    pub expires_at: Timestamp,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            full_at: Timestamp::EPOCH,
            failures: 0,
            closed_until: Timestamp::EPOCH,
            tried: Vec::new(),
            expires_at: Timestamp::EPOCH,
        }
    }
}

impl Bucket {
    /// By which the clocks of two processes may differ.
    pub(super) const SKEW: Duration = Duration::from_mins(1);
    /// No rule closes a bucket for longer.
    pub(super) const LONGEST: Duration = Duration::from_hours(24);

    /// How long it stays closed; `None` if it is open, or closed for longer than any rule says: by a clock that was ahead.
    pub(super) fn closed_for(&self, now: Timestamp) -> Option<Duration> {
        let closed = now < self.closed_until && self.closed_until <= now.plus(Self::LONGEST).plus(Self::SKEW);
        closed.then(|| self.closed_until.since(now))
    }

    pub(super) fn keep_until(&mut self, time: Timestamp) {
        self.expires_at = self.expires_at.max(time);
    }

    /// For a row: 16 bytes for each.
    pub fn tried_bytes(&self) -> Vec<u8> {
        let pair = |(tag, at): &(u64, Timestamp)| [tag.to_be_bytes(), at.as_millis().to_be_bytes()].concat();
        self.tried.iter().flat_map(pair).collect()
    }

    /// `None` if the bytes are not what [`Bucket::tried_bytes`] makes.
    pub fn tried_from_bytes(bytes: &[u8]) -> Option<Vec<(u64, Timestamp)>> {
        let (pairs, rest) = bytes.as_chunks::<16>();
        let pair = |pair: &[u8; 16]| {
            let (tag, at) = (pair.first_chunk()?, pair.last_chunk()?);
            Some((u64::from_be_bytes(*tag), Timestamp::from_millis(i64::from_be_bytes(*at))?))
        };
        if rest.is_empty() { pairs.iter().map(pair).collect() } else { None }
    }
}
