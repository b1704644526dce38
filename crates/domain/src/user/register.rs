//! Registration.

use super::store::Registration;
use super::{
    Email, FirstOutcome, IDEMPOTENCY_TTL, IdempotencyClaim, IdempotencyKey, Name, Status, User, UserError, UserService,
};
use crate::access::{Authority, RoleName};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::credential::{NewPassword, PasswordHash};
use crate::error::{StoreError, retried};
use crate::id::UserId;
use crate::throttle::{Limited, Place};
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

/// How long a registration writes at least, where nobody may learn from its time whether the address was taken: in as
/// many round trips the store writes several rows more for a free one. Several times what a sound store needs.
const STRICT_WRITE: Duration = Duration::from_millis(20);

/// Who may register, and what they learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RegistrationMode {
    /// Anyone; a taken address is said to be taken.
    #[default]
    Open,
    /// Anyone; the answer never tells whether the address has an account.
    Strict,
    /// Nobody.
    Closed,
}

#[derive(Debug)]
pub struct Register {
    pub email: Email,
    pub name: Name,
    pub password: NewPassword,
}

impl UserService {
    pub fn registration_mode(&self) -> RegistrationMode {
        self.settings.registration
    }

    /// The password is hashed before the address is looked at, so that a taken one takes as long as a free one.
    /// Under a `key` the same registration may be sent again.
    pub async fn register(
        &self,
        request: Register,
        key: Option<&IdempotencyKey>,
        context: &RequestContext,
    ) -> Limited<User, UserError> {
        if self.settings.registration == RegistrationMode::Closed {
            return Limited { outcome: Err(UserError::RegistrationClosed), standing: None };
        }
        let tells = self.settings.registration == RegistrationMode::Open;
        let charges = self.throttle.registration(tells, key, context);
        let claim = key.map(|key| key.claim(&request, &*self.ports.keyed_hash));
        let roles = BTreeSet::from([RoleName::user()]);
        let work = pin!(self.insert_hashed(request, roles, None, claim, context));
        self.throttle.guard(Place::Fleet, charges, context, work).await
    }

    /// Registration by whoever operates the service: in every mode, and with roles.
    pub async fn create(
        &self,
        request: Register,
        roles: BTreeSet<RoleName>,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        self.settings.roles.check(&roles)?;
        self.insert_hashed(request, roles, Some(Authority::Operator), None, context).await
    }

    /// On the new user's own word, unless on that of an authority.
    async fn insert_hashed(
        &self,
        request: Register,
        roles: BTreeSet<RoleName>,
        authority: Option<Authority<'_>>,
        claim: Option<IdempotencyClaim>,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        let hash = self.ports.hasher.hash(request.password, context.network()).await?;
        let now = self.ports.clock.now();
        let user = User {
            id: UserId::generate(&*self.ports.clock, &*self.ports.rng),
            email: request.email,
            email_verified: false,
            name: request.name,
            status: Status::Active,
            roles,
            created_at: now,
            updated_at: now,
            last_login_at: None,
            version: 1,
            epoch: 1,
        };
        let event = AuditEvent::of(AuditKind::UserRegistered, user.id, context);
        let event = match authority {
            Some(authority) => event.by(authority),
            None => event,
        };
        let is_silent = authority.is_none() && self.settings.registration == RegistrationMode::Strict;
        let silence = is_silent.then(|| self.ports.clock.timer(STRICT_WRITE));
        let outcome = retried(|| self.insert(&user, &hash, claim.as_ref(), &event)).await;
        if let Some(silence) = silence {
            silence.await;
        }
        outcome
    }

    /// A taken address asks the store as often as a free one, and has something to commit too: else the time would tell.
    async fn insert(
        &self,
        user: &User,
        hash: &PasswordHash,
        claim: Option<&IdempotencyClaim>,
        event: &AuditEvent<'_>,
    ) -> Result<User, UserError> {
        let refused = AuditEvent::anonymous(AuditKind::RegistrationRefused, event.context);
        let actor = if event.actor == Actor::Operator { Actor::Operator } else { Actor::Anonymous };
        let registration = Registration {
            user,
            password: hash,
            registered: self.ports.audit_record(event.clone()),
            refused: self.ports.audit_record(refused.with_actor(actor).because("email_taken")),
        };
        let registered = match claim {
            None => self.ports.store.register(&registration).await?,
            Some(claim) => match self.register_once(&registration, claim).await? {
                Ok(registered) => registered,
                Err(first) if first.request == claim.request => {
                    return first.user_as_told(user).ok_or(UserError::EmailTaken);
                }
                Err(_) => return Err(UserError::IdempotencyKeyReused),
            },
        };
        let record = if registered { registration.registered } else { registration.refused };
        self.ports.committed(&[], &[record.event.kind]);
        registered.then(|| user.clone()).ok_or(UserError::EmailTaken)
    }

    /// `Err` with what came of the first registration under the key, if this is not the first.
    async fn register_once(
        &self,
        registration: &Registration<'_>,
        claim: &IdempotencyClaim,
    ) -> Result<Result<bool, FirstOutcome>, StoreError> {
        let (user, now) = (registration.user.id, registration.user.created_at);
        let mut work = self.ports.begin().await?;
        let registered = work.register(registration).await?;
        let told = registered.then_some(user);
        if let Some(first) = work.claim_idempotency_key(claim, told, now, now.minus(IDEMPOTENCY_TTL)).await? {
            // Whatever was written goes with the transaction.
            return Ok(Err(first));
        }
        work.commit().await?;
        Ok(Ok(registered))
    }
}
