//! Reading the feed without missing a change.

use super::{Change, Snapshots, store::FeedReads};
use crate::clock::Clock;
use crate::error::StoreError;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many changes are read at once; more are read at once after.
const BATCH: u32 = 500;

/// Numbers are taken when a transaction writes and seen when it commits, so a lower number can appear after a higher
/// one. Numbers that were jumped over are asked for again until they appear, or until every transaction that could
/// have held them is over.
#[derive(Debug)]
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

    pub fn newest(&self) -> i64 {
        self.newest
    }

    pub fn missing(&self) -> Vec<i64> {
        self.missing.keys().copied().collect()
    }

    /// Notes that `number` was seen at `now` (monotonic).
    pub fn saw(&mut self, number: i64, now: Duration) {
        if number > self.newest {
            let first = (self.newest + 1).max(number - Self::MOST);
            self.missing.extend((first..number).map(|gap| (gap, now)));
            self.newest = number;
        } else {
            self.missing.remove(&number);
        }
    }

    pub fn forget_old(&mut self, now: Duration) {
        self.missing.retain(|_, since| now.saturating_sub(*since) < Self::PATIENCE);
    }
}

/// Keeps [`Snapshots`] right. Whoever owns it calls [`Follower::poll`] a few times a second.
#[derive(Debug, Default)]
pub struct Follower {
    gaps: Option<Gaps>,
}

impl Follower {
    /// Reads what is new, makes the snapshots forget it, and vouches for them as of when it began. Returns whether
    /// signing keys changed. On an error the snapshots are vouched for no longer than before.
    pub async fn poll(
        &mut self,
        feed: &dyn FeedReads,
        clock: &dyn Clock,
        snapshots: &Snapshots,
    ) -> Result<bool, StoreError> {
        let began = clock.monotonic();
        let Some(gaps) = &mut self.gaps else {
            // Changes from before the first look concern nothing that is remembered later.
            let newest = feed.newest_change().await?;
            snapshots.forget_all();
            self.gaps = Some(Gaps::starting_at(newest));
            snapshots.vouch(began);
            return Ok(true);
        };
        let mut keys_changed = false;
        loop {
            let changes = feed.changes(gaps.newest(), &gaps.missing(), BATCH).await?;
            for (number, change) in &changes {
                gaps.saw(*number, clock.monotonic());
                keys_changed |= *change == Change::KeysChanged;
                snapshots.apply(*change);
            }
            if changes.len() < BATCH as usize {
                break;
            }
        }
        gaps.forget_old(clock.monotonic());
        snapshots.vouch(began);
        Ok(keys_changed)
    }
}
