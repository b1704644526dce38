//! What can be done with sessions; login, refresh and the ends have files of their own.

use super::rotations::Rotations;
use super::{DeviceToken, RefreshToken, Session};
use crate::access::{Authority, Denied, Permission};
use crate::credential::HashingError;
use crate::error::{StoreError, lost_to_other};
use crate::id::{TokenId, UserId};
use crate::services::Ports;
use crate::throttle::{Judged, Throttle, Throttled};
use crate::token::{AccessClaims, AccessToken, SigningError};
use crate::user::User;
use std::sync::Arc;
use std::time::Duration;

/// Live sessions a user can have; one more ends the oldest.
pub const MAX_SESSIONS: u32 = 100;
/// Known devices a user can have; one more forgets the oldest.
pub const MAX_DEVICES: u32 = 100;
/// How long a device is known.
pub const DEVICE_TTL: Duration = Duration::from_hours(180 * 24);

#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// How long an access token is good for.
    pub access_ttl: Duration,
    /// How long a session lasts without being refreshed.
    pub refresh_idle: Duration,
    /// How long a session lasts at most.
    pub refresh_absolute: Duration,
    /// How long the token before the current one still gets the current one: 0 to 60 s.
    pub refresh_grace: Duration,
    /// Whether access tokens carry the address.
    pub email_claim: bool,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            access_ttl: Duration::from_mins(10),
            refresh_idle: Duration::from_hours(14 * 24),
            refresh_absolute: Duration::from_hours(30 * 24),
            refresh_grace: Duration::from_secs(10),
            email_claim: true,
        }
    }
}

#[derive(Debug, Clone)]
pub struct SessionService {
    pub(super) ports: Arc<Ports>,
    pub(super) throttle: Throttle,
    pub(super) settings: SessionSettings,
    pub(super) rotations: Arc<Rotations>,
}

/// What a client gets when it has signed in.
#[derive(Debug)]
pub struct SignIn {
    pub access_token: AccessToken,
    pub access_ttl: Duration,
    pub refresh_token: RefreshToken,
    /// From now, without a refresh.
    pub refresh_ttl: Duration,
    pub session: Session,
    pub user: User,
    /// Only from a device that was not known.
    pub device_token: Option<DeviceToken>,
}

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Unknown address, wrong password, none set, disabled or deleted: the caller is not told which.
    #[error("the address or the password is wrong")]
    InvalidCredentials,
    /// Unknown, expired, revoked or reused: the caller is not told which.
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
    /// One of these two, and the trail cannot be written: the caller is told that the service is unavailable.
    #[error("the attempt failed, and cannot be recorded")]
    Unrecorded(#[source] StoreError),
    #[error("no such session")]
    NotFound,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

lost_to_other!(SessionError);

impl Judged for SessionError {
    fn is_failure(&self) -> bool {
        matches!(self, Self::InvalidCredentials | Self::InvalidRefreshToken | Self::Unrecorded(_))
    }
}

impl SessionService {
    pub fn new(ports: Arc<Ports>, throttle: Throttle, settings: SessionSettings) -> Self {
        Self { ports, throttle, settings, rotations: Arc::new(Rotations::new()) }
    }

    /// The live ones, the newest first. Another's need `users:read`.
    pub async fn list(&self, authority: Authority<'_>, user: UserId) -> Result<Vec<Session>, SessionError> {
        self.admit(authority, Permission::UsersRead, user).await?;
        Ok(self.ports.store.sessions(user, self.ports.clock.now()).await?)
    }

    /// Lets users at their own sessions, and others with the permission at those of a user who exists.
    pub(super) async fn admit(
        &self,
        authority: Authority<'_>,
        permission: Permission,
        user: UserId,
    ) -> Result<(), SessionError> {
        if matches!(authority, Authority::User(caller) if caller.user.id == user) {
            return Ok(());
        }
        authority.require(permission, user)?;
        let exists = self.ports.store.user(user).await?.is_some();
        exists.then_some(()).ok_or(Denied::NotFound.into())
    }

    pub(super) fn sign_in(
        &self,
        user: User,
        session: Session,
        refresh_token: RefreshToken,
        device_token: Option<DeviceToken>,
    ) -> Result<SignIn, SessionError> {
        let now = self.ports.clock.now();
        let claims = AccessClaims {
            subject: user.id,
            session: session.id,
            id: TokenId::generate(&*self.ports.clock, &*self.ports.rng),
            issued_at: now,
            expires_at: now.plus(self.settings.access_ttl),
            authenticated_at: session.authenticated_at,
            amr: session.amr.clone(),
            roles: user.roles.clone(),
            email: self.settings.email_claim.then(|| user.email.as_written().to_owned()),
        };
        Ok(SignIn {
            access_token: self.ports.codec.sign(&claims)?,
            access_ttl: self.settings.access_ttl,
            refresh_ttl: session.idle_expires_at.since(now),
            refresh_token,
            session,
            user,
            device_token,
        })
    }
}
