//! Who is let in to try.

use super::charge::{Account, Charge, ThrottleSettings};
use super::local::{LocalBuckets, Outage, Refusals};
use super::store::{ChangeBuckets, Changed, change_buckets};
use super::{Bucket, BucketKey, Judged, Limited, Rule, Standing, Throttled};
use crate::audit::{AuditEvent, AuditKind};
use crate::clock::Timestamp;
use crate::context::RequestContext;
use crate::error::StoreError;
use crate::id::UserId;
use crate::services::Ports;
use crate::user::Email;
use std::pin::Pin;
use std::sync::Arc;

/// Where an attempt was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the store, for all replicas.
    Fleet,
    /// In memory.
    Process,
}

/// How it is known what the store holds before it is changed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// For whoever begins: a guess would tell by its time whether somebody has tried before.
    Ask,
    /// From what this process has seen last, and only if that is wrong it is asked.
    Guess,
}

/// What charging came to.
#[derive(Debug)]
enum Decision {
    /// With what is left of the budget that is shown.
    Admitted(Option<Standing>),
    /// By which bucket.
    Refused(BucketKey, Standing),
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
    /// future is dropped the charge stays. The work is pinned where it is made: taken by value it would be kept twice.
    pub(crate) async fn guard<T, E: Judged>(
        &self,
        place: Place,
        mut charges: Vec<Charge>,
        context: &RequestContext,
        work: Pin<&mut impl Future<Output = Result<T, E>>>,
    ) -> Limited<T, E> {
        if !self.settings.enabled || charges.is_empty() {
            return Limited { outcome: work.await, standing: None };
        }
        let shown = charges.first().map(|charge| charge.key);
        charges.sort_unstable_by_key(|charge| charge.key);
        let began = self.ports.store_time();
        let (place, left) = match self.charge(place, &charges, shown, began, context).await {
            Ok((place, Decision::Admitted(standing))) => (place, standing),
            Ok((_, Decision::Refused(_, standing))) => {
                tracing::info!(policy = standing.policy, "too many attempts");
                let throttled = Throttled { retry_after: standing.reset };
                return Limited { outcome: Err(throttled.into()), standing: Some(standing) };
            }
            Err(error) => return Limited { outcome: Err(error.into()), standing: None },
        };
        let outcome = work.await;
        let verdict = match &outcome {
            Ok(_) => Rule::succeed,
            Err(error) if error.is_failure() => Rule::fail,
            Err(_) => Rule::withdraw,
        };
        let is_kept = outcome.as_ref().err().is_none_or(Judged::is_failure);
        let standing = if is_kept && charges.iter().all(|charge| charge.rule.is_kept()) {
            // What both outcomes cost alike is told alike: the time of a settlement would show in the standing.
            left
        } else {
            let verdict = |rule: &Rule, bucket: &mut Bucket, now| verdict(rule, bucket, began, now);
            self.settle(place, &charges, shown, verdict, context).await.or(left)
        };
        Limited { outcome, standing }
    }

    async fn charge(
        &self,
        place: Place,
        charges: &[Charge],
        shown: Option<BucketKey>,
        now: Timestamp,
        context: &RequestContext,
    ) -> Result<(Place, Decision), StoreError> {
        if let Some((key, standing)) = self.refusals.find(keys(charges), self.ports.clock.monotonic()) {
            return Ok((place, Decision::Refused(key, standing)));
        }
        let (mut decision, mut closed) = (Decision::Admitted(None), Vec::new());
        let place = self
            .change(place, charges, Known::Ask, &mut |buckets| {
                decision = decide(charges, buckets, shown, now);
                // A client that hung up settles nothing, and nobody told of what its attempt has closed.
                closed = report(charges, buckets, now);
                matches!(decision, Decision::Admitted(_)) || !closed.is_empty()
            })
            .await?;
        if let (Place::Fleet, Decision::Refused(key, standing)) = (place, &decision) {
            self.refusals.remember(*key, *standing, self.ports.clock.monotonic());
        }
        self.record_closing(charges, &closed, context).await;
        Ok((place, decision))
    }

    /// If it fails the charge stays.
    async fn settle(
        &self,
        place: Place,
        charges: &[Charge],
        shown: Option<BucketKey>,
        verdict: impl Fn(&Rule, &mut Bucket, Timestamp) + Send + Sync,
        context: &RequestContext,
    ) -> Option<Standing> {
        let now = self.ports.store_time();
        let (mut standing, mut closed) = (None, Vec::new());
        let mut apply = |buckets: &mut [Bucket]| {
            for (charge, bucket) in charges.iter().zip(&mut *buckets) {
                verdict(&charge.rule, bucket, now);
                if shown == Some(charge.key) {
                    standing = Some(charge.rule.standing(charge.policy, bucket, now));
                }
            }
            closed = report(charges, buckets, now);
            true
        };
        // Once more: what keeps the store busy for a second must not close a bucket for an hour.
        let settled = match self.change(place, charges, Known::Guess, &mut apply).await {
            Err(StoreError::Unavailable { .. }) => self.change(place, charges, Known::Ask, &mut apply).await,
            settled => settled,
        };
        self.refusals.forget(keys(charges));
        settled.ok()?;
        self.record_closing(charges, &closed, context).await;
        standing
    }

