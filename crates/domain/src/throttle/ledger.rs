//! Where attempts are counted: in the store for all replicas, in the memory of a process while that is out of reach.

use super::local::{LocalBuckets, Outage};
use super::step::{Known, Step, Taken};
use super::store::{ChangeBuckets, Changed, change_buckets};
use super::{Bucket, BucketKey};
use crate::error::StoreError;
use crate::services::Ports;
use crate::together::Together;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where an attempt was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the store, for all replicas.
    Fleet,
    /// In memory.
    Process,
}

#[derive(Debug)]
pub(super) struct Ledger {
    ports: Arc<Ports>,
    local: LocalBuckets,
    outage: Outage,
    steps: Together<Step, Taken>,
}

impl Ledger {
    pub(super) fn new(ports: Arc<Ports>) -> Self {
        let steps = Together::new("attempts", |_, _| true);
        Self { ports, local: LocalBuckets::default(), outage: Outage::default(), steps }
    }

    /// Takes the step where the buckets are. Fails if the store has just become unable to: nothing is counted twice
    /// then by those who overload it. In an outage memory takes over, with what the store was last seen to hold:
    /// guessing must be neither unlimited then nor impossible.
    pub(super) async fn take(self: &Arc<Self>, place: Place, step: &Step) -> Result<(Place, Taken), StoreError> {
        if place == Place::Fleet {
            // Boxed: whoever never goes there, or is back, keeps no place for it.
            match Box::pin(self.take_in_store(step)).await {
                Ok(taken) => return Ok((Place::Fleet, taken)),
                Err(error) if !self.outage.is_lasting(self.ports.clock.monotonic()) => return Err(error),
                Err(error) => tracing::debug!(%error, "counting attempts in memory"),
            }
        }
        let keys: Vec<_> = step.keys().collect();
        let taken = self.local.change(&keys, self.ports.store_time(), |buckets| step.take(&keys, buckets));
        Ok((Place::Process, taken))
    }

    /// With all others that come at the same time.
    async fn take_in_store(self: &Arc<Self>, step: &Step) -> Result<Taken, StoreError> {
        let depart = |steps: Vec<Step>| {
            let ledger = Arc::clone(self);
            Box::pin(async move { Ok(ledger.take_all(&steps).await?.into_iter().map(Some).collect()) }) as _
        };
        if let Some(taken) = self.steps.write(step.clone(), &depart).await? {
            return Ok(taken);
        }
        let mut alone = self.take_all(&[Step { known: Known::Ask, ..step.clone() }]).await?;
        alone.pop().ok_or(StoreError::Unexpected { context: "attempts", source: None })
    }

    /// One after the other, and written at once.
    async fn take_all(&self, steps: &[Step]) -> Result<Vec<Taken>, StoreError> {
        let keys: Vec<_> = steps.iter().flat_map(Step::keys).collect::<BTreeSet<_>>().into_iter().collect();
        let may_guess = steps.iter().all(|step| step.known == Known::Guess);
        let guess = if may_guess { self.local.find(&keys) } else { None };
        let mut taken = Vec::new();
        let take_each =
            &mut |buckets: &mut [Bucket]| taken = steps.iter().map(|step| step.take(&keys, buckets)).collect();
        match change_buckets(&*self.ports.store, &keys, guess, take_each).await? {
            Changed::To(seen) => {
                self.outage.over();
                self.local.remember(&keys, seen, self.ports.store_time());
            }
            // A store that can be read and not written has not counted what memory has meanwhile.
            Changed::Not(_) if self.outage.is_noted() => {}
            Changed::Not(seen) => self.local.remember(&keys, seen, self.ports.store_time()),
        }
        Ok(taken)
    }

    /// Changes what the store holds, whatever this process remembers of it.
    pub(super) async fn change(&self, key: BucketKey, change: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        let store = &*self.ports.store;
        match change_buckets(store, &[key], None, change).await {
            Err(StoreError::Contention) => change_buckets(store, &[key], None, change).await,
            outcome => outcome,
        }
        .map(drop)
    }
}
