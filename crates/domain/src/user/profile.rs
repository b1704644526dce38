//! A user's own record.

use super::store::{ProfileOutcome, ProfileUpdate};
use super::{Email, Name, User, UserError, UserService};
use crate::access::{Authority, Caller, Denied, Permission};
use crate::audit::{AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::error::retried;
use crate::feed::Change;
use crate::id::UserId;
use crate::throttle::{Limited, Place};
use std::pin::pin;

/// What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    pub name: Option<Name>,
    pub email: Option<Email>,
}

#[derive(Debug)]
pub struct ChangeProfile {
    pub id: UserId,
    pub change: ProfileChange,
    /// Only if this is still the record's version.
    pub version: Option<i64>,
}

impl UserService {
    /// Another's record needs `users:write`; a new address needs a recent login, whoever asks, because whoever holds
    /// the address can take the account, and that login's session must still be live when the change is written.
    pub async fn change_profile(
        &self,
        caller: &Caller,
        request: &ChangeProfile,
        context: &RequestContext,
    ) -> Limited<User, UserError> {
        let charges = match request.change.email {
            Some(_) => self.throttle.new_address(caller.user.id, context),
            None => Vec::new(),
        };
        let work = pin!(self.change_admitted(caller, request, context));
        self.throttle.guard(Place::Fleet, charges, context, work).await
    }

    async fn change_admitted(
        &self,
        caller: &Caller,
        request: &ChangeProfile,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        if caller.user.id != request.id {
            caller.require(Permission::UsersWrite, request.id)?;
        }
        if request.change.email.is_some() {
            caller.require_recent_login(self.ports.clock.now())?;
        }
        if request.change == ProfileChange::default() {
            return self.unchanged(request).await;
        }
        retried(|| self.try_change_profile(caller, request, context)).await
    }

    /// Nothing was asked for, so nothing is written; the condition holds all the same.
    async fn unchanged(&self, request: &ChangeProfile) -> Result<User, UserError> {
        let user = self.ports.store.user(request.id).await?.ok_or(UserError::NotFound)?;
        let is_current = request.version.is_none_or(|version| version == user.version);
        is_current.then_some(user).ok_or(UserError::Stale)
    }

    async fn try_change_profile(
        &self,
        caller: &Caller,
        request: &ChangeProfile,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        let mut work = self.ports.begin().await?;
        let update = ProfileUpdate {
            id: request.id,
            name: request.change.name.clone(),
            email: request.change.email.clone(),
            version: request.version,
            now: self.ports.clock.now(),
        };
        let user = match work.update_profile(&update).await? {
            ProfileOutcome::Updated(user) => user,
            ProfileOutcome::EmailTaken => return Err(UserError::EmailTaken),
            ProfileOutcome::Stale => return Err(UserError::Stale),
            ProfileOutcome::Missing => return Err(UserError::NotFound),
        };
        if update.email.is_some() && !work.holds_session(caller.user.id, caller.session.id).await? {
            return Err(Denied::SessionOver.into());
        }
        let event = AuditEvent::of(AuditKind::ProfileChanged, user.id, context);
        work.audit(&event.by(Authority::User(caller))).await?;
        work.change(Change::UserChanged(user.id));
        work.commit().await?;
        Ok(user)
    }
}
