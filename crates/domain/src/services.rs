//! The use cases and what they stand on.

use crate::access::{AccessService, AccessSettings, RoleCatalog};
use crate::audit::{AuditEvent, AuditKind, AuditRecord, AuditTally};
use crate::client::ClientService;
use crate::clock::Clock;
use crate::credential::{BreachedPasswords, CredentialService, PasswordHasher, PasswordPolicy, PasswordSettings};
use crate::drift::ClockDrift;
use crate::error::StoreError;
use crate::feed::{Change, RevocationService, Snapshots};
use crate::id::AuditEventId;
use crate::rng::Rng;
use crate::session::{RefreshSealer, SessionService, SessionSettings};
use crate::store::{Store, Transaction};
use crate::throttle::{KeyedHash, Throttle, ThrottleSettings};
use crate::token::{Algorithm, KeyGenerator, KeyService, KeySettings, TokenCodec};
use crate::user::{RegistrationMode, UserService, service::UserSettings};
use std::sync::Arc;

/// The outside, behind ports.
#[derive(Debug)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub hasher: Arc<dyn PasswordHasher>,
    pub breached: Arc<dyn BreachedPasswords>,
    pub codec: Arc<dyn TokenCodec>,
    pub sealer: Arc<dyn RefreshSealer>,
    pub key_generator: Arc<dyn KeyGenerator>,
    pub keyed_hash: Arc<dyn KeyedHash>,
    pub snapshots: Arc<Snapshots>,
    pub drift: Arc<ClockDrift>,
    pub tally: Arc<AuditTally>,
}

impl Ports {
    pub(crate) async fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        let work = self.store.begin().await?;
        Ok(Transaction::new(work, self))
    }

    /// For an event that goes with no other write.
    pub(crate) async fn record(&self, event: AuditEvent<'_>) -> Result<(), StoreError> {
        let kind = event.kind;
        self.store.record(&self.audit_record(event)).await?;
        self.committed(&[], &[kind]);
        Ok(())
    }

    /// The event, of now.
    pub(crate) fn audit_record<'a>(&self, event: AuditEvent<'a>) -> AuditRecord<'a> {
        AuditRecord { id: AuditEventId::generate(&*self.clock, &*self.rng), at: self.clock.now(), event }
    }

    /// Lets this process forget at once what the others learn from the feed, and counts what is in the trail.
    pub(crate) fn committed(&self, changes: &[Change], events: &[AuditKind]) {
        for change in changes {
            self.snapshots.apply(*change);
        }
        for event in events {
            self.tally.count(*event);
        }
    }
}

/// What an operator decides.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub registration: RegistrationMode,
    pub roles: RoleCatalog,
    pub sessions: SessionSettings,
    pub passwords: PasswordSettings,
    pub algorithm: Algorithm,
    pub limits: ThrottleSettings,
}

/// All use cases, for HTTP and for the command line alike.
#[derive(Debug, Clone)]
pub struct Services {
    pub ports: Arc<Ports>,
    pub users: UserService,
    pub credentials: CredentialService,
    pub sessions: SessionService,
    pub access: AccessService,
    pub keys: KeyService,
    pub clients: ClientService,
    pub revocations: RevocationService,
    pub password_policy: PasswordPolicy,
}

impl Services {
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let ports = Arc::new(ports);
        let roles = Arc::new(settings.roles);
        let users = UserSettings { registration: settings.registration, roles: Arc::clone(&roles) };
        let throttle = Throttle::new(Arc::clone(&ports), settings.limits);
        let access = AccessSettings { roles, email_claim: settings.sessions.email_claim };
        let keys = KeySettings { algorithm: settings.algorithm, access_ttl: settings.sessions.access_ttl };
        let passwords = PasswordPolicy { settings: settings.passwords, breached: Arc::clone(&ports.breached) };
        Self {
            users: UserService::new(Arc::clone(&ports), throttle.clone(), users),
            credentials: CredentialService::new(Arc::clone(&ports), throttle.clone()),
            revocations: RevocationService::new(Arc::clone(&ports), settings.sessions.access_ttl),
            sessions: SessionService::new(Arc::clone(&ports), throttle, settings.sessions),
            access: AccessService::new(Arc::clone(&ports), access),
            keys: KeyService::new(Arc::clone(&ports), keys),
            clients: ClientService::new(Arc::clone(&ports)),
            password_policy: passwords,
            ports,
        }
    }
}
