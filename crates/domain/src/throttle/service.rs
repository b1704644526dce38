//! Who is let in to try.

use super::charge::{Account, Charge, ThrottleSettings};
use super::ledger::{Ledger, Place};
use super::step::{Act, Decision, Known, Step, Taken, Verdict};
use super::{Bucket, BucketKey, Judged, Limited, Rule, Standing, Throttled};
use crate::audit::{AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::error::StoreError;
use crate::id::UserId;
use crate::services::Ports;
use crate::user::Email;
use std::pin::Pin;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Throttle {
    pub(super) ports: Arc<Ports>,
    pub(super) settings: ThrottleSettings,
    ledger: Arc<Ledger>,
}

impl Throttle {
    pub fn new(ports: Arc<Ports>, settings: ThrottleSettings) -> Self {
        let ledger = Arc::new(Ledger::new(Arc::clone(&ports)));
        Self { ports, settings, ledger }
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
        let (began, known) = (self.ports.store_time(), Known::Ask);
        let mut step = Step { charges: charges.into(), shown, began, act: Act::Charge, known };
        let (place, left) = match self.charge(place, &step, context).await {
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
        let standing = if is_kept && step.charges.iter().all(|charge| charge.rule.is_kept()) {
            // What both outcomes cost alike is told alike: the time of a settlement would show in the standing.
            left
        } else {
            self.settle(place, &mut step, verdict, context).await.or(left)
        };
        Limited { outcome, standing }
    }

    async fn charge(
        &self,
        place: Place,
        step: &Step,
        context: &RequestContext,
    ) -> Result<(Place, Decision), StoreError> {
        let (place, Taken { decision, closed }) = self.ledger.take(place, step).await?;
        self.record_closing(&step.charges, &closed, context).await;
        Ok((place, decision))
    }

    /// If it fails the charge stays.
    async fn settle(
        &self,
        place: Place,
        step: &mut Step,
        verdict: Verdict,
        context: &RequestContext,
    ) -> Option<Standing> {
        step.act = Act::Settle(verdict, self.ports.store_time());
        step.known = Known::Guess;
        let mut settled = self.ledger.take(place, step).await;
        if matches!(settled, Err(StoreError::Unavailable { .. })) {
            // Once more: what keeps the store busy for a second must not close a bucket for an hour.
            step.known = Known::Ask;
            settled = self.ledger.take(place, step).await;
        }
        let (_, Taken { decision, closed }) = settled.ok()?;
        self.record_closing(&step.charges, &closed, context).await;
        match decision {
            Decision::Admitted(standing) => standing,
            Decision::Refused(..) => None,
        }
    }

    /// Forgets what was counted against strangers at an account.
    pub(crate) async fn reopen(&self, email: &Email) -> Result<(), StoreError> {
        self.ledger.change(self.account(email), &mut |buckets| buckets.fill(Bucket::default())).await
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
