//! From an access token to a caller.

use super::{Caller, RoleCatalog};
use crate::error::StoreError;
use crate::feed::Principal;
use crate::services::Ports;
use crate::token::{TokenFault, VerifiedToken};
use std::sync::Arc;

/// How the caller's session and roles are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// From memory while the change feed keeps it right, which is within a second of any change anywhere.
    Feed,
    /// From the store, now: for administration and changes of credentials.
    Store,
}

#[derive(Debug, Clone)]
pub struct AccessService {
    pub(super) ports: Arc<Ports>,
    pub(super) settings: AccessSettings,
}

#[derive(Debug, Clone)]
pub struct AccessSettings {
    pub roles: Arc<RoleCatalog>,
    /// Whether services that check tokens learn the address.
    pub email_claim: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(transparent)]
    Token(#[from] TokenFault),
    /// The signature is good, but the session has ended or the user is gone or disabled.
    #[error("the session is over")]
    SessionOver,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessService {
    pub fn new(ports: Arc<Ports>, settings: AccessSettings) -> Self {
        Self { ports, settings }
    }

    pub async fn authenticate(&self, token: &str, freshness: Freshness) -> Result<Caller, AccessError> {
        let (_, principal) = self.identify(token, freshness).await?;
        Ok(Caller { principal, roles: Arc::clone(&self.settings.roles) })
    }

    pub(super) async fn identify(
        &self,
        token: &str,
        freshness: Freshness,
    ) -> Result<(VerifiedToken, Arc<Principal>), AccessError> {
        let now = self.ports.clock.now();
        let token = self.ports.codec.verify(token, now)?;
        let remembered = match freshness {
            Freshness::Feed => self.remembered(&token),
            Freshness::Store => None,
        };
        let (principal, now) = match remembered {
            Some(principal) => (principal, now),
            // While the store was asked the session may have ended.
            None => (self.load(&token).await?, self.ports.clock.now()),
        };
        let alive = principal.user.id == token.subject && principal.is_alive(now);
        alive.then_some((token, principal)).ok_or(AccessError::SessionOver)
    }

    fn remembered(&self, token: &VerifiedToken) -> Option<Arc<Principal>> {
        self.ports.snapshots.get(token.session, self.ports.clock.monotonic())
    }

    async fn load(&self, token: &VerifiedToken) -> Result<Arc<Principal>, AccessError> {
        // Taken before reading: what changes in between makes the snapshot worthless.
        let (generation, read_at) = (self.ports.snapshots.generation(), self.ports.clock.monotonic());
        let principal = self.ports.store.principal(token.session).await?.ok_or(AccessError::SessionOver)?;
        let principal = Arc::new(principal);
        self.ports.snapshots.insert(&principal, generation, read_at);
        Ok(principal)
    }
}
