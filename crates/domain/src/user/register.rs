//! Registration.

use super::{Email, Name, Status, User, UserError, UserService};
use crate::access::{Authority, RoleName};
use crate::audit::{AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::credential::{NewPassword, PasswordHash};
use crate::error::retried;
use crate::id::UserId;
use crate::throttle::Limited;
use crate::throttle::service::Place;
use std::collections::BTreeSet;

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
    pub async fn register(&self, request: Register, context: &RequestContext) -> Limited<User, UserError> {
        if self.settings.registration == RegistrationMode::Closed {
            return Limited { outcome: Err(UserError::RegistrationClosed), standing: None };
        }
        let tells = self.settings.registration == RegistrationMode::Open;
        let charges = self.throttle.registration(tells, context);
        let work = self.insert_hashed(request, BTreeSet::from([RoleName::user()]), None, context);
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
        self.insert_hashed(request, roles, Some(Authority::Operator), context).await
    }

    /// On the new user's own word, unless on that of an authority.
    async fn insert_hashed(
        &self,
        request: Register,
        roles: BTreeSet<RoleName>,
        authority: Option<Authority<'_>>,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        let hash = self.ports.hasher.hash(request.password).await?;
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
        retried(|| self.insert(&user, &hash, &event)).await?;
        Ok(user)
    }

    async fn insert(&self, user: &User, hash: &PasswordHash, event: &AuditEvent<'_>) -> Result<(), UserError> {
        let mut work = self.ports.begin().await?;
        if !work.insert_user(user).await? {
            return Err(UserError::EmailTaken);
        }
        work.set_password(user.id, hash, user.created_at).await?;
        work.audit(event).await?;
        work.commit().await?;
        Ok(())
    }
}
