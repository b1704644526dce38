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

use crate::state::AppState;
use crate::{docs, openapi, problem};
use utoipa_axum::router::OpenApiRouter;

/// With what the OpenAPI document says of each.
pub(crate) fn public() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::outline())
        .merge(users::routes())
        .merge(sessions::routes())
        .merge(clients::routes())
        .merge(keys::routes())
        .merge(well_known::routes())
        .merge(health::routes())
        .merge(docs::routes())
        .merge(problem::page::routes())
}
