//! Who is let in to try.

use super::charge::{Charge, ThrottleSettings};
use super::local::{LocalBuckets, Outage, Refusals};
use super::{Bucket, BucketKey, Judged, Limited, Rule, Standing, Throttled};
use crate::audit::{AuditEvent, AuditKind};
use crate::clock::Timestamp;
use crate::context::RequestContext;
use crate::error::StoreError;
use crate::services::Ports;
use crate::user::Email;
use std::sync::Arc;

/// Where an attempt was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the store, for all replicas.
    Fleet,
    /// In memory.
    Process,
}

/// Why an attempt was not charged.
#[derive(Debug)]
enum Refusal {
    Throttled(Standing),
    /// The store did not answer.
    Uncounted(StoreError),
}

/// What charging came to.
#[derive(Debug)]
struct Admission {
    standing: Option<Standing>,
    /// The policies that this attempt used up, should it fail.
    closes: Vec<&'static str>,
}

#[derive(Debug, Clone)]
pub struct Throttle {
    pub(super) ports: Arc<Ports>,
    pub(super) settings: ThrottleSettings,
    local: Arc<LocalBuckets>,
    refusals: Arc<Refusals>,
    outage: Arc<Outage>,
}

impl Throttle {
    pub fn new(ports: Arc<Ports>, settings: ThrottleSettings) -> Self {
        Self { ports, settings, local: Arc::default(), refusals: Arc::default(), outage: Arc::default() }
    }

    /// Does the work if every bucket admits one more attempt, and settles the charge by what comes of it. If the
    /// future is dropped the charge stays.
    pub(crate) async fn guard<T, E: Judged>(
        &self,
        place: Place,
        mut charges: Vec<Charge>,
        context: &RequestContext,
        work: impl Future<Output = Result<T, E>>,
    ) -> Limited<T, E> {
        if !self.settings.enabled || charges.is_empty() {
            return Limited { outcome: work.await, standing: None };
        }
        let shown = charges.first().map(|charge| charge.key);
        charges.sort_unstable_by_key(|charge| charge.key);
        let (place, admission) = match self.charge(place, &charges, shown).await {
            Ok(admitted) => admitted,
            Err(Refusal::Throttled(standing)) => {
                tracing::info!(policy = standing.policy, "too many attempts");
                let throttled = Throttled { retry_after: standing.reset };
                return Limited { outcome: Err(throttled.into()), standing: Some(standing) };
            }
            Err(Refusal::Uncounted(error)) => return Limited { outcome: Err(error.into()), standing: None },
        };
        // Before the work, which ends with the client's patience.
        self.record_closing(&admission.closes, context).await;
        let outcome = work.await;
        let standing = match &outcome {
            Err(error) if error.is_failure() => admission.standing,
            // What both outcomes cost alike is told alike: the time of a settlement would show in the standing.
            Ok(_) if charges.iter().all(|charge| charge.rule.is_kept()) => admission.standing,
            Ok(_) => self.settle(place, &charges, shown, Rule::succeed).await.or(admission.standing),
            Err(_) => self.settle(place, &charges, shown, Rule::withdraw).await.or(admission.standing),
        };
        Limited { outcome, standing }
    }

    async fn charge(
        &self,
        place: Place,
        charges: &[Charge],
        shown: Option<BucketKey>,
    ) -> Result<(Place, Admission), Refusal> {
        let keys = charges.iter().map(|charge| charge.key);
        if let Some(standing) = self.refusals.find(keys, self.ports.clock.monotonic()) {
            return Err(Refusal::Throttled(standing));
        }
        let now = self.ports.store_time();
        let mut decision = Ok(Admission { standing: None, closes: Vec::new() });
        let place = self
            .change(place, charges, &mut |buckets| {
                decision = decide(charges, buckets, shown, now);
                decision.is_ok()
            })
            .await
            .map_err(Refusal::Uncounted)?;
        match decision {
            Ok(admission) => Ok((place, admission)),
            Err((key, standing)) => {
                if place == Place::Fleet {
                    self.refusals.remember(key, standing, self.ports.clock.monotonic());
                }
                Err(Refusal::Throttled(standing))
            }
        }
    }

