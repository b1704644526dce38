//! The ends of sessions.

use super::store::RefreshStanding;
use super::{EndReason, RefreshToken, SessionError, SessionService};
use crate::access::{Authority, Caller, Permission};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::error::{StoreError, retried};
use crate::id::{ClientId, SessionId, UserId};

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
            Logout::Refresh(token) => match self.to_end_with(&token, context).await? {
                Some(found) => found,
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

    /// Ends the session of an access token or a refresh token on the word of a client (RFC 7009). A token of no
    /// session, an expired one, one of a session that is over: as with [`Self::logout`], no error, because it is not
    /// good any more, which is all that was asked for.
    pub async fn revoke(&self, token: &str, client: ClientId, context: &RequestContext) -> Result<(), SessionError> {
        let found = if let Ok(token) = RefreshToken::parse(token) {
            self.to_end_with(&token, context).await?
        } else {
            let token = self.ports.codec.verify(token, self.ports.clock.now());
            token.ok().map(|token| (token.subject, token.session))
        };
        if let Some((user, session)) = found {
            let event = AuditEvent::anonymous(AuditKind::SessionEnded, context).about(Some(user)).in_session(session);
            let event = event.with_actor(Actor::Client).of_client(client);
            retried(|| self.end_one(user, session, EndReason::Revoked, &event)).await?;
        }
        Ok(())
    }

    /// What is left to end by whoever has this token.
    async fn to_end_with(
        &self,
        token: &RefreshToken,
        context: &RequestContext,
    ) -> Result<Option<(UserId, SessionId)>, SessionError> {
        match self.ports.store.find_refresh(&token.hash()).await? {
            Some(found) if found.ended => Ok(None),
            Some(found) if matches!(found.standing, RefreshStanding::Spent) => {
                retried(|| self.end_after_reuse(&found, context)).await?;
                Ok(None)
            }
            found => Ok(found.map(|found| (found.user.id, found.session.id))),
        }
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
            // Of another user it is none.
            Authority::User(caller) => Some(caller.session.id),
            Authority::Operator => None,
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
