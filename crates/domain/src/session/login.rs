//! Login.

use super::service::{DEVICE_TTL, MAX_SESSIONS};
use super::store::{Opened, Opening};
use super::{
    Amr, DeviceToken, DeviceTokenHash, EndReason, RefreshToken, Session, SessionError, SessionService, SignIn,
};
use crate::audit::{AuditEvent, AuditKind};
use crate::context::RequestContext;
use crate::credential::{PasswordAttempt, PasswordHash, Verdict};
use crate::error::{StoreError, retried};
use crate::id::{SessionId, UserId};
use crate::throttle::{Limited, Place};
use crate::user::{Email, Status, User};
use std::pin::pin;

#[derive(Debug)]
pub struct Login {
    pub email: Email,
    pub password: PasswordAttempt,
    /// From an earlier login on this device.
    pub device_token: Option<DeviceToken>,
}

/// What the right password brought to light.
struct Findings {
    /// The same password by today's parameters.
    upgraded: Option<PasswordHash>,
    /// Known from a breach, and not marked yet.
    breached: bool,
}

impl SessionService {
    /// Exactly one password is verified, whoever asks for whatever address, and every failure is the same to the
    /// caller; the audit trail has the reason.
    pub async fn login(&self, request: Login, context: &RequestContext) -> Limited<SignIn, SessionError> {
        let known = match self.known_device(&request).await {
            Ok(known) => known,
            Err(error) => return Limited { outcome: Err(error.into()), standing: None },
        };
        let charges = self.throttle.login(&request.email, known.as_ref(), context);
        let work = pin!(self.try_login(request, known.is_some(), context));
        self.throttle.guard(Place::Fleet, charges, context, work).await
    }

    async fn known_device(&self, request: &Login) -> Result<Option<DeviceTokenHash>, StoreError> {
        let Some(device) = request.device_token.as_ref().map(DeviceToken::hash) else { return Ok(None) };
        let known = self.ports.store.knows_device(&request.email, &device, self.ports.clock.now()).await?;
        Ok(known.then_some(device))
    }

    async fn try_login(
        &self,
        request: Login,
        from_known_device: bool,
        context: &RequestContext,
    ) -> Result<SignIn, SessionError> {
        let candidate = self.ports.store.login_candidate(&request.email).await?;
        let is_marked = candidate.as_ref().is_some_and(|found| found.is_marked_breached);
        let (user, stored) = candidate.map_or((None, None), |found| (Some(found.user), found.password));
        let key = request.password.breach_key();
        let verdict = self.ports.hasher.verify(request.password, stored.as_ref(), context.network()).await?;
        let failure = match (&user, &stored, &verdict) {
            (None, ..) => Some("unknown_account"),
            (_, None, _) => Some("no_password"),
            (_, _, Verdict::Mismatch) => Some("wrong_password"),
            (Some(user), ..) if user.status == Status::Disabled => Some("disabled"),
            _ => None,
        };
        let (Some(user), None, Verdict::Match { upgraded }) = (&user, failure, verdict) else {
            let subject = user.map(|user| user.id);
            return self.refuse(subject, failure.unwrap_or("wrong_password"), context).await;
        };
        let device = (!from_known_device).then(|| DeviceToken::generate(&*self.ports.rng));
        let session = self.new_session(user.id, context);
        let refresh = RefreshToken::generate(session.id, &*self.ports.rng);
        // Only of the right password, so that the look-up times nothing for whoever guesses.
        let findings = Findings { upgraded, breached: !is_marked && self.ports.breached.contains(key) };
        let opened = retried(|| self.open(user, &session, &refresh, device.as_ref(), &findings, context)).await?;
        match opened {
            Some(user) => self.sign_in(user, session, refresh, device),
            // Disabled, deleted or given another password since the look-up.
            None => self.refuse(Some(user.id), "changed_meanwhile", context).await,
        }
    }

    fn new_session(&self, user: UserId, context: &RequestContext) -> Session {
        let now = self.ports.clock.now();
        let expires_at = now.plus(self.settings.refresh_absolute);
        Session {
            id: SessionId::generate(&*self.ports.clock, &*self.ports.rng),
            user,
            created_at: now,
            last_seen_at: now,
            authenticated_at: now,
            expires_at,
            idle_expires_at: now.plus(self.settings.refresh_idle).min(expires_at),
            ip: context.ip,
            user_agent: context.user_agent.clone(),
            amr: vec![Amr::Password],
        }
    }

    /// `None` if what was verified no longer holds.
    async fn open(
        &self,
        user: &User,
        session: &Session,
        refresh: &RefreshToken,
        device: Option<&DeviceToken>,
        findings: &Findings,
        context: &RequestContext,
    ) -> Result<Option<User>, StoreError> {
        let event = |kind| AuditEvent::of(kind, user.id, context).in_session(session.id);
        let displaced = event(AuditKind::SessionsEnded).because(EndReason::Displaced.as_str());
        let opening = Opening {
            epoch: user.epoch,
            session,
            token: refresh.hash(),
            keep: MAX_SESSIONS,
            device: device.map(|device| (device.hash(), session.created_at.plus(DEVICE_TTL))),
            succeeded: self.ports.audit_record(event(AuditKind::LoginSucceeded)),
            displaced: self.ports.audit_record(displaced),
        };
        let opened = match findings {
            Findings { upgraded: None, breached: false } => self.ports.store.open_session(&opening).await?,
            findings => self.open_with(findings, &opening).await?,
        };
        let Some(opened) = opened else { return Ok(None) };
        let ended = (!opened.displaced.is_empty()).then_some(opening.displaced.event.kind);
        let events: Vec<_> = [opening.succeeded.event.kind].into_iter().chain(ended).collect();
        self.ports.committed(&opened.changes(), &events);
        Ok(Some(opened.user))
    }

    async fn open_with(&self, findings: &Findings, opening: &Opening<'_>) -> Result<Option<Opened>, StoreError> {
        let mut work = self.ports.begin().await?;
        let Some(opened) = work.open_session(opening).await? else { return Ok(None) };
        let user = opened.user.id;
        if let Some(hash) = &findings.upgraded {
            work.upgrade_hash(user, hash).await?;
        }
        // Another login may have been quicker: it has told of it.
        if findings.breached && work.mark_breached(user, opening.session.created_at).await? {
            let context = opening.succeeded.event.context;
            work.audit(&AuditEvent::of(AuditKind::PasswordFoundBreached, user, context)).await?;
        }
        work.commit().await?;
        Ok(Some(opened))
    }

    async fn refuse<T>(
        &self,
        subject: Option<UserId>,
        reason: &'static str,
        context: &RequestContext,
    ) -> Result<T, SessionError> {
        let event = AuditEvent::anonymous(AuditKind::LoginFailed, context).about(subject).because(reason);
        self.ports.record(event).await.map_err(SessionError::Unrecorded)?;
        Err(SessionError::InvalidCredentials)
    }
}