    /// If it fails the charge stays.
    async fn settle(
        &self,
        place: Place,
        charges: &[Charge],
        shown: Option<BucketKey>,
        verdict: fn(&Rule, &mut Bucket, Timestamp),
    ) -> Option<Standing> {
        let now = self.ports.store_time();
        let mut standing = None;
        let mut apply = |buckets: &mut [Bucket]| {
            for (charge, bucket) in charges.iter().zip(buckets) {
                verdict(&charge.rule, bucket, now);
                if shown == Some(charge.key) {
                    standing = Some(charge.rule.standing(charge.policy, bucket, now));
                }
            }
            true
        };
        self.change(place, charges, &mut apply).await.ok().and(standing)
    }

    /// Changes the buckets where they are. Fails if the store has just become unable to: nothing is counted twice then
    /// by those who overload it. In an outage memory takes over, with what the store was last seen to hold: guessing
    /// must be neither unlimited then nor impossible.
    async fn change(
        &self,
        place: Place,
        charges: &[Charge],
        change: &mut (dyn FnMut(&mut [Bucket]) -> bool + Send + '_),
    ) -> Result<Place, StoreError> {
        let keys: Vec<_> = charges.iter().map(|charge| charge.key).collect();
        if place == Place::Fleet {
            let mut seen = Vec::new();
            let mut change_and_look = |buckets: &mut [Bucket]| {
                let keep = change(buckets);
                seen = buckets.to_vec();
                keep
            };
            match self.change_in_store(&keys, &mut change_and_look).await {
                Ok(()) => {
                    self.outage.over();
                    self.local.remember(&keys, seen, self.ports.store_time());
                    return Ok(Place::Fleet);
                }
                Err(error) if !self.outage.is_lasting(self.ports.clock.monotonic()) => return Err(error),
                Err(error) => tracing::debug!(%error, "counting attempts in memory"),
            }
        }
        self.local.change(&keys, self.ports.store_time(), change);
        Ok(Place::Process)
    }

    async fn change_in_store(
        &self,
        keys: &[BucketKey],
        change: &mut (dyn FnMut(&mut [Bucket]) -> bool + Send + '_),
    ) -> Result<(), StoreError> {
        match self.ports.store.change_buckets(keys, change).await {
            Err(StoreError::Contention) => self.ports.store.change_buckets(keys, change).await,
            outcome => outcome,
        }
    }

    /// Forgets what was counted against strangers at an account.
    pub(crate) async fn reopen(&self, email: &Email) -> Result<(), StoreError> {
        let forget = &mut |buckets: &mut [Bucket]| {
            buckets.fill(Bucket::default());
            true
        };
        self.change_in_store(&[self.account(email)], forget).await
    }

    /// Not for each attempt that is refused: an attacker must not write the trail full.
    async fn record_closing(&self, policies: &[&'static str], context: &RequestContext) {
        for policy in policies {
            let event = AuditEvent::anonymous(AuditKind::ThrottleClosed, context).because(policy);
            if let Err(error) = self.ports.record(&event).await {
                tracing::warn!(%error, policy, "too many failures, and the audit trail cannot be written");
            }
        }
    }
}

/// All buckets are charged, or none.
fn decide(
    charges: &[Charge],
    buckets: &mut [Bucket],
    shown: Option<BucketKey>,
    now: Timestamp,
) -> Result<Admission, (BucketKey, Standing)> {
    let refusals = charges.iter().zip(&*buckets).filter_map(|(charge, bucket)| {
        let wait = charge.rule.refuses(bucket, now)?;
        Some((charge.key, Standing { remaining: 0, reset: wait, ..charge.rule.standing(charge.policy, bucket, now) }))
    });
    if let Some(refusal) = refusals.max_by_key(|(_, standing)| standing.reset) {
        return Err(refusal);
    }
    let mut admission = Admission { standing: None, closes: Vec::new() };
    for (charge, bucket) in charges.iter().zip(buckets) {
        charge.rule.charge(bucket, now);
        if charge.rule.has_closed(bucket, now) {
            admission.closes.push(charge.policy);
        }
        if shown == Some(charge.key) {
            admission.standing = Some(charge.rule.standing(charge.policy, bucket, now));
        }
    }
    Ok(admission)
}
