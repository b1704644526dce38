//! Where attempts are counted: in the store for all replicas, in the memory of a process while that is out of reach.

use super::local::{LocalBuckets, Outage, Refusals};
use super::step::{Act, Decision, Known, Step, Taken};
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
    refusals: Refusals,
    outage: Outage,
    steps: Together<Step, Result<Taken, StoreError>>,
}

impl Ledger {
    pub(super) fn new(ports: Arc<Ports>) -> Self {
        let steps = Together::new("attempts", |_, _| true);
        Self { ports, local: LocalBuckets::default(), refusals: Refusals::default(), outage: Outage::default(), steps }
    }

    /// Fails if the store has just become unable to: nothing is counted twice then by those who overload it. In an
    /// outage memory takes over, with what the store was last seen to hold: guessing must be neither unlimited then nor
    /// impossible.
    pub(super) async fn take(self: &Arc<Self>, place: Place, step: &Step) -> Result<(Place, Taken), StoreError> {
        if matches!(step.act, Act::Charge)
            && let Some((key, standing)) = self.refusals.find(step.keys(), self.ports.clock.monotonic())
        {
            return Ok((place, Taken::refusal(key, standing)));
        }
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
            return taken;
        }
        // What was guessed may be why.
        let mut alone = self.take_all(&[Step { known: Known::Ask, ..step.clone() }]).await?;
        alone.pop().unwrap_or(Err(StoreError::Unexpected { context: "attempts", source: None }))
    }

    /// One after the other, and written at once; what became of each.
    async fn take_all(&self, steps: &[Step]) -> Result<Vec<Result<Taken, StoreError>>, StoreError> {
        let keys: Vec<_> = steps.iter().flat_map(Step::keys).collect::<BTreeSet<_>>().into_iter().collect();
        let may_guess = steps.iter().all(|step| step.known == Known::Guess);
        let guess = if may_guess { self.local.find(&keys) } else { None };
        let (mut found, mut taken) = (Vec::new(), Vec::new());
        let take_each = &mut |buckets: &mut [Bucket]| {
            found = buckets.to_vec();
            taken = steps.iter().map(|step| step.take(&keys, buckets)).collect();
        };
        let changed = change_buckets(&*self.ports.store, &keys, guess, take_each).await;
        let now = self.ports.store_time();
        let unwritten = match changed {
            Ok(Changed::To(seen)) => {
                self.outage.over();
                self.local.remember(&keys, seen, now);
                None
            }
            Ok(Changed::Not(seen)) => {
                // A store that can be read and not written has not counted what memory has meanwhile.
                if !self.outage.is_noted() {
                    self.local.remember(&keys, seen, now);
                }
                None
            }
            Err(error) => {
                // In case that memory has to take over.
                self.local.learn(&keys, found, now);
                let is_any_refused = taken.iter().any(Taken::changes_nothing);
                if !(is_any_refused && matches!(error, StoreError::Unavailable { .. })) {
                    return Err(error);
                }
                Some(error)
            }
        };
        let taken = steps.iter().zip(taken).map(|(step, taken)| self.look_back(step, taken, unwritten.as_ref()));
        Ok(taken.collect())
    }

    /// What is told of a step, in its turn. Who is refused needs nothing written, and is told so also if the others
    /// cannot be.
    fn look_back(&self, step: &Step, taken: Taken, unwritten: Option<&StoreError>) -> Result<Taken, StoreError> {
        match (&step.act, &taken.decision) {
            (Act::Charge, Decision::Refused(key, standing)) => {
                self.refusals.remember(*key, *standing, self.ports.clock.monotonic());
            }
            (Act::Charge, Decision::Admitted(_)) => {}
            (Act::Settle(..), _) => self.refusals.forget(step.keys()),
        }
        match unwritten {
            Some(error) if !taken.changes_nothing() => {
                tracing::warn!(%error, "an attempt cannot be counted");
                Err(StoreError::Unavailable { context: "attempts", source: None })
            }
            _ => Ok(taken),
        }
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
