//! Buckets in the memory of this process: for when the store cannot be reached, and for what is not worth its time.

use super::{Bucket, BucketKey, Standing};
use crate::clock::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct LocalBuckets {
    buckets: Mutex<HashMap<BucketKey, Bucket>>,
}

impl LocalBuckets {
    /// Bounds the memory: about 200 bytes each.
    const CAPACITY: usize = 8_192;

    /// As [`ThrottleStore::change_buckets`](super::store::ThrottleStore::change_buckets); what `change` answers.
    pub(super) fn change<T>(&self, keys: &[BucketKey], now: Timestamp, change: impl FnOnce(&mut [Bucket]) -> T) -> T {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut touched: Vec<_> = keys.iter().map(|key| buckets.get(key).cloned().unwrap_or_default()).collect();
        let before = touched.clone();
        let answer = change(&mut touched);
        if touched != before {
            Self::put(&mut buckets, keys, touched, now);
        }
        answer
    }

    /// `None` if one of them is not remembered.
    pub(super) fn find(&self, keys: &[BucketKey]) -> Option<Vec<Bucket>> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().map(|key| buckets.get(key).cloned()).collect()
    }

    /// What another place holds, of what is not remembered.
    pub(super) fn learn(&self, keys: &[BucketKey], seen: Vec<Bucket>, now: Timestamp) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let (keys, new): (Vec<_>, Vec<_>) = keys.iter().zip(seen).filter(|(key, _)| !buckets.contains_key(key)).unzip();
        Self::put(&mut buckets, &keys, new, now);
    }

    /// What another place holds.
    pub(super) fn remember(&self, keys: &[BucketKey], seen: Vec<Bucket>, now: Timestamp) {
        Self::put(&mut self.buckets.lock().unwrap_or_else(PoisonError::into_inner), keys, seen, now);
    }

    fn put(buckets: &mut HashMap<BucketKey, Bucket>, keys: &[BucketKey], new: Vec<Bucket>, now: Timestamp) {
        if buckets.len() + keys.len() > Self::CAPACITY {
            Self::make_room(buckets, now);
        }
        buckets.extend(keys.iter().copied().zip(new));
    }

    /// If none has expired, every eighth goes, whichever it is: a flood of strangers must neither grow the memory nor
    /// lock everyone out.
    fn make_room(buckets: &mut HashMap<BucketKey, Bucket>, now: Timestamp) {
        buckets.retain(|_, bucket| bucket.expires_at >= now);
        let mut n = 0;
        if buckets.len() > Self::CAPACITY / 8 * 7 {
            buckets.retain(|_, _| {
                n += 1;
                n % 8 != 0
            });
        }
    }
}

/// Refusals that need not be asked for again: whoever hammers a closed bucket costs the store nothing.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    refusals: Mutex<HashMap<BucketKey, Refused>>,
}

#[derive(Debug)]
struct Refused {
    /// Monotonic.
    at: Duration,
    standing: Standing,
}

impl Refusals {
    const CAPACITY: usize = 8_192;
    /// Another replica may have opened the bucket since.
    const TRUSTED: Duration = Duration::from_secs(1);

    /// `now` is monotonic.
    pub(super) fn find(&self, keys: impl Iterator<Item = BucketKey>, now: Duration) -> Option<(BucketKey, Standing)> {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        keys.filter_map(|key| {
            let Refused { at, standing } = refusals.get(&key)?;
            let age = now.saturating_sub(*at);
            let reset = standing.reset.checked_sub(age).filter(|left| !left.is_zero() && age < Self::TRUSTED)?;
            Some((key, Standing { reset, ..*standing }))
        })
        .max_by_key(|(_, standing)| standing.reset)
    }

    pub(super) fn remember(&self, key: BucketKey, standing: Standing, now: Duration) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        if refusals.len() >= Self::CAPACITY {
            refusals.retain(|_, refused| now.saturating_sub(refused.at) < Self::TRUSTED);
        }
        if refusals.len() < Self::CAPACITY {
            refusals.insert(key, Refused { at: now, standing });
        }
    }

    /// An attempt is through that may have kept others out.
    pub(super) fn forget(&self, keys: impl Iterator<Item = BucketKey>) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            refusals.remove(&key);
        }
    }
}

/// Since when (monotonic) the store has not answered.
#[derive(Debug, Default)]
pub(super) struct Outage(Mutex<Option<Duration>>);

impl Outage {
    /// Longer than a busy store takes to be itself again.
    const LASTING: Duration = Duration::from_secs(1);

    /// To be asked each time the store fails.
    pub(super) fn is_lasting(&self, now: Duration) -> bool {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
        now.saturating_sub(since) >= Self::LASTING
    }

    pub(super) fn is_noted(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// To be told each time the store has taken something.
    pub(super) fn over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_changes_nothing_takes_no_place() {
        let (buckets, keys) = (LocalBuckets::default(), [BucketKey::from_bytes([1; 32])]);
        buckets.change(&keys, Timestamp::EPOCH, |_| ());
        assert_eq!(buckets.find(&keys), None);
        buckets.change(&keys, Timestamp::EPOCH, |buckets| buckets[0].failures = 1);
        assert!(buckets.find(&keys).is_some());
    }
}
