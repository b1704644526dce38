//! What can be done with users; registration, profiles and administration have files of their own.

use super::store::{DeleteOutcome, ListedUser, UserFilter};
use super::{RegistrationMode, User};
use crate::access::{Authority, Caller, Denied, Permission, RoleCatalog, UnknownRole};
use crate::audit::{AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::credential::HashingError;
use crate::error::{StoreError, lost_to_other, retried};
use crate::feed::Change;
use crate::id::UserId;
use crate::page::{Page, PageRequest};
use crate::services::Ports;
use crate::throttle::{Judged, Throttle, Throttled};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct UserSettings {
    pub registration: RegistrationMode,
    pub roles: Arc<RoleCatalog>,
}

#[derive(Debug, Clone)]
pub struct UserService {
    pub(super) ports: Arc<Ports>,
    pub(super) throttle: Throttle,
    pub(super) settings: UserSettings,
}

#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("registration is closed")]
    RegistrationClosed,
    #[error("the address belongs to another account")]
    EmailTaken,
    /// For another registration, within [`IDEMPOTENCY_TTL`](super::IDEMPOTENCY_TTL).
    #[error("the idempotency key was used for something else")]
    IdempotencyKeyReused,
    #[error("no such user")]
    NotFound,
    #[error("the record has changed since it was read")]
    Stale,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("the last administrator must stay one")]
    LastAdministrator,
    #[error(transparent)]
    UnknownRole(#[from] UnknownRole),
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

lost_to_other!(UserError);

impl Judged for UserError {
    fn is_failure(&self) -> bool {
        matches!(self, Self::EmailTaken | Self::IdempotencyKeyReused)
    }
}

#[derive(Debug)]
pub struct DeleteUser {
    pub id: UserId,
    /// Only if this is still the record's version.
    pub version: Option<i64>,
}

impl UserService {
    pub fn new(ports: Arc<Ports>, throttle: Throttle, settings: UserSettings) -> Self {
        Self { ports, throttle, settings }
    }

    pub fn role_catalog(&self) -> &RoleCatalog {
        &self.settings.roles
    }

    /// One's own record comes with the caller; another's needs `users:read`.
    pub async fn get(&self, caller: &Caller, id: UserId) -> Result<Arc<User>, UserError> {
        if caller.user.id == id {
            return Ok(Arc::clone(&caller.user));
        }
        caller.require(Permission::UsersRead, id)?;
        self.ports.store.user(id).await?.map(Arc::new).ok_or(UserError::NotFound)
    }

    pub async fn list(
        &self,
        authority: Authority<'_>,
        filter: &UserFilter,
        page: PageRequest,
    ) -> Result<Page<ListedUser>, UserError> {
        if !authority.may(Permission::UsersRead) {
            return Err(Denied::Forbidden.into());
        }
        Ok(self.ports.store.users(filter, page, self.ports.clock.now()).await?)
    }

    /// One's own account needs a recent login; another's needs `users:write`; either a session that is live until then.
    pub async fn delete(
        &self,
        caller: &Caller,
        request: &DeleteUser,
        context: &RequestContext,
    ) -> Result<(), UserError> {
        if caller.user.id == request.id {
            caller.require_recent_login(self.ports.clock.now())?;
        } else {
            caller.require(Permission::UsersWrite, request.id)?;
        }
        retried(|| self.try_delete(caller, request, context)).await
    }

    async fn try_delete(
        &self,
        caller: &Caller,
        request: &DeleteUser,
        context: &RequestContext,
    ) -> Result<(), UserError> {
        let mut work = self.ports.begin().await?;
        if work.is_last_administrator(request.id).await? {
            return Err(UserError::LastAdministrator);
        }
        if !work.holds_session(caller.user.id, caller.session.id).await? {
            return Err(Denied::SessionOver.into());
        }
        match work.delete_user(request.id, request.version).await? {
            DeleteOutcome::Missing => return Err(UserError::NotFound),
            DeleteOutcome::Stale => return Err(UserError::Stale),
            DeleteOutcome::Deleted => {}
        }
        let event = AuditEvent::of(AuditKind::UserDeleted, request.id, context);
        work.audit(&event.by(Authority::User(caller))).await?;
        work.change(Change::UserGone(request.id));
        work.commit().await?;
        Ok(())
    }
}
