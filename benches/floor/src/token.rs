//! Access tokens as any service would make them.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

const HOUR: u64 = 3_600;

pub(crate) struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    header: Header,
}

/// As many as Vestibule's have, so that tokens are of one size.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    pub(crate) sub: String,
    sid: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    auth_time: u64,
    amr: Vec<String>,
    roles: Vec<String>,
    pub(crate) email: String,
}

/// What `GET /users/me` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Profile<'a> {
    id: &'a str,
    email: &'a str,
    email_verified: bool,
    name: &'static str,
    status: &'static str,
    roles: &'a [String],
    created_at: &'static str,
    updated_at: &'static str,
    last_login_at: &'static str,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        let key = Ed25519KeyPair::generate().expect("a key");
        let pkcs8 = key.to_pkcs8().expect("a key in PKCS #8");
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&["vestibule"]);
        Self {
            signing: EncodingKey::from_ed_der(pkcs8.as_ref()),
            verifying: DecodingKey::from_ed_der(key.public_key().as_ref()),
            validation,
            header: Header { typ: Some("at+jwt".to_owned()), kid: Some(random_id()), ..Header::new(Algorithm::EdDSA) },
        }
    }

    pub(crate) fn sign(&self, email: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
        let claims = Claims {
            iss: "http://localhost:8080".to_owned(),
            aud: "vestibule".to_owned(),
            sub: random_id(),
            sid: random_id(),
            jti: random_id(),
            iat: now,
            nbf: now,
            exp: now + HOUR,
            auth_time: now,
            amr: vec!["pwd".to_owned()],
            roles: vec!["user".to_owned()],
            email: email.to_owned(),
        };
        encode(&self.header, &claims, &self.signing).expect("a token")
    }

    /// From `Authorization`.
    pub(crate) fn verify(&self, header: &str) -> Option<Claims> {
        let token = header.strip_prefix("Bearer ")?;
        decode::<Claims>(token, &self.verifying, &self.validation).ok().map(|token| token.claims)
    }
}

impl Claims {
    pub(crate) fn profile(&self) -> String {
        let profile = Profile {
            id: &self.sub,
            email: &self.email,
            email_verified: false,
            name: "Ada Lovelace",
            status: "active",
            roles: &self.roles,
            created_at: "2026-11-23T18:53:24.123Z",
            updated_at: "2026-11-23T18:53:24.123Z",
            last_login_at: "2026-11-23T18:53:24.123Z",
        };
        serde_json::to_string(&profile).expect("JSON")
    }
}

/// In the form of a UUID.
pub(crate) fn random_id() -> String {
    let [a, b] = [random::<8>(), random::<8>()].map(u64::from_be_bytes);
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xffff, b >> 48, b & 0xffff_ffff_ffff)
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("randomness");
    bytes
}

/// A refresh token of the session, and what is stored of it.
pub(crate) fn refresh_token(session: &str) -> (String, Vec<u8>) {
    let token = format!("{session}{}", URL_SAFE_NO_PAD.encode(random::<32>()));
    let hash = digest(&token);
    (token, hash)
}

/// The session of a refresh token.
pub(crate) fn session(token: &str) -> &str {
    token.get(..36).unwrap_or_default()
}

pub(crate) fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