    /// Changes the buckets where they are. Fails if the store has just become unable to: nothing is counted twice then
    /// by those who overload it. In an outage memory takes over, with what the store was last seen to hold: guessing
    /// must be neither unlimited then nor impossible.
    async fn change(
        &self,
        place: Place,
        charges: &[Charge],
        known: Known,
        change: &mut ChangeBuckets<'_>,
    ) -> Result<Place, StoreError> {
        let keys: Vec<_> = keys(charges).collect();
        if place == Place::Fleet {
            let guess = if known == Known::Guess { self.local.find(&keys) } else { None };
            match self.change_in_store(&keys, guess, change).await {
                Ok(Changed::To(seen)) => {
                    self.outage.over();
                    self.local.remember(&keys, seen, self.ports.store_time());
                    return Ok(Place::Fleet);
                }
                Ok(Changed::Not(seen)) => {
                    // A store that can be read and not written has not counted what memory has meanwhile.
                    if !self.outage.is_noted() {
                        self.local.remember(&keys, seen, self.ports.store_time());
                    }
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
        guess: Option<Vec<Bucket>>,
        change: &mut ChangeBuckets<'_>,
    ) -> Result<Changed, StoreError> {
        let store = &*self.ports.store;
        match change_buckets(store, keys, guess, change).await {
            Err(StoreError::Contention) => change_buckets(store, keys, None, change).await,
            outcome => outcome,
        }
    }

    /// Forgets what was counted against strangers at an account.
    pub(crate) async fn reopen(&self, email: &Email) -> Result<(), StoreError> {
        let forget = &mut |buckets: &mut [Bucket]| {
            buckets.fill(Bucket::default());
            true
        };
        self.change_in_store(&[self.account(email)], None, forget).await.map(drop)
    }

    /// Not for each attempt that is refused: an attacker must not write the trail full.
    async fn record_closing(&self, charges: &[Charge], closed: &[BucketKey], context: &RequestContext) {
        for Charge { policy, account, .. } in charges.iter().filter(|charge| closed.contains(&charge.key)) {
            let recorded = async {
                let event = AuditEvent::anonymous(AuditKind::ThrottleClosed, context).because(policy);
                self.ports.record(event.about(self.subject(account.as_ref()).await?)).await
            };
            if let Err(error) = recorded.await {
                tracing::warn!(%error, policy, "too many failures, and the audit trail cannot be written");
            }
        }
    }

    /// Asked of the store whether the account exists or not, as the login itself asks.
    async fn subject(&self, account: Option<&Account>) -> Result<Option<UserId>, StoreError> {
        match account {
            Some(Account::Claimed(email)) => Ok(self.ports.store.user_by_email(email).await?.map(|user| user.id)),
            Some(Account::Known(user)) => Ok(Some(*user)),
            None => Ok(None),
        }
    }
}

fn keys(charges: &[Charge]) -> impl Iterator<Item = BucketKey> {
    charges.iter().map(|charge| charge.key)
}

/// All buckets are charged, or none.
fn decide(charges: &[Charge], buckets: &mut [Bucket], shown: Option<BucketKey>, now: Timestamp) -> Decision {
    let refusals = charges.iter().zip(&*buckets).filter_map(|(charge, bucket)| {
        let wait = charge.rule.refuses(bucket, now)?;
        Some((charge.key, Standing { remaining: 0, reset: wait, ..charge.rule.standing(charge.policy, bucket, now) }))
    });
    if let Some((key, standing)) = refusals.max_by_key(|(_, standing)| standing.reset) {
        return Decision::Refused(key, standing);
    }
    let mut left = None;
    for (charge, bucket) in charges.iter().zip(buckets) {
        charge.rule.charge(bucket, now);
        if shown == Some(charge.key) {
            left = Some(charge.rule.standing(charge.policy, bucket, now));
        }
    }
    Decision::Admitted(left)
}

/// Which buckets are closed, by failures alone, without the trail telling so.
fn report(charges: &[Charge], buckets: &mut [Bucket], now: Timestamp) -> Vec<BucketKey> {
    let unreported = charges
        .iter()
        .zip(buckets)
        .filter(|(charge, bucket)| !bucket.is_reported && charge.rule.has_closed(bucket, now));
    unreported
        .map(|(charge, bucket)| {
            bucket.is_reported = true;
            charge.key
        })
        .collect()
}
