//! Where attempts are counted: in the store for all replicas, in the memory of a process while that is out of reach.

use super::local::{LocalBuckets, Outage, Refusals};
use super::step::{Act, Decision, Known, Step, Taken};
use super::store::{ChangeBuckets, Changed, change_buckets};
use super::{Bucket, BucketKey};
use crate::error::StoreError;
use crate::services::Ports;
use crate::together::Together;
use std::collections::BTreeSet;
use std::slice;
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
    refusals: Refusals,
    outage: Outage,
    steps: Together<Step, Taken>,
}

impl Ledger {
    pub(super) fn new(ports: Arc<Ports>) -> Self {
        let steps = Together::new("attempts", |_, _| true);
        Self { ports, local: LocalBuckets::default(), refusals: Refusals::default(), outage: Outage::default(), steps }
    }

    /// Takes the step where its buckets are, and tells where that was. Fails if the store has just become unable to:
    /// nothing is counted twice then by those who overload it. In an outage memory takes over, with what the store was
    /// last seen to hold: guessing must be neither unlimited then nor impossible.
    pub(super) async fn take(self: &Arc<Self>, place: Place, step: &Step) -> Result<(Place, Taken), StoreError> {
        if let Some(refusal) = self.refusal(step) {
            return Ok((place, refusal));
        }
        if place == Place::Fleet {
            // Boxed: whoever never goes there, or is back, keeps no place for it.
            match Box::pin(self.take_in_store(step)).await {
                Ok(taken) => return Ok((Place::Fleet, taken)),
                Err(error) => {
                    let is_lasting = self.outage.is_lasting(self.ports.clock.monotonic());
                    if let Some(refusal) = self.refusal(step) {
                        return Ok((Place::Fleet, refusal));
                    }
                    if !is_lasting {
                        return Err(error);
                    }
                    tracing::debug!(%error, "counting attempts in memory");
                }
            }
        }
        let keys: Vec<_> = step.keys().collect();
        let taken = self.local.change(&keys, self.ports.store_time(), |buckets| step.take(&keys, buckets));
        Ok((Place::Process, taken))
    }

    /// By what the store held a moment ago.
    fn refusal(&self, step: &Step) -> Option<Taken> {
        if !matches!(step.act, Act::Charge) {
            return None;
        }
        let (key, standing) = self.refusals.find(step.keys(), self.ports.clock.monotonic())?;
        Some(Taken { decision: Decision::Refused(key, standing), closed: Vec::new() })
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
        let mut alone = self.take_all(slice::from_ref(step)).await?;
        alone.pop().ok_or(StoreError::Unexpected { context: "attempts", source: None })
    }

    /// One after the other, and written at once; what became of each.
    async fn take_all(&self, steps: &[Step]) -> Result<Vec<Taken>, StoreError> {
        let keys: Vec<_> = steps.iter().flat_map(Step::keys).collect::<BTreeSet<_>>().into_iter().collect();
        let may_guess = steps.iter().all(|step| step.known == Known::Guess);
        let guess = if may_guess { self.local.find(&keys) } else { None };
        let (mut found, mut taken) = (Vec::new(), Vec::new());
        let take_each = &mut |buckets: &mut [Bucket]| {
            found = buckets.to_vec();
            taken = steps.iter().map(|step| step.take(&keys, buckets)).collect();
        };
        match change_buckets(&*self.ports.store, &keys, guess, take_each).await {
            Ok(Changed::To(seen)) => {
                self.outage.over();
                self.local.remember(&keys, seen, self.ports.store_time());
            }
            Ok(Changed::Not(seen)) => self.see(&keys, seen),
            Err(error) => {
                // Who is refused by what was read needs nothing written: whatever became of the others, it counts.
                for step in steps.iter().filter(|step| matches!(step.act, Act::Charge)) {
                    self.conclude(step, &step.take(&keys, &mut found.clone()));
                }
                self.see(&keys, found);
                return Err(error);
            }
        }
        for (step, taken) in steps.iter().zip(&taken) {
            self.conclude(step, taken);
        }
        Ok(taken)
    }

    /// What the store held, which was not changed.
    fn see(&self, keys: &[BucketKey], seen: Vec<Bucket>) {
        // A store that can be read and not written has not counted what memory has meanwhile.
        if self.outage.is_noted() {
            self.local.learn(keys, seen, self.ports.store_time());
        } else {
            self.local.remember(keys, seen, self.ports.store_time());
        }
    }

    /// Remembers whom the store refused, until an attempt is through that may have kept others out.
    fn conclude(&self, step: &Step, taken: &Taken) {
        match (&step.act, &taken.decision) {
            (Act::Charge, Decision::Refused(key, standing)) => {
                self.refusals.remember(*key, *standing, self.ports.clock.monotonic());
            }
            (Act::Charge, Decision::Admitted(_)) => {}
            (Act::Settle(..), _) => self.refusals.forget(step.keys()),
        }
    }

    /// Changes what the store holds, whatever this process remembers of it.
    pub(super) async fn change(&self, key: BucketKey, change: &mut ChangeBuckets<'_>) -> Result<(), StoreError> {
        let store = &*self.ports.store;
        let changed = match change_buckets(store, &[key], None, change).await {
            Err(StoreError::Contention) => change_buckets(store, &[key], None, change).await,
            changed => changed,
        };
        let (Changed::To(seen) | Changed::Not(seen)) = changed?;
        self.local.remember(&[key], seen, self.ports.store_time());
        self.refusals.forget([key].into_iter());
        Ok(())
    }
}
