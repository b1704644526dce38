//! The port for buckets.

use super::{Bucket, BucketKey};
use crate::clock::Timestamp;
use crate::error::StoreError;
use async_trait::async_trait;

/// Looks at buckets, one for each key and in their order, and changes them. May be called again if somebody else
/// changed them meanwhile.
pub type ChangeBuckets<'a> = dyn FnMut(&mut [Bucket]) + Send + 'a;

/// What came of putting buckets in the place of others.
#[derive(Debug, PartialEq, Eq)]
pub enum Swap {
    Done,
    /// What was found instead, and still is.
    Lost(Vec<Bucket>),
}

/// Keys are in ascending order, each once; where there is no bucket yet it is a new one. What was written may be lost
/// with the database's machine: nobody waits for the disk.
#[async_trait]
pub trait ThrottleStore: Send + Sync {
    /// The buckets as they are, one for each key and in their order.
    async fn buckets(&self, keys: &[BucketKey]) -> Result<Vec<Bucket>, StoreError>;
    /// Puts the `new` ones in the place of the `old` ones if all of them are still as they were; else all stay.
    async fn swap_buckets(&self, keys: &[BucketKey], old: &[Bucket], new: &[Bucket]) -> Result<Swap, StoreError>;
    /// Hands the buckets to `change` and keeps what it makes of them, in a transaction of its own: nobody else changes
    /// them meanwhile.
    async fn change_buckets(&self, keys: &[BucketKey], change: &mut ChangeBuckets<'_>) -> Result<(), StoreError>;
    /// Deletes up to `limit` buckets that expired before `before`; how many.
    async fn purge_buckets(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// What [`change_buckets`] came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Changed {
    To(Vec<Bucket>),
    /// They stay as they are.
    Not(Vec<Bucket>),
}

/// As [`ThrottleStore::change_buckets`], in fewer round trips, and without taking hold of anything for whoever is
/// refused, or has not lost several times. `guess` is how they may be. A bucket that is looked at and not changed may
/// be another by the time the others are written: only refusals rest on it, because who is admitted changes all of
/// theirs.
pub(super) async fn change_buckets(
    store: &(impl ThrottleStore + ?Sized),
    keys: &[BucketKey],
    guess: Option<Vec<Bucket>>,
    change: &mut ChangeBuckets<'_>,
) -> Result<Changed, StoreError> {
    let mut is_guess = guess.is_some();
    let mut old = match guess {
        Some(guess) => guess,
        None => store.buckets(keys).await?,
    };
    for _ in 0..3 {
        let mut new = old.clone();
        change(&mut new);
        if new != old {
            // A guess is put to the test as a whole.
            let (asked, was, becomes) =
                if is_guess { (keys.to_vec(), old.clone(), new.clone()) } else { those_that_differ(keys, &old, &new) };
            match store.swap_buckets(&asked, &was, &becomes).await? {
                Swap::Done => return Ok(Changed::To(new)),
                Swap::Lost(found) => {
                    let lost = keys.iter().zip(&mut old).filter(|(key, _)| asked.contains(key));
                    lost.zip(found).for_each(|((_, old), found)| *old = found);
                }
            }
        } else if is_guess {
            old = store.buckets(keys).await?;
        } else {
            return Ok(Changed::Not(old));
        }
        is_guess = false;
    }
    let mut outcome = Changed::Not(Vec::new());
    let mut look = |buckets: &mut [Bucket]| {
        let old = buckets.to_vec();
        change(buckets);
        outcome = if *buckets == *old { Changed::Not(old) } else { Changed::To(buckets.to_vec()) };
    };
    store.change_buckets(keys, &mut look).await?;
    Ok(outcome)
}

/// What [`ThrottleStore::swap_buckets`] takes, of those that differ.
pub fn those_that_differ(
    keys: &[BucketKey],
    old: &[Bucket],
    new: &[Bucket],
) -> (Vec<BucketKey>, Vec<Bucket>, Vec<Bucket>) {
    let all = keys.iter().zip(old.iter().zip(new));
    all.filter(|(_, (old, new))| old != new).map(|(key, (old, new))| (*key, old.clone(), new.clone())).collect()
}

#[cfg(test)]
mod tests;
