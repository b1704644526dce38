//! What other services ask about tokens.

mod introspect;
mod revoke;

use crate::endpoints::endpoints;
use utoipa::ToSchema;

endpoints!(introspect::introspect_token, revoke::revoke_token);

/// A form (RFC 6749, appendix B). Parameters that are not known here are ignored.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what `FromClient` reads")]
pub(crate) struct TokenRequest {
    /// An access token or a refresh token.
    #[schema(min_length = 1, write_only)]
    token: String,
    /// `access_token` or `refresh_token`. Changes nothing: the two cannot be mistaken for each other.
    token_type_hint: Option<String>,
    /// In the place of the header, together with `client_secret`.
    #[schema(format = "uuid")]
    client_id: Option<String>,
    #[schema(pattern = "^vcs_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", write_only)]
    client_secret: Option<String>,
}
