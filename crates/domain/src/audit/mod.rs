//! The audit trail: one event for each decision that matters to security, written in the transaction of the change
//! it tells of, never altered.

pub mod store;
mod tally;

pub use tally::AuditTally;

use crate::access::Authority;
use crate::clock::Timestamp;
use crate::context::RequestContext;
use crate::id::{AuditEventId, ClientId, KeyId, SessionId, UserId};

/// What happened. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditKind {
    UserRegistered,
    /// The address was taken.
    RegistrationRefused,
    ProfileChanged,
    UserDeleted,
    UserDisabled,
    UserEnabled,
    /// What was counted against strangers at the account is forgotten.
    UserUnlocked,
    RolesChanged,
    PasswordChanged,
    PasswordChangeFailed,
    PasswordFoundBreached,
    LoginSucceeded,
    LoginFailed,
    SessionEnded,
    SessionsEnded,
    RefreshFailed,
    RefreshTokenReused,
    KeyAdded,
    KeyRevoked,
    /// Too many failures: an account or an address is closed to strangers for long.
    ThrottleClosed,
    ClientCreated,
    ClientDeleted,
}

impl AuditKind {
    pub const ALL: [Self; 22] = [
        Self::UserRegistered,
        Self::RegistrationRefused,
        Self::ProfileChanged,
        Self::UserDeleted,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserUnlocked,
        Self::RolesChanged,
        Self::PasswordChanged,
        Self::PasswordChangeFailed,
        Self::PasswordFoundBreached,
        Self::LoginSucceeded,
        Self::LoginFailed,
        Self::SessionEnded,
        Self::SessionsEnded,
        Self::RefreshFailed,
        Self::RefreshTokenReused,
        Self::KeyAdded,
        Self::KeyRevoked,
        Self::ThrottleClosed,
        Self::ClientCreated,
        Self::ClientDeleted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserRegistered => "user.registered",
            Self::RegistrationRefused => "user.registration_refused",
            Self::ProfileChanged => "user.profile_changed",
            Self::UserDeleted => "user.deleted",
            Self::UserDisabled => "user.disabled",
            Self::UserEnabled => "user.enabled",
            Self::UserUnlocked => "user.unlocked",
            Self::RolesChanged => "user.roles_changed",
            Self::PasswordChanged => "password.changed",
            Self::PasswordChangeFailed => "password.change_failed",
            Self::PasswordFoundBreached => "password.found_breached",
            Self::LoginSucceeded => "login.succeeded",
            Self::LoginFailed => "login.failed",
            Self::SessionEnded => "session.ended",
            Self::SessionsEnded => "session.all_ended",
            Self::RefreshFailed => "refresh.failed",
            Self::RefreshTokenReused => "refresh_token.reused",
            Self::KeyAdded => "key.added",
            Self::KeyRevoked => "key.revoked",
            Self::ThrottleClosed => "throttle.closed",
            Self::ClientCreated => "client.created",
            Self::ClientDeleted => "client.deleted",
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    User(UserId),
    /// Another service; [`AuditEvent::client`] tells which.
    Client,
    Operator,
    /// Somebody without a valid token.
    Anonymous,
    /// The service of its own accord.
    Service,
}

impl Actor {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Client => "client",
            Self::Operator => "operator",
            Self::Anonymous => "anonymous",
            Self::Service => "service",
        }
    }

    pub fn user(self) -> Option<UserId> {
        if let Self::User(user) = self { Some(user) } else { None }
    }
}

#[derive(Debug, Clone)]
pub struct AuditEvent<'a> {
    pub kind: AuditKind,
    pub actor: Actor,
    /// Whom it concerns; none if a login named no known account.
    pub subject: Option<UserId>,
    pub session: Option<SessionId>,
    /// Which signing key was added or revoked.
    pub key: Option<KeyId>,
    /// Which client did it, or was made or ended.
    pub client: Option<ClientId>,
    /// Why, as a stable word.
    pub reason: Option<&'static str>,
    pub context: &'a RequestContext,
}

/// An event as it stands in the trail.
#[derive(Debug, Clone)]
pub struct AuditRecord<'a> {
    pub id: AuditEventId,
    pub at: Timestamp,
    pub event: AuditEvent<'a>,
}

impl<'a> AuditEvent<'a> {
    /// About a user, by that user, until [`AuditEvent::by`] says otherwise.
    pub fn of(kind: AuditKind, subject: UserId, context: &'a RequestContext) -> Self {
        Self { subject: Some(subject), ..Self::anonymous(kind, context) }.with_actor(Actor::User(subject))
    }

    pub fn anonymous(kind: AuditKind, context: &'a RequestContext) -> Self {
        Self {
            kind,
            actor: Actor::Anonymous,
            subject: None,
            session: None,
            key: None,
            client: None,
            reason: None,
            context,
        }
    }

    /// About a signing key, by the service itself, until [`AuditEvent::with_actor`] says otherwise.
    pub fn of_key(kind: AuditKind, key: KeyId, context: &'a RequestContext) -> Self {
        Self { key: Some(key), ..Self::anonymous(kind, context) }.with_actor(Actor::Service)
    }

    #[must_use]
    pub fn by(self, authority: Authority<'_>) -> Self {
        self.with_actor(match authority {
            Authority::User(caller) => Actor::User(caller.user.id),
            Authority::Operator => Actor::Operator,
        })
    }

    #[must_use]
    pub fn with_actor(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    #[must_use]
    pub fn about(self, subject: Option<UserId>) -> Self {
        Self { subject, ..self }
    }

    #[must_use]
    pub fn in_session(self, session: SessionId) -> Self {
        Self { session: Some(session), ..self }
    }

    #[must_use]
    pub fn of_client(self, client: ClientId) -> Self {
        Self { client: Some(client), ..self }
    }

    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }
}
