//! What a token is worth, for services that ask (RFC 7662).

use super::{AccessError, AccessService, Freshness};
use crate::error::StoreError;
use crate::feed::Principal;
use crate::session::store::RefreshStanding;
use crate::session::{RefreshToken, Session};
use crate::token::VerifiedToken;
use crate::user::Status;
use std::sync::Arc;

/// A token that is good now.
#[derive(Debug)]
pub enum Introspection {
    Access {
        token: VerifiedToken,
        /// As known within a second, which is later than when the token was signed.
        principal: Arc<Principal>,
        /// The address, unless the operator keeps it out of tokens.
        username: Option<String>,
    },
    Refresh(Session),
}

impl AccessService {
    /// `None` for whatever is not an access token or the current refresh token of a live session, without a reason: a
    /// caller has no use for it, and a thief would.
    pub async fn introspect(&self, token: &str) -> Result<Option<Introspection>, StoreError> {
        match RefreshToken::parse(token) {
            Ok(token) => self.introspect_refresh(&token).await,
            Err(_) => self.introspect_access(token).await,
        }
    }

    async fn introspect_access(&self, token: &str) -> Result<Option<Introspection>, StoreError> {
        let (token, principal) = match self.identify(token, Freshness::Feed).await {
            Ok(identified) => identified,
            Err(AccessError::Store(error)) => return Err(error),
            Err(AccessError::Token(_) | AccessError::SessionOver) => return Ok(None),
        };
        // Without the leeway for other clocks: here nobody else's counts, and `exp` is part of the answer.
        let is_good = self.ports.clock.now() < token.expires_at;
        let username = self.settings.email_claim.then(|| principal.user.email.as_written().to_owned());
        Ok(is_good.then_some(Introspection::Access { token, principal, username }))
    }

    async fn introspect_refresh(&self, token: &RefreshToken) -> Result<Option<Introspection>, StoreError> {
        let now = self.ports.clock.now();
        let found = self.ports.store.find_refresh(&token.hash()).await?.filter(|found| {
            !found.ended
                && !found.session.is_expired(now)
                && found.user.status == Status::Active
                && matches!(found.standing, RefreshStanding::Current)
        });
        Ok(found.map(|found| Introspection::Refresh(found.session)))
    }
}
