//! Who is let in to try.

use super::local::{LocalBuckets, Refusals};
use super::{Bucket, BucketKey, Budget, Judged, Limited, Lockout, Network, Rule, Spread, Standing, Throttled};
use crate::audit::{AuditEvent, AuditKind};
use crate::clock::Timestamp;
use crate::context::RequestContext;
use crate::error::StoreError;
use crate::id::UserId;
use crate::services::Ports;
use crate::session::DeviceTokenHash;
use crate::user::Email;
use std::sync::Arc;
use std::time::Duration;

/// What an operator decides.
#[derive(Debug, Clone, Copy)]
pub struct ThrottleSettings {
    pub enabled: bool,
    /// Failed logins and wrong current passwords from one address.
    pub login: Budget,
    /// Accounts that one address may fail at in an hour.
    pub spread: Spread,
    /// Failures at one account.
    pub account: Lockout,
    /// Failures of one known device at its account.
    pub device: Budget,
    /// Registrations from one address.
    pub registration: Budget,
    /// Answers to one address that an address is taken.
    pub taken: Budget,
    /// Failed refreshes from one address; counted by each process for itself.
    pub refresh: Budget,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            login: Budget::new(10, Duration::from_secs(3)),
            spread: Spread { most: 15 },
            account: Lockout { free: 3, most: 100 },
            device: Budget::new(5, Duration::from_mins(3)),
            registration: Budget::new(60, Duration::from_mins(1)),
            taken: Budget::new(5, Duration::from_mins(12)),
            refresh: Budget::new(30, Duration::from_secs(1)),
        }
    }
}

/// What one attempt costs one bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Charge {
    policy: &'static str,
    key: BucketKey,
    rule: Rule,
}

/// Where an attempt was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the store, for all replicas.
    Fleet,
    /// In memory.
    Process,
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
    ports: Arc<Ports>,
    settings: ThrottleSettings,
    local: Arc<LocalBuckets>,
    refusals: Arc<Refusals>,
}

impl Throttle {
    pub fn new(ports: Arc<Ports>, settings: ThrottleSettings) -> Self {
        Self { ports, settings, local: Arc::default(), refusals: Arc::default() }
    }

    /// A known device answers for itself alone, so that nobody can lock its owner out by guessing (CVE-2024-1722);
    /// everybody else shares what the address and the account have left. An account is what its canonical address
    /// says, whether it exists or not (CVE-2025-6004).
    pub(crate) fn login(
        &self,
        email: &Email,
        device: Option<&DeviceTokenHash>,
        context: &RequestContext,
    ) -> Vec<Charge> {
        if let Some(device) = device {
            let key = self.key("device", device.as_bytes());
            return vec![Charge { policy: "device", key, rule: Rule::Failures(self.settings.device) }];
        }
        let account = self.key("account", email.canonical().as_bytes());
        let mut charges = self.address(context, "login", Rule::Failures(self.settings.login));
        charges.extend(self.address(context, "accounts", Rule::Accounts(self.settings.spread, account)));
        charges.push(Charge { policy: "account", key: account, rule: Rule::InARow(self.settings.account) });
        charges
    }

    /// Whoever has somebody's session may guess their password no faster than a stranger, and without locking
    /// strangers out.
    pub(crate) fn change_of_password(&self, user: UserId, context: &RequestContext) -> Vec<Charge> {
        let key = self.key("current password", user.as_uuid().as_bytes());
        let mut charges = self.address(context, "login", Rule::Failures(self.settings.login));
        charges.push(Charge { policy: "account", key, rule: Rule::InARow(self.settings.account) });
        charges
    }

    /// Where the answer tells whether an address is taken, that has a budget of its own.
    pub(crate) fn registration(&self, tells: bool, context: &RequestContext) -> Vec<Charge> {
        let mut charges = self.address(context, "registration", Rule::Attempts(self.settings.registration));
        if tells {
            charges.extend(self.address(context, "taken", Rule::Failures(self.settings.taken)));
        }
        charges
    }

    pub(crate) fn refresh(&self, context: &RequestContext) -> Vec<Charge> {
        self.address(context, "refresh", Rule::Failures(self.settings.refresh))
    }

    /// Nothing for whoever has no address: the command line.
    fn address(&self, context: &RequestContext, policy: &'static str, rule: Rule) -> Vec<Charge> {
        let network = context.ip.map(Network::of);
        network.map(|network| Charge { policy, key: self.key(policy, &network.octets()), rule }).into_iter().collect()
    }

    fn key(&self, purpose: &'static str, data: &[u8]) -> BucketKey {
        BucketKey::new(&*self.ports.keyed_hash, purpose, data)
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
            Err((throttled, standing)) => {
                tracing::info!(policy = standing.policy, "too many attempts");
                return Limited { outcome: Err(throttled.into()), standing: Some(standing) };
            }
        };
        let outcome = work.await;
        let standing = match &outcome {
            Err(error) if error.is_failure() => {
                self.record_closing(&admission.closes, context).await;
                admission.standing
            }
            Ok(_) => self.settle(place, &charges, shown, Rule::succeed).await,
            Err(_) => self.settle(place, &charges, shown, Rule::withdraw).await,
        };
        Limited { outcome, standing }
    }

    async fn charge(
        &self,
        place: Place,
        charges: &[Charge],
        shown: Option<BucketKey>,
    ) -> Result<(Place, Admission), (Throttled, Standing)> {
        if let Some(refusal) = self.refusals.find(charges.iter().map(|charge| charge.key), self.ports.clock.monotonic())
        {
            return Err(refusal);
        }
        let now = self.ports.clock.now();
        let mut decision = Ok(Admission { standing: None, closes: Vec::new() });
        let place = self
            .change(place, charges, &mut |buckets| {
                decision = decide(charges, buckets, shown, now);
                decision.is_ok()
            })
            .await;
        match decision {
            Ok(admission) => Ok((place, admission)),
            Err((key, standing)) => {
                let refusal = (Throttled { retry_after: standing.reset }, standing);
                if place == Place::Fleet {
                    self.refusals.remember(key, standing, self.ports.clock.monotonic());
                }
                Err(refusal)
            }
        }
    }

    async fn settle(
        &self,
        place: Place,
        charges: &[Charge],
        shown: Option<BucketKey>,
        verdict: fn(&Rule, &mut Bucket, Timestamp),
    ) -> Option<Standing> {
        let now = self.ports.clock.now();
        let mut standing = None;
        self.change(place, charges, &mut |buckets| {
            for (charge, bucket) in charges.iter().zip(buckets) {
                verdict(&charge.rule, bucket, now);
                if shown == Some(charge.key) {
                    standing = Some(charge.rule.standing(charge.policy, bucket, now));
                }
            }
            true
        })
        .await;
        standing
    }

    /// Changes the buckets where they are; in memory, if the store does not answer: guessing must be neither unlimited
    /// then nor impossible. What the store was seen to hold is remembered, so that nobody gets a second budget by
    /// overloading it.
    async fn change(
        &self,
        place: Place,
        charges: &[Charge],
        change: &mut (dyn FnMut(&mut [Bucket]) -> bool + Send + '_),
    ) -> Place {
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
                    self.local.remember(&keys, seen, self.ports.clock.now());
                    return Place::Fleet;
                }
                Err(error) => tracing::debug!(%error, "counting attempts in memory"),
            }
        }
        self.local.change(&keys, self.ports.clock.now(), change);
        Place::Process
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
