//! Rotation of refresh tokens (RFC 9700, section 4.14.2).

use super::store::{FoundRefresh, RefreshStanding, Rotation};
use super::{EndReason, RefreshToken, SessionError, SessionService, SignIn};
use crate::audit::{AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::error::{StoreError, retried};
use crate::throttle::{Limited, Place};
use crate::token::SigningError;
use crate::user::Status;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;

/// A refresh token locked with the one that it replaces: whoever holds only the store can open none, whoever holds
/// the parent gets the child again. Kept until the parent's grace is over, and forgotten soon after.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedToken(Vec<u8>);

impl SealedToken {
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedToken[redacted]")
    }
}

/// The port for sealing, by authenticated encryption under a key derived from the parent.
pub trait RefreshSealer: Send + Sync + fmt::Debug {
    fn seal(&self, parent: &RefreshToken, child: &RefreshToken) -> SealedToken;
    /// `None` if it was not sealed with this parent.
    fn open(&self, parent: &RefreshToken, sealed: &SealedToken) -> Option<RefreshToken>;
}

impl SessionService {
    /// Each use gives a new token. The immediate parent of the current one, presented again within the grace, gives the
    /// same child, so that a lost answer or two tabs log nobody out; any other of its family ends the session. Another
    /// process may have replaced the parent, so the grace is measured in the store's time.
    ///
    /// `None` stands for what no service ever made.
    pub async fn refresh(
        &self,
        presented: Option<RefreshToken>,
        context: &RequestContext,
    ) -> Limited<SignIn, SessionError> {
        let charges = self.throttle.refresh(context);
        let work = pin!(self.try_refresh(presented, context));
        self.throttle.guard(Place::Process, charges, context, work).await
    }

    async fn try_refresh(
        &self,
        presented: Option<RefreshToken>,
        context: &RequestContext,
    ) -> Result<SignIn, SessionError> {
        let presented = presented.ok_or(SessionError::InvalidRefreshToken)?;
        // Who cannot sign must not consume the token: the grace might end before the key comes.
        if !self.ports.codec.is_ready() {
            return Err(SigningError::NoActiveKey.into());
        }
        let child = presented.child(&*self.ports.rng);
        let rotation = Rotation {
            presented: presented.hash(),
            child: child.secret_hash(),
            sealed_child: self.ports.sealer.seal(&presented, &child),
            now: self.ports.store_time(),
            idle: self.settings.refresh_idle,
        };
        // Made and sealed before the store is asked: what fails, fails while the parent still counts.
        let store = Arc::clone(&self.ports.store);
        let now = || self.ports.store_time();
        if let Some((session, user)) = self.rotations.rotate(store, &now, rotation.clone()).await? {
            return self.sign_in(user, session, child, None);
        }
        let mut found = self.find_presented(&rotation).await?;
        if self.could_rotate(&found) {
            // Somebody held the session, and is waited for now.
            let alone = rotation.leaving_at(self.ports.store_time());
            if let Some((session, user)) = retried(|| self.ports.store.rotate_refresh(&alone)).await? {
                return self.sign_in(user, session, child, None);
            }
            found = self.find_presented(&alone).await?;
        }
        // Seldom: no part of every rotation.
        Box::pin(self.refresh_again(&presented, &child, found, context)).await
    }

    async fn find_presented(&self, rotation: &Rotation) -> Result<FoundRefresh, SessionError> {
        self.ports.store.find_refresh(&rotation.presented).await?.ok_or_else(|| {
            // Not in the trail: anyone can make up tokens, and rows are there to stay.
            tracing::info!("an unknown refresh token was presented");
            SessionError::InvalidRefreshToken
        })
    }

    fn could_rotate(&self, found: &FoundRefresh) -> bool {
        matches!(found.standing, RefreshStanding::Current)
            && !found.ended
            && !found.session.is_expired(self.ports.store_time())
            && found.user.status == Status::Active
    }

    async fn refresh_again(
        &self,
        presented: &RefreshToken,
        mine: &RefreshToken,
        found: FoundRefresh,
        context: &RequestContext,
    ) -> Result<SignIn, SessionError> {
        let now = self.ports.store_time();
        let reason = if found.ended {
            Some("session_over")
        } else if found.session.is_expired(now) {
            Some("expired")
        } else {
            (found.user.status == Status::Disabled).then_some("disabled")
        };
        if let Some(reason) = reason {
            return self.refuse_refresh(&found, reason, context).await;
        }
        match &found.standing {
            // Whether or not the grace is over by now: this very request replaced it, and was not told.
            RefreshStanding::Parent { child: Some(child), .. } if self.opens_to(presented, child, mine) => {
                self.sign_in(found.user, found.session, mine.clone(), None)
            }
            RefreshStanding::Parent { replaced_at, child: Some(child) }
                if now.since(*replaced_at) <= self.settings.refresh_grace =>
            {
                let child = self.ports.sealer.open(presented, child).ok_or(SessionError::InvalidRefreshToken)?;
                self.sign_in(found.user, found.session, child, None)
            }
            // Only if whoever held the session gave it back between the two reads.
            RefreshStanding::Current => self.refuse_refresh(&found, "changed_meanwhile", context).await,
            RefreshStanding::Parent { .. } | RefreshStanding::Spent => {
                retried(|| self.end_after_reuse(&found, context)).await?;
                Err(SessionError::InvalidRefreshToken)
            }
        }
    }

    fn opens_to(&self, presented: &RefreshToken, sealed: &SealedToken, mine: &RefreshToken) -> bool {
        self.ports.sealer.open(presented, sealed).is_some_and(|child| child.secret_hash() == mine.secret_hash())
    }

    pub(super) async fn end_after_reuse(
        &self,
        found: &FoundRefresh,
        context: &RequestContext,
    ) -> Result<(), StoreError> {
        let (user, session) = (found.user.id, found.session.id);
        let mut work = self.ports.begin().await?;
        let reason = EndReason::RefreshTokenReused;
        if work.end_session(user, session, reason, self.ports.clock.now()).await? {
            let event = AuditEvent::anonymous(AuditKind::RefreshTokenReused, context).about(Some(user));
            work.audit(&event.in_session(session)).await?;
            work.sessions_ended(user, [session]);
            work.commit().await?;
        }
        Ok(())
    }

    async fn refuse_refresh<T>(
        &self,
        found: &FoundRefresh,
        reason: &'static str,
        context: &RequestContext,
    ) -> Result<T, SessionError> {
        let event = AuditEvent::anonymous(AuditKind::RefreshFailed, context).about(Some(found.user.id));
        let event = event.in_session(found.session.id).because(reason);
        self.ports.record(event).await.map_err(SessionError::Unrecorded)?;
        Err(SessionError::InvalidRefreshToken)
    }
}
