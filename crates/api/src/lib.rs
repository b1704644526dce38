//! The HTTP face of Vestibule. Handlers translate between the wire and the use cases of the domain, which decide.

#![forbid(unsafe_code)]

mod background;
mod docs;
mod endpoints;
mod error;
mod extract;
mod metrics;
mod middleware;
mod news;
mod openapi;
mod problem;
mod rate_limit;
mod readiness;
mod routes;
pub mod serve;
mod state;
#[cfg(test)]
mod testing;
mod text;

pub use docs::DOCUMENT;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use extract::fuzzing;
pub use openapi::openapi;
pub use state::{AppState, HttpSettings, Readiness};

use axum::Router;
use endpoints::Endpoints;

/// Everything for clients.
pub fn router(state: AppState) -> Router {
    let Endpoints { router, operations } = routes::routes();
    state.metrics.name_operations(operations);
    middleware::apply(router, &state).with_state(state)
}

/// Everything for operators, on a listener of its own.
pub fn ops_router(state: AppState) -> Router {
    let routes = routes::health::routes().router.merge(routes::metrics::routes());
    middleware::apply(routes, &state).with_state(state)
}
