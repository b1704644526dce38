//! What closes a bucket. Pure: the same in the database of a fleet and in the memory of a process.

use super::{Bucket, BucketKey, Standing};
use crate::clock::Timestamp;
use std::time::Duration;

/// So many at once, and one more each time `refill` has passed: the generic cell rate algorithm of ITU-T I.371.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// 1 to 1,000,000.
    pub burst: u32,
    /// Until one more attempt is allowed; at least a millisecond.
    pub refill: Duration,
}

impl Budget {
    pub const fn new(burst: u32, refill: Duration) -> Self {
        Self { burst, refill }
    }

    fn window(self) -> Duration {
        self.refill.saturating_mul(self.burst)
    }

    /// When it is full again. A time that nobody can have written but by a clock that was ahead does not count: no
    /// bucket stays closed for good.
    fn full_at(self, bucket: &Bucket, now: Timestamp) -> Timestamp {
        let possible = bucket.full_at <= now.plus(self.window()).plus(Bucket::SKEW);
        if possible { bucket.full_at.max(now) } else { now }
    }
}

/// Failures in a row: some are free, then each makes the next one wait, and at last only known devices get in
/// (NIST SP 800-63B-4, section 3.2.2). Never for good: it opens a day later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    pub free: u32,
    pub most: u32,
}

impl Lockout {
    const DELAYS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(5)];
    const LONGEST_DELAY: Duration = Duration::from_secs(10);
    /// After so long without an attempt, too, all is forgotten.
    const CLOSED: Duration = Bucket::LONGEST;

    /// After so many failures.
    fn delay(self, failures: u32) -> Duration {
        if failures >= self.most {
            return Self::CLOSED;
        }
        match failures.checked_sub(self.free) {
            None => Duration::ZERO,
            Some(beyond) => Self::DELAYS.get(beyond as usize).copied().unwrap_or(Self::LONGEST_DELAY),
        }
    }
}

/// How many different accounts may be tried from one place within an hour; then it is closed for an hour. What
/// proves right is not counted, so that an office behind one address can come to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    pub most: u32,
}

impl Spread {
    const WINDOW: Duration = Duration::from_hours(1);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Given back to whoever succeeds.
    Failures(Budget),
    /// Not given back.
    Attempts(Budget),
    InARow(Lockout),
    /// Of the account that is tried now.
    Accounts(Spread, BucketKey),
}

impl Rule {
    /// How long an attempt would have to wait; `None` if it may be charged.
    pub fn refuses(&self, bucket: &Bucket, now: Timestamp) -> Option<Duration> {
        match self {
            Self::Failures(budget) | Self::Attempts(budget) => {
                let filled = budget.full_at(bucket, now).plus(budget.refill).since(now);
                filled.checked_sub(budget.window()).filter(|wait| !wait.is_zero())
            }
            Self::InARow(_) | Self::Accounts(..) => bucket.closed_for(now),
        }
    }

    pub fn charge(&self, bucket: &mut Bucket, now: Timestamp) {
        match self {
            Self::Failures(budget) | Self::Attempts(budget) => {
                bucket.full_at = budget.full_at(bucket, now).plus(budget.refill);
                bucket.keep_until(bucket.full_at);
            }
            Self::InARow(lockout) => {
                if bucket.expires_at <= now {
                    bucket.failures = 0;
                }
                bucket.failures = bucket.failures.saturating_add(1);
                bucket.closed_until = now.plus(lockout.delay(bucket.failures));
                bucket.keep_until(now.plus(Lockout::CLOSED));
            }
            Self::Accounts(spread, account) => {
                bucket.tried.retain(|(tag, at)| {
                    *tag != account.tag() && now.since(*at) < Spread::WINDOW && *at <= now.plus(Bucket::SKEW)
                });
                bucket.tried.push((account.tag(), now));
                if bucket.tried.len() >= spread.most as usize {
                    bucket.closed_until = now.plus(Spread::WINDOW);
                }
                bucket.keep_until(now.plus(Spread::WINDOW));
            }
        }
    }

    /// Whether the charge that was just made closed the bucket for long: worth a line in the trail.
    pub(super) fn has_closed(&self, bucket: &Bucket, now: Timestamp) -> bool {
        match self {
            Self::Failures(_) | Self::Attempts(_) => false,
            Self::InARow(lockout) => bucket.failures >= lockout.most,
            Self::Accounts(..) => bucket.closed_for(now).is_some(),
        }
    }

    /// Whether nothing is given back for success.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Attempts(_))
    }

    /// The attempt was right.
    pub fn succeed(&self, bucket: &mut Bucket, now: Timestamp) {
        match self {
            Self::Attempts(_) => {}
            Self::InARow(_) => *bucket = Bucket::default(),
            Self::Failures(_) | Self::Accounts(..) => self.withdraw(bucket, now),
        }
    }

    /// Nothing came of the attempt, through no fault of whoever made it.
    pub fn withdraw(&self, bucket: &mut Bucket, now: Timestamp) {
        match self {
            Self::Failures(budget) | Self::Attempts(budget) => bucket.full_at = bucket.full_at.minus(budget.refill),
            Self::InARow(lockout) => {
                bucket.failures = bucket.failures.saturating_sub(1);
                bucket.closed_until = bucket.closed_until.min(now.plus(lockout.delay(bucket.failures)));
            }
            Self::Accounts(_, account) => {
                bucket.tried.retain(|(tag, _)| *tag != account.tag());
                bucket.closed_until = Timestamp::EPOCH;
            }
        }
    }

    pub(super) fn standing(&self, policy: &'static str, bucket: &Bucket, now: Timestamp) -> Standing {
        let closed = bucket.closed_for(now);
        let (quota, window, left) = match self {
            Self::Failures(budget) | Self::Attempts(budget) => {
                let free = budget.window().saturating_sub(budget.full_at(bucket, now).since(now));
                let left = free.as_millis() / budget.refill.as_millis().max(1);
                let reset = self.refuses(bucket, now).unwrap_or_else(|| budget.full_at(bucket, now).since(now));
                let remaining = u32::try_from(left).unwrap_or(u32::MAX);
                return Standing { policy, quota: budget.burst, window: budget.window(), remaining, reset };
            }
            Self::InARow(lockout) => {
                (lockout.free, Lockout::CLOSED, lockout.free.saturating_sub(bucket.failures).max(1))
            }
            Self::Accounts(spread, _) => {
                let tried = u32::try_from(bucket.tried.len()).unwrap_or(u32::MAX);
                (spread.most, Spread::WINDOW, spread.most.saturating_sub(tried))
            }
        };
        let remaining = if closed.is_some() { 0 } else { left };
        Standing { policy, quota, window, remaining, reset: closed.unwrap_or_default() }
    }
}
