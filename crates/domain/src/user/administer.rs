//! What administrators and operators do to other people's accounts.

use super::{Status, User, UserError, UserService};
use crate::access::{Authority, Permission, RoleName};
use crate::audit::{AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::error::retried;
use crate::feed::Change;
use crate::id::UserId;
use crate::session::EndReason;
use std::collections::BTreeSet;

impl UserService {
    /// Ends every session of the user. Needs `users:write`.
    pub async fn disable(
        &self,
        authority: Authority<'_>,
        id: UserId,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        authority.require(Permission::UsersWrite, id)?;
        retried(|| self.try_disable(authority, id, context)).await
    }

    async fn try_disable(
        &self,
        authority: Authority<'_>,
        id: UserId,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        let now = self.ports.clock.now();
        let mut work = self.ports.begin().await?;
        if work.is_last_administrator(id).await? {
            return Err(UserError::LastAdministrator);
        }
        let user = work.set_status(id, Status::Disabled, now).await?.ok_or(UserError::NotFound)?;
        let ended = work.end_sessions(id, None, EndReason::UserDisabled, now).await?;
        work.sessions_ended(id, ended);
        work.audit(&AuditEvent::of(AuditKind::UserDisabled, id, context).by(authority)).await?;
        work.change(Change::UserChanged(id));
        work.commit().await?;
        Ok(user)
    }

    /// Sessions that disabling ended stay over. Needs `users:write`.
    pub async fn enable(
        &self,
        authority: Authority<'_>,
        id: UserId,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        authority.require(Permission::UsersWrite, id)?;
        retried(|| async {
            let mut work = self.ports.begin().await?;
            let user = work.set_status(id, Status::Active, self.ports.clock.now()).await?.ok_or(UserError::NotFound)?;
            work.audit(&AuditEvent::of(AuditKind::UserEnabled, id, context).by(authority)).await?;
            work.change(Change::UserChanged(id));
            work.commit().await?;
            Ok(user)
        })
        .await
    }

    /// Lets strangers' devices try again at an account that too many failures have closed to them. Needs `users:write`.
    pub async fn unlock(
        &self,
        authority: Authority<'_>,
        id: UserId,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        authority.require(Permission::UsersWrite, id)?;
        let user = self.ports.store.user(id).await?.ok_or(UserError::NotFound)?;
        self.throttle.reopen(&user.email).await?;
        self.ports.record(AuditEvent::of(AuditKind::UserUnlocked, id, context).by(authority)).await?;
        Ok(user)
    }

    /// Replaces all roles. Needs `roles:write`.
    pub async fn set_roles(
        &self,
        authority: Authority<'_>,
        id: UserId,
        roles: &BTreeSet<RoleName>,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        authority.require(Permission::RolesWrite, id)?;
        self.settings.roles.check(roles)?;
        retried(|| self.try_set_roles(authority, id, roles, context)).await
    }

    async fn try_set_roles(
        &self,
        authority: Authority<'_>,
        id: UserId,
        roles: &BTreeSet<RoleName>,
        context: &RequestContext,
    ) -> Result<User, UserError> {
        let mut work = self.ports.begin().await?;
        if !roles.contains(&RoleName::admin()) && work.is_last_administrator(id).await? {
            return Err(UserError::LastAdministrator);
        }
        let user = work.set_roles(id, roles, self.ports.clock.now()).await?.ok_or(UserError::NotFound)?;
        work.audit(&AuditEvent::of(AuditKind::RolesChanged, id, context).by(authority)).await?;
        work.change(Change::UserChanged(id));
        work.commit().await?;
        Ok(user)
    }
}
