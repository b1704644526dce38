//! The HTTP face of Vestibule. Handlers translate between the wire and the use cases of the domain, which decide.

mod background;
mod docs;
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

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use extract::fuzzing;
pub use openapi::openapi;
pub use state::{AppState, HttpSettings, Readiness};

use axum::Router;

/// Everything for clients.
pub fn router(state: AppState) -> Router {
    let document = docs::Document::default();
    let (routes, outline) = routes::public(document.clone()).split_for_parts();
    state.metrics.name_operations(&outline);
    document.write(outline, &state.http.public_url);
    middleware::apply(routes, &state).with_state(state)
}

/// Everything for operators, on a listener of its own.
pub fn ops_router(state: AppState) -> Router {
    let (routes, _) = routes::health::routes().split_for_parts();
    let routes = routes.merge(routes::metrics::routes());
    middleware::apply(routes, &state).with_state(state)
}
