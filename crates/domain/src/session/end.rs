//! The ends of sessions.

use super::store::RefreshStanding;
use super::{EndReason, RefreshToken, SessionError, SessionService};
use crate::access::{Authority, Caller, Permission};
use crate::audit::{AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::error::{StoreError, retried};
use crate::id::{SessionId, UserId};

/// Which of the user's sessions a logout ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogoutScope {
    #[default]
    Current,
    Others,
    All,
}

/// By what the caller shows to be logged in.
#[derive(Debug)]
pub enum Logout<'a> {
    Access(&'a Caller),
    Refresh(RefreshToken),
}

impl SessionService {
    /// A second time does nothing and is no error, nor is a refresh token of no session: as in RFC 7009, section 2.2,
    /// the answer does not tell. One that was replaced long ago ends its session, as it would by a refresh: a tab that
    /// logs out with it must not leave the session to the others.
    pub async fn logout(
        &self,
        proof: Logout<'_>,
        scope: LogoutScope,
        context: &RequestContext,
    ) -> Result<(), SessionError> {
        let (user, session) = match proof {
            Logout::Access(caller) => (caller.user.id, caller.session.id),
            Logout::Refresh(token) => match self.ports.store.find_refresh(&token.hash()).await? {
                Some(found) if found.ended => return Ok(()),
                Some(found) if matches!(found.standing, RefreshStanding::Spent) => {
                    return Ok(retried(|| self.end_after_reuse(&found, context)).await?);
                }
                Some(found) => (found.user.id, found.session.id),
                None => return Ok(()),
            },
        };
        let reason = EndReason::LoggedOut;
        match scope {
            LogoutScope::Current => {
                let event = AuditEvent::of(AuditKind::SessionEnded, user, context).in_session(session);
                retried(|| self.end_one(user, session, reason, &event)).await?;
            }
            LogoutScope::Others | LogoutScope::All => {
                let except = (scope == LogoutScope::Others).then_some(session);
                let event = AuditEvent::of(AuditKind::SessionsEnded, user, context).in_session(session);
                retried(|| self.end_many(user, except, reason, &event)).await?;
            }
        }
        Ok(())
    }

    /// Another's session needs `users:write`.
    pub async fn end(
        &self,
        authority: Authority<'_>,
        user: UserId,
        session: SessionId,
        context: &RequestContext,
    ) -> Result<(), SessionError> {
        self.admit(authority, Permission::UsersWrite, user).await?;
        let event = AuditEvent::of(AuditKind::SessionEnded, user, context).in_session(session).by(authority);
        let ended = retried(|| self.end_one(user, session, EndReason::Revoked, &event)).await?;
        ended.then_some(()).ok_or(SessionError::NotFound)
    }

    /// All but the caller's own. Another's need `users:write`.
    pub async fn end_all(
        &self,
        authority: Authority<'_>,
        user: UserId,
        context: &RequestContext,
    ) -> Result<(), SessionError> {
        self.admit(authority, Permission::UsersWrite, user).await?;
        let except = match authority {
            Authority::User(caller) if caller.user.id == user => Some(caller.session.id),
            _ => None,
        };
        let event = AuditEvent::of(AuditKind::SessionsEnded, user, context).by(authority);
        retried(|| self.end_many(user, except, EndReason::Revoked, &event)).await?;
        Ok(())
    }

    pub(super) async fn end_one(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        event: &AuditEvent<'_>,
    ) -> Result<bool, StoreError> {
        let mut work = self.ports.begin().await?;
        if !work.end_session(user, session, reason, self.ports.clock.now()).await? {
            return Ok(false);
        }
        work.audit(&event.clone().because(reason.as_str())).await?;
        work.sessions_ended(user, [session]);
        work.commit().await?;
        Ok(true)
    }

    async fn end_many(
        &self,
        user: UserId,
        except: Option<SessionId>,
        reason: EndReason,
        event: &AuditEvent<'_>,
    ) -> Result<(), StoreError> {
        let mut work = self.ports.begin().await?;
        let ended = work.end_sessions(user, except, reason, self.ports.clock.now()).await?;
        if ended.is_empty() {
            return Ok(());
        }
        work.sessions_ended(user, ended);
        work.audit(&event.clone().because(reason.as_str())).await?;
        work.commit().await?;
        Ok(())
    }
}
