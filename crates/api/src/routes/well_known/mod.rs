//! What other services look for in fixed places (RFC 8615); public keys have a module of their own.

mod metadata;
pub(crate) mod revocations;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(metadata::server_metadata)).routes(routes!(revocations::list_revocations))
}
