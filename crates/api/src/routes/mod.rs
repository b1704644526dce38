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

use crate::docs::Document;
use crate::state::AppState;
use crate::{docs, openapi, problem};
use utoipa_axum::router::OpenApiRouter;

/// With what the OpenAPI document says of each; `document` is what is shown of it.
pub(crate) fn public(document: Document) -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::outline())
        .merge(users::routes())
        .merge(sessions::routes())
        .merge(clients::routes())
        .merge(keys::routes())
        .merge(well_known::routes())
        .merge(health::routes())
        .merge(docs::routes(document))
        .merge(problem::page::routes())
}
