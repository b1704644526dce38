//! Changing a password.

use super::{HashingError, NewPassword, PasswordAttempt, PasswordHash, Verdict};
use crate::access::{Authority, Caller, Denied};
use crate::audit::{AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::error::{StoreError, lost_to_other, retried};
use crate::feed::Change;
use crate::id::{SessionId, UserId};
use crate::services::Ports;
use crate::session::EndReason;
use crate::throttle::{Judged, Limited, Place, Throttle, Throttled};
use std::pin::pin;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct CredentialService {
    ports: Arc<Ports>,
    throttle: Throttle,
}

#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("the current password is wrong")]
    WrongPassword,
    /// This, and the trail cannot be written: the caller is told that the service is unavailable.
    #[error("the attempt failed, and cannot be recorded")]
    Unrecorded(#[source] StoreError),
    #[error("no such user")]
    NotFound,
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

lost_to_other!(CredentialError);

impl Judged for CredentialError {
    fn is_failure(&self) -> bool {
        matches!(self, Self::WrongPassword | Self::Unrecorded(_))
    }
}

#[derive(Debug)]
pub struct ChangePassword {
    pub current: PasswordAttempt,
    pub new: NewPassword,
}

impl CredentialService {
    pub fn new(ports: Arc<Ports>, throttle: Throttle) -> Self {
        Self { ports, throttle }
    }

    /// One's own password; every other session ends. Hashing takes a while: the session must still be live after it.
    pub async fn change_password(
        &self,
        caller: &Caller,
        request: ChangePassword,
        context: &RequestContext,
    ) -> Limited<(), CredentialError> {
        let charges = self.throttle.change_of_password(caller.user.id, caller.session.id, context);
        let work = pin!(self.try_change_password(caller, request, context));
        self.throttle.guard(Place::Fleet, charges, context, work).await
    }

    async fn try_change_password(
        &self,
        caller: &Caller,
        request: ChangePassword,
        context: &RequestContext,
    ) -> Result<(), CredentialError> {
        let user = &caller.user;
        let stored = self.ports.store.password(user.id).await?;
        let verdict = self.ports.hasher.verify(request.current, stored.as_ref(), context.network()).await?;
        if stored.is_none() || matches!(verdict, Verdict::Mismatch) {
            self.record_failure(caller, context).await.map_err(CredentialError::Unrecorded)?;
            return Err(CredentialError::WrongPassword);
        }
        let hash = self.ports.hasher.hash(request.new, context.network()).await?;
        let event = AuditEvent::of(AuditKind::PasswordChanged, user.id, context).in_session(caller.session.id);
        retried(|| self.replace(user.id, user.epoch, &hash, Some(caller.session.id), &event)).await
    }

    /// By the operator, who proves nothing but owns the machine; every session ends.
    pub async fn set_password(
        &self,
        id: UserId,
        password: NewPassword,
        context: &RequestContext,
    ) -> Result<(), CredentialError> {
        let hash = self.ports.hasher.hash(password, context.network()).await?;
        let event = AuditEvent::of(AuditKind::PasswordChanged, id, context).by(Authority::Operator);
        retried(|| async {
            let user = self.ports.store.user(id).await?.ok_or(CredentialError::NotFound)?;
            match self.replace(id, user.epoch, &hash, None, &event).await {
                // Somebody else changed it since it was read: the operator's word still holds.
                Err(CredentialError::WrongPassword) => Err(StoreError::Contention.into()),
                outcome => outcome,
            }
        })
        .await
    }

    async fn replace(
        &self,
        id: UserId,
        epoch: i64,
        hash: &PasswordHash,
        keep: Option<SessionId>,
        event: &AuditEvent<'_>,
    ) -> Result<(), CredentialError> {
        let now = self.ports.clock.now();
        let mut work = self.ports.begin().await?;
        let advanced = work.advance_epoch(id, epoch).await?;
        // Not before: whoever ends sessions locks the user first, too.
        if let Some(session) = keep
            && !work.holds_session(id, session).await?
        {
            return Err(Denied::SessionOver.into());
        }
        if !advanced {
            return Err(CredentialError::WrongPassword);
        }
        work.set_password(id, hash, now).await?;
        // Whoever knew the old password may have made devices known with it.
        work.forget_devices(id).await?;
        let ended = work.end_sessions(id, keep, EndReason::PasswordChanged, now).await?;
        work.sessions_ended(id, ended);
        work.audit(event).await?;
        // The record's epoch, for the session that goes on.
        work.change(Change::UserChanged(id));
        work.commit().await?;
        Ok(())
    }

    async fn record_failure(&self, caller: &Caller, context: &RequestContext) -> Result<(), StoreError> {
        let event = AuditEvent::of(AuditKind::PasswordChangeFailed, caller.user.id, context);
        self.ports.record(event.in_session(caller.session.id).because("wrong_password")).await
    }
}
