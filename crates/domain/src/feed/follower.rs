//! Reading the feed without missing a change.

use super::{Change, Snapshots, store::FeedReads};
use crate::clock::Clock;
use crate::error::StoreError;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How many changes are read at once; more are read at once after.
const BATCH: u32 = 500;

/// Numbers are taken when a transaction writes and seen when it commits, so a lower number can appear after a higher
/// one. Numbers that were jumped over are asked for again until they appear, or until every transaction that could
/// have held them is over.
#[derive(Debug, Clone)]
pub struct Gaps {
    newest: i64,
    missing: BTreeMap<i64, Duration>,
}

impl Gaps {
    /// Longer than any transaction lives: the stores end them after seconds.
    const PATIENCE: Duration = Duration::from_mins(1);
    /// A larger jump is a reset of the sequence, not transactions in flight.
    const MOST: i64 = 1_000;

    pub fn starting_at(newest: i64) -> Self {
        Self { newest, missing: BTreeMap::new() }
    }

    /// For a first look at a feed whose newest number is `newest`: transactions that took a number before it may still
    /// be open, so the last ones are read again to learn which are missing.
    pub(super) fn starting_before(newest: i64) -> Self {
        Self::starting_at((newest - Self::MOST).max(0))
    }

    pub(super) fn new(newest: i64, missing: BTreeMap<i64, Duration>) -> Self {
        Self { newest, missing }
    }

    pub fn newest(&self) -> i64 {
        self.newest
    }

    pub fn missing(&self) -> Vec<i64> {
        self.missing.keys().copied().collect()
    }

    /// With the time since when each is missing.
    pub(super) fn missing_since(&self) -> &BTreeMap<i64, Duration> {
        &self.missing
    }

    /// Notes that `number` was seen at `now`, which is on one clock for all calls.
    pub fn saw(&mut self, number: i64, now: Duration) {
        self.saw_all(number..=number, now);
    }

    /// As [`Self::saw`], for numbers in a row.
    pub(super) fn saw_all(&mut self, numbers: RangeInclusive<i64>, now: Duration) {
        let (first, last) = numbers.into_inner();
        for number in first..=last.min(self.newest) {
            self.missing.remove(&number);
        }
        if last > self.newest {
            let jumped = (self.newest + 1).max(first - Self::MOST);
            self.missing.extend((jumped..first).map(|gap| (gap, now)));
            self.newest = last;
        }
    }

    pub fn forget_old(&mut self, now: Duration) {
        self.missing.retain(|_, since| now.saturating_sub(*since) < Self::PATIENCE);
    }
}

/// Keeps [`Snapshots`] right. Whoever owns it calls [`Follower::poll`] a few times a second.
#[derive(Debug, Default)]
pub struct Follower {
    /// None before the first look, and again after a failed one: while this process was cut off, changes may have
    /// been purged, or a failover may have set the numbers back.
    gaps: Option<Gaps>,
}

impl Follower {
    /// Reads what is new, makes the snapshots forget it, and vouches for them as of when it began. Returns whether
    /// signing keys changed, or may have. On an error, or if the future is dropped, the snapshots are vouched for no
    /// longer than before, and the next call makes them forget everything.
    pub async fn poll(
        &mut self,
        feed: &dyn FeedReads,
        clock: &dyn Clock,
        snapshots: &Snapshots,
    ) -> Result<bool, StoreError> {
        let began = clock.monotonic();
        let (mut gaps, mut keys_changed) = if let Some(gaps) = self.gaps.take() {
            (gaps, false)
        } else {
            let newest = feed.newest_change().await?;
            // Changes that are visible by now concern nothing that is remembered from here on.
            snapshots.forget_all();
            let gaps = Gaps::starting_before(newest);
            snapshots.follow_from(gaps.newest());
            (gaps, true)
        };
        loop {
            let changes = feed.changes(gaps.newest(), &gaps.missing(), BATCH).await?;
            for recorded in &changes {
                gaps.saw(recorded.number, clock.monotonic());
                keys_changed |= recorded.change.is_none_or(|change| change == Change::KeysChanged);
                match recorded.change {
                    Some(change) => snapshots.apply(change),
                    // Written by a later version, which runs beside this one: it could concern anything.
                    None => snapshots.forget_all(),
                }
                snapshots.record(recorded);
            }
            if changes.len() < BATCH as usize {
                break;
            }
        }
        gaps.forget_old(clock.monotonic());
        self.gaps = Some(gaps);
        snapshots.vouch(began);
        Ok(keys_changed)
    }
}
