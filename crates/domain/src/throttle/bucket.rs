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
    /// Which accounts were tried; at most as many as close the bucket, and those that ran when it closed. At a budget:
    /// which attempts run, by when they began.
    pub tried: Vec<Tried>,
    /// How many attempts in a row are charged and not settled. Too many if a process died over one, so it counts only
    /// until [`running_until`](Self::running_until).
    pub running: u32,
    /// When no attempt that has begun can be under way any more.
    pub running_until: Timestamp,
    /// Whether the trail tells that it is closed.
    pub is_reported: bool,
    /// When it is as good as none.
    pub expires_at: Timestamp,
}

/// An account that was tried from one place; or an attempt at a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// The beginning of its key; 0 for attempts.
    pub account: u64,
    /// When it was last failed at, or else charged.
    pub at: Timestamp,
    /// How many attempts at it are charged and not settled.
    pub running: u32,
    pub has_failed: bool,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            full_at: Timestamp::EPOCH,
            failures: 0,
            closed_until: Timestamp::EPOCH,
            tried: Vec::new(),
            running: 0,
            running_until: Timestamp::EPOCH,
            is_reported: false,
            expires_at: Timestamp::EPOCH,
        }
    }
}

impl Bucket {
    /// By which the clocks of two processes may differ.
    pub(super) const SKEW: Duration = Duration::from_mins(1);
    /// No rule closes a bucket for longer.
    pub(super) const LONGEST: Duration = Duration::from_hours(24);
    /// No attempt is under way for longer: every request is answered by then.
    pub(super) const ATTEMPT: Duration = Duration::from_secs(10);

    /// How long it stays closed; `None` if it is open, or closed for longer than any rule says: by a clock that was
    /// ahead.
    pub(super) fn closed_for(&self, now: Timestamp) -> Option<Duration> {
        let closed = now < self.closed_until && self.closed_until <= now.plus(Self::LONGEST).plus(Self::SKEW);
        closed.then(|| self.closed_until.since(now))
    }

    pub(super) fn keep_until(&mut self, time: Timestamp) {
        self.expires_at = self.expires_at.max(time);
    }

    /// How many attempts may be under way.
    pub(super) fn running(&self, now: Timestamp) -> u32 {
        let possible = self.running_until <= now.plus(Self::ATTEMPT).plus(Self::SKEW);
        if now < self.running_until && possible { self.running } else { 0 }
    }

    pub(super) fn begin(&mut self, now: Timestamp) {
        self.running = self.running(now).saturating_add(1);
        self.running_until = now.plus(Self::ATTEMPT);
        self.keep_until(self.running_until);
    }

    pub(super) fn end(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// The attempt at a budget that began then runs no more; whether it was noted.
    pub(super) fn forget(&mut self, began: Timestamp) -> bool {
        let position = self.tried.iter().position(|attempt| attempt.at == began);
        position.map(|position| self.tried.remove(position)).is_some()
    }

    /// What a success leaves of it.
    pub(super) fn with_nothing_but_what_runs(&self, now: Timestamp) -> Self {
        match self.running(now).saturating_sub(1) {
            0 => Self::default(),
            running => {
                Self { running, running_until: self.running_until, expires_at: self.running_until, ..Self::default() }
            }
        }
    }

    /// For a row.
    pub fn tried_bytes(&self) -> Vec<u8> {
        self.tried.iter().copied().flat_map(Tried::to_bytes).collect()
    }

    /// `None` if the bytes are not what [`Bucket::tried_bytes`] makes.
    pub fn tried_from_bytes(bytes: &[u8]) -> Option<Vec<Tried>> {
        let (tried, rest) = bytes.as_chunks::<{ Tried::BYTES }>();
        if rest.is_empty() { tried.iter().map(Tried::from_bytes).collect() } else { None }
    }
}

impl Tried {
    /// Of one in a row.
    const BYTES: usize = 24;

    /// Whether it may yet turn out that nobody was wrong about it.
    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        !self.has_failed && self.running > 0 && now.since(self.at) < Bucket::ATTEMPT
    }

    fn to_bytes(self) -> Vec<u8> {
        let counts = (u64::from(self.running) << 1) | u64::from(self.has_failed);
        [self.account.to_be_bytes(), self.at.as_millis().to_be_bytes(), counts.to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let ([account, at, counts], _) = bytes.as_chunks::<8>() else { return None };
        let counts = u64::from_be_bytes(*counts);
        Some(Self {
            account: u64::from_be_bytes(*account),
            at: Timestamp::from_millis(i64::from_be_bytes(*at))?,
            running: u32::try_from(counts >> 1).ok()?,
            has_failed: counts & 1 == 1,
        })
    }
}
