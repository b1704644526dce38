//! `GET /.well-known/jwks.json`: the public keys.

use crate::extract::Nothing;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CACHE_CONTROL;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::token::service::KEY_SET_MAX_AGE;
use vestibule_domain::token::{Jwk, JwkParameters};

/// A JWK Set (RFC 7517). Empty where tokens are signed with HS256: such tokens are for a single party.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeySet {
    keys: Vec<PublicKey>,
}

/// A public key; which members it has beside `kid`, `alg`, `use` and `kty` depends on `kty`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicKey {
    #[schema(format = "uuid", examples("0190b5a2-7c3e-7a00-8000-0000000000f1"))]
    kid: String,
    #[schema(pattern = "^(EdDSA|ES256|RS256)$", examples("EdDSA"))]
    alg: &'static str,
    #[serde(rename = "use")]
    #[schema(pattern = "^sig$", examples("sig"))]
    usage: &'static str,
    #[schema(pattern = "^(OKP|EC|RSA)$", examples("OKP"))]
    kty: &'static str,
    /// `Ed25519` for `OKP`, `P-256` for `EC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(Ed25519|P-256)$", examples("Ed25519"))]
    crv: Option<&'static str>,
    /// For `OKP` and `EC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$", examples("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))]
    x: Option<String>,
    /// For `EC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$")]
    y: Option<String>,
    /// For `RSA`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$")]
    n: Option<String>,
    /// For `RSA`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_-]+$")]
    e: Option<String>,
}

impl From<Jwk> for PublicKey {
    fn from(key: Jwk) -> Self {
        let common = Self {
            kid: key.id.to_string(),
            alg: key.algorithm.as_str(),
            usage: "sig",
            kty: "",
            crv: None,
            x: None,
            y: None,
            n: None,
            e: None,
        };
        match key.parameters {
            JwkParameters::Okp { x } => Self { kty: "OKP", crv: Some("Ed25519"), x: Some(x), ..common },
            JwkParameters::Ec { x, y } => Self { kty: "EC", crv: Some("P-256"), x: Some(x), y: Some(y), ..common },
            JwkParameters::Rsa { n, e } => Self { kty: "RSA", n: Some(n), e: Some(e), ..common },
        }
    }
}

/// Read the public keys
///
/// For whoever verifies access tokens. A key is published at least 10 minutes before it signs and stays as long as
/// anything it signed is good; the set may be kept for 5 minutes.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "Keys",
    responses(
        (status = 200, description = "The key set.", body = KeySet, headers(
            ("cache-control" = String, description = "`public, max-age=300`"),
        )),
    ),
)]
pub(super) async fn key_set(State(state): State<AppState>, Nothing: Nothing) -> impl IntoResponse {
    let keys = state.services.keys.public_keys().into_iter().map(PublicKey::from).collect();
    let caching = format!("public, max-age={}", KEY_SET_MAX_AGE.as_secs());
    ([(CACHE_CONTROL, caching)], Json(KeySet { keys }))
}
