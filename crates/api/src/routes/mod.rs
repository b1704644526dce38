//! All routes; one file for each endpoint.

mod clients;
pub(crate) mod health;
mod keys;
pub(crate) mod metrics;
mod sessions;
#[cfg(test)]
mod tests;
mod users;
pub(crate) mod well_known;

use crate::endpoints::Endpoints;
use crate::state::AppState;
use crate::{docs, openapi, problem};
use utoipa_axum::router::OpenApiRouter;

/// For clients.
pub(crate) fn public() -> Endpoints {
    users::routes()
        .merge(sessions::routes())
        .merge(clients::routes())
        .merge(keys::routes())
        .merge(well_known::routes())
        .merge(health::routes())
        .merge(docs::routes())
        .merge(problem::routes())
}

/// What the OpenAPI document says of each.
pub(crate) fn described() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::outline())
        .merge(users::described())
        .merge(sessions::described())
        .merge(clients::described())
        .merge(keys::described())
        .merge(well_known::described())
        .merge(health::described())
        .merge(docs::described())
        .merge(problem::described())
}
