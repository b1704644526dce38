//! `GET /.well-known/oauth-authorization-server`: what other services need to know (RFC 8414).

use super::revocations;
use crate::extract::Nothing;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CACHE_CONTROL;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::token::service::KEY_SET_MAX_AGE;

/// How a client can authenticate itself.
const METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// Where things are. Tokens are handed out by `POST /login`, not by a grant of OAuth: there is no endpoint for one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerMetadata {
    /// `iss` of every access token.
    #[schema(examples("https://auth.example.com"))]
    issuer: String,
    #[schema(format = "uri")]
    jwks_uri: String,
    #[schema(format = "uri")]
    introspection_endpoint: String,
    #[schema(value_type = Vec<String>)]
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    #[schema(format = "uri")]
    revocation_endpoint: String,
    #[schema(value_type = Vec<String>)]
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    /// None.
    #[schema(value_type = Vec<String>)]
    response_types_supported: [&'static str; 0],
    /// None, which has to be said: left out, it would mean two.
    #[schema(value_type = Vec<String>)]
    grant_types_supported: [&'static str; 0],
    #[schema(format = "uri")]
    service_documentation: String,
    /// An extension: `GET /.well-known/revocations`.
    #[schema(format = "uri")]
    revocations_endpoint: String,
}

/// Read the server metadata
///
/// For libraries that find their way by themselves (RFC 8414). May be kept for 5 minutes.
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "Keys",
    responses(
        (status = 200, description = "The metadata.", body = ServerMetadata, headers(
            ("cache-control" = String, description = "`public, max-age=300`"),
        )),
    ),
)]
pub(super) async fn server_metadata(State(state): State<AppState>, Nothing: Nothing) -> impl IntoResponse {
    let link = |path| format!("{}{path}", state.http.public_url);
    let metadata = ServerMetadata {
        issuer: state.services.ports.codec.issuer().to_owned(),
        jwks_uri: link("/.well-known/jwks.json"),
        introspection_endpoint: link("/introspect"),
        introspection_endpoint_auth_methods_supported: METHODS,
        revocation_endpoint: link("/revoke"),
        revocation_endpoint_auth_methods_supported: METHODS,
        response_types_supported: [],
        grant_types_supported: [],
        service_documentation: link("/docs"),
        revocations_endpoint: link(revocations::PATH),
    };
    ([(CACHE_CONTROL, format!("public, max-age={}", KEY_SET_MAX_AGE.as_secs()))], Json(metadata))
}
