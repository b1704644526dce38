//! What closes a bucket. Pure: the same in the database of a fleet and in the memory of a process.

use super::{Bucket, BucketKey, Standing, Tried};
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

    fn charge(self, bucket: &mut Bucket, now: Timestamp) {
        bucket.full_at = self.full_at(bucket, now).plus(self.refill);
        bucket.keep_until(bucket.full_at);
    }

    /// No more of what was charged at `began` than time has not filled since: else whoever waits with what is given
    /// back would get more than the budget has.
    fn give_back(self, bucket: &mut Bucket, began: Timestamp, now: Timestamp) {
        bucket.full_at = bucket.full_at.minus(self.refill.saturating_sub(now.since(began)));
    }

    /// An attempt that may yet be right is only noted: what was charged and is given back later may have been filled by
    /// time meanwhile, and would be there twice.
    fn begin(self, bucket: &mut Bucket, now: Timestamp) {
        bucket.full_at = self.failed_until(bucket, now, |begun| !begun.is_open(now));
        bucket.tried.retain(|begun| begun.is_open(now) && begun.at <= now.plus(Bucket::SKEW));
        bucket.tried.push(Tried { account: 0, at: now, running: 1, has_failed: false });
        bucket.keep_until(self.full_at(bucket, now));
    }

    /// It counts from when it began. One that is not noted any more has failed already, because it took too long.
    fn fail(self, bucket: &mut Bucket, began: Timestamp) {
        if bucket.forget(began) {
            bucket.full_at = bucket.full_at.max(began).plus(self.refill);
            bucket.keep_until(bucket.full_at);
        }
    }

    /// When it is full again, if all that runs fails.
    fn full_at(self, bucket: &Bucket, now: Timestamp) -> Timestamp {
        self.failed_until(bucket, now, |_| true).max(now)
    }

    /// When it is full again, if of what has begun this fails. A time that nobody can have written but by a clock that
    /// was ahead does not count: no bucket stays closed for good.
    fn failed_until(self, bucket: &Bucket, now: Timestamp, fails: impl Fn(&Tried) -> bool) -> Timestamp {
        let possible = bucket.full_at <= now.plus(self.window()).plus(Bucket::SKEW);
        let full_at = if possible { bucket.full_at } else { now };
        let failed = bucket.tried.iter().filter(|begun| begun.at <= now.plus(Bucket::SKEW) && fails(begun));
        failed.fold(full_at, |full_at, begun| full_at.max(begun.at).plus(self.refill.saturating_mul(begun.running)))
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

    fn charge(self, bucket: &mut Bucket, account: BucketKey, now: Timestamp) {
        bucket.tried.retain(|tried| now.since(tried.at) < Self::WINDOW && tried.at <= now.plus(Bucket::SKEW));
        let tried = Self::take(bucket, account, now);
        let at = if tried.has_failed { tried.at } else { now };
        bucket.tried.push(Tried { at, running: tried.running.saturating_add(1), ..tried });
        self.close(bucket, now);
    }

    fn fail(self, bucket: &mut Bucket, account: BucketKey, now: Timestamp) {
        let tried = Self::take(bucket, account, now);
        let running = tried.running.saturating_sub(1);
        bucket.tried.push(Tried { at: now, running, has_failed: true, ..tried });
        self.close(bucket, now);
    }

    /// Earlier failures at the account are forgotten.
    fn succeed(self, bucket: &mut Bucket, account: BucketKey) {
        bucket.tried.retain(|tried| tried.account != account.tag());
        self.reopen(bucket);
    }

    /// Earlier failures at the account, and other attempts that run, still count.
    fn withdraw(self, bucket: &mut Bucket, account: BucketKey) {
        for tried in bucket.tried.iter_mut().filter(|tried| tried.account == account.tag()) {
            tried.running = tried.running.saturating_sub(1);
        }
        bucket.tried.retain(|tried| tried.account != account.tag() || tried.has_failed || tried.running > 0);
        self.reopen(bucket);
    }

    /// Of an account that was not tried, a new one.
    fn take(bucket: &mut Bucket, account: BucketKey, now: Timestamp) -> Tried {
        let account = account.tag();
        let found = bucket.tried.iter().position(|tried| tried.account == account);
        let new = Tried { account, at: now, running: 0, has_failed: false };
        found.map_or(new, |position| bucket.tried.remove(position))
    }

    fn close(self, bucket: &mut Bucket, now: Timestamp) {
        if bucket.tried.len() >= self.most as usize {
            bucket.closed_until = now.plus(Self::WINDOW);
        }
        bucket.keep_until(now.plus(Self::WINDOW));
    }

    fn reopen(self, bucket: &mut Bucket) {
        if bucket.tried.len() < self.most as usize {
            bucket.closed_until = Timestamp::EPOCH;
        }
    }
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
    /// What is told where the bucket may open as soon as an attempt is through: few take as long.
    const SOON: Duration = Duration::from_secs(2);

    /// How long an attempt would have to wait; `None` if it may be charged. An attempt that runs is as good as failed,
    /// so that of many at once no more are let in than the budget has; but it does not make anybody wait for long.
    pub fn refuses(&self, bucket: &Bucket, now: Timestamp) -> Option<Duration> {
        let at_worst = self.wait(bucket, now)?;
        let at_best = self.wait(&self.at_best(bucket, now), now).unwrap_or_default();
        Some(at_worst.min(at_best.max(Self::SOON)))
    }

    /// If every attempt that runs fails.
    fn wait(&self, bucket: &Bucket, now: Timestamp) -> Option<Duration> {
        match self {
            Self::Failures(budget) | Self::Attempts(budget) => {
                let filled = budget.full_at(bucket, now).plus(budget.refill).since(now);
                filled.checked_sub(budget.window()).filter(|wait| !wait.is_zero())
            }
            Self::InARow(_) | Self::Accounts(..) => bucket.closed_for(now),
        }
    }

    /// What the bucket would be if every attempt that runs were right.
    fn at_best(&self, bucket: &Bucket, now: Timestamp) -> Bucket {
        let mut best = bucket.clone();
        match self {
            Self::Failures(_) => best.tried.retain(|begun| !begun.is_open(now)),
            Self::Attempts(_) => {}
            Self::InARow(_) => {
                if bucket.running(now) > 0 {
                    best = Bucket::default();
                }
            }
            Self::Accounts(spread, _) => {
                best.tried.retain(|tried| !tried.is_open(now));
                spread.reopen(&mut best);
            }
        }
        best
    }

    /// Only what [`refuses`](Self::refuses) nobody.
    pub fn charge(&self, bucket: &mut Bucket, now: Timestamp) {
        bucket.is_reported = false;
        match self {
            Self::Failures(budget) => budget.begin(bucket, now),
            Self::Attempts(budget) => budget.charge(bucket, now),
            Self::InARow(lockout) => {
                if bucket.expires_at <= now {
                    bucket.failures = 0;
                }
                bucket.failures = bucket.failures.saturating_add(1);
                bucket.closed_until = now.plus(lockout.delay(bucket.failures));
                bucket.begin(now);
                bucket.keep_until(now.plus(Lockout::CLOSED));
            }
            Self::Accounts(spread, account) => spread.charge(bucket, *account, now),
        }
    }

    /// Whether failures, and nothing that still runs, have closed the bucket for long: worth a line in the trail.
    pub(super) fn has_closed(&self, bucket: &Bucket, now: Timestamp) -> bool {
        let for_long = match self {
            Self::Failures(_) | Self::Attempts(_) => false,
            Self::InARow(lockout) => bucket.failures >= lockout.most,
            Self::Accounts(..) => true,
        };
        for_long && self.wait(&self.at_best(bucket, now), now).is_some()
    }

    /// Whether nothing is given back for success.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Attempts(_))
    }

    /// The attempt that was charged at `began` was wrong.
    pub fn fail(&self, bucket: &mut Bucket, began: Timestamp, now: Timestamp) {
        match self {
            Self::Attempts(_) => {}
            Self::Failures(budget) => budget.fail(bucket, began),
            Self::InARow(_) => bucket.end(),
            Self::Accounts(spread, account) => spread.fail(bucket, *account, now),
        }
    }

    /// The attempt that was charged at `began` was right.
    pub fn succeed(&self, bucket: &mut Bucket, began: Timestamp, now: Timestamp) {
        match self {
            Self::Attempts(_) => {}
            Self::Failures(_) => self.withdraw(bucket, began, now),
            Self::InARow(_) => *bucket = bucket.with_nothing_but_what_runs(now),
            Self::Accounts(spread, account) => spread.succeed(bucket, *account),
        }
    }

    /// Nothing came of the attempt that was charged at `began`, through no fault of whoever made it.
    pub fn withdraw(&self, bucket: &mut Bucket, began: Timestamp, now: Timestamp) {
        match self {
            Self::Failures(_) => {
                bucket.forget(began);
            }
            Self::Attempts(budget) => budget.give_back(bucket, began, now),
            Self::InARow(lockout) => {
                bucket.end();
                bucket.failures = bucket.failures.saturating_sub(1);
                bucket.closed_until = bucket.closed_until.min(now.plus(lockout.delay(bucket.failures)));
            }
            Self::Accounts(spread, account) => spread.withdraw(bucket, *account),
        }
    }

    pub(super) fn standing(&self, policy: &'static str, bucket: &Bucket, now: Timestamp) -> Standing {
        let closed = self.refuses(bucket, now);
        let (quota, window, left) = match self {
            Self::Failures(budget) | Self::Attempts(budget) => {
                let full_in = budget.full_at(bucket, now).since(now);
                let left = budget.window().saturating_sub(full_in).as_millis() / budget.refill.as_millis().max(1);
                let remaining = u32::try_from(left).unwrap_or(u32::MAX);
                let (quota, window) = (budget.burst, budget.window());
                return Standing { policy, quota, window, remaining, reset: closed.unwrap_or(full_in) };
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
