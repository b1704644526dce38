//! The claims of an access token (RFC 9068, section 2.2).

use super::compact::object;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashSet;
use std::fmt;
use vestibule_domain::Timestamp;
use vestibule_domain::access::RoleName;
use vestibule_domain::id::{SessionId, TokenId, UserId};
use vestibule_domain::token::service::LEEWAY;
use vestibule_domain::token::{AccessClaims, TokenFault, VerifiedToken};

/// Who issues the tokens, and for whom.
pub(super) struct Audience {
    pub(super) issuer: String,
    pub(super) audience: String,
}

#[derive(Clone, Serialize)]
pub(super) struct IssuedClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    sid: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    auth_time: i64,
    amr: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

impl<'a> IssuedClaims<'a> {
    pub(super) fn new(claims: &'a AccessClaims, audience: &'a Audience) -> Self {
        Self {
            iss: &audience.issuer,
            aud: &audience.audience,
            sub: claims.subject.to_string(),
            sid: claims.session.to_string(),
            jti: claims.id.to_string(),
            iat: claims.issued_at.as_secs(),
            nbf: claims.issued_at.as_secs(),
            exp: claims.expires_at.as_secs(),
            auth_time: claims.authenticated_at.as_secs(),
            amr: claims.amr.iter().map(|amr| amr.as_str()).collect(),
            roles: Some(claims.roles.iter().map(RoleName::as_str).collect()),
            email: claims.email.as_deref(),
        }
    }

    pub(super) fn without_email(&self) -> Self {
        Self { email: None, ..self.clone() }
    }

    pub(super) fn without_email_and_roles(&self) -> Self {
        Self { roles: None, ..self.without_email() }
    }
}

/// Known members must have their type, and none may come twice. Unknown ones are for a later version to know.
#[derive(Deserialize)]
pub(super) struct ReadClaims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    jti: String,
    iat: NumericDate,
    nbf: NumericDate,
    exp: NumericDate,
    auth_time: NumericDate,
    #[serde(rename = "amr")]
    _amr: Vec<String>,
    #[serde(rename = "roles")]
    _roles: Option<Vec<String>>,
    #[serde(rename = "email")]
    _email: Option<String>,
    #[serde(flatten)]
    _others: Distinct,
}

impl ReadClaims {
    pub(super) fn parse(json: &[u8]) -> Result<Self, TokenFault> {
        object(json).ok_or(TokenFault::Claims("they are not those of an access token"))
    }

    /// Everything but the time.
    pub(super) fn prove(&self, audience: &Audience) -> Result<Proof, TokenFault> {
        if self.iss != audience.issuer {
            return Err(TokenFault::Claims("iss is somebody else"));
        }
        if self.aud != audience.audience {
            return Err(TokenFault::Claims("aud is somebody else"));
        }
        if self.exp.0 <= self.iat.0 {
            return Err(TokenFault::Claims("exp is not after iat"));
        }
        let token = VerifiedToken {
            subject: UserId::parse(&self.sub).map_err(|_| TokenFault::Claims("sub is no id"))?,
            session: SessionId::parse(&self.sid).map_err(|_| TokenFault::Claims("sid is no id"))?,
            id: TokenId::parse(&self.jti).map_err(|_| TokenFault::Claims("jti is no id"))?,
            issued_at: self.iat.0,
            expires_at: self.exp.0,
        };
        Ok(Proof { token, begins_at: self.iat.0.max(self.nbf.0).max(self.auth_time.0) })
    }
}

/// What a token proves while its time lasts.
#[derive(Clone, Copy)]
pub(super) struct Proof {
    token: VerifiedToken,
    /// The latest of `iat`, `nbf` and `auth_time`.
    begins_at: Timestamp,
}

impl Proof {
    pub(super) fn at(self, now: Timestamp) -> Result<VerifiedToken, TokenFault> {
        if self.begins_at > now.plus(LEEWAY) {
            return Err(TokenFault::Claims("iat, nbf or auth_time lies ahead"));
        }
        // Last, because the client is told of it.
        if self.is_over(now) { Err(TokenFault::Expired) } else { Ok(self.token) }
    }

    pub(super) fn is_over(self, now: Timestamp) -> bool {
        now >= self.token.expires_at.plus(LEEWAY)
    }
}

/// RFC 7519, section 2, in whole seconds and not before 1970.
struct NumericDate(Timestamp);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        let millis = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000));
        millis.and_then(Timestamp::from_millis).map(Self).ok_or(Error::custom("beyond the calendar"))
    }
}

/// Members of any kind, each name once (RFC 8725, section 3.8; RFC 7519, section 4).
struct Distinct;

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for Distinct {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("members with different names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
            if !names.insert(name) {
                return Err(Error::custom("a name comes twice"));
            }
        }
        Ok(self)
    }
}
