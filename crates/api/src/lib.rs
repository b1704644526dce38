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
mod routing;
pub mod serve;
mod state;
#[cfg(test)]
mod testing;
mod text;

pub use docs::DOCUMENT;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use extract::fuzzing;
pub use middleware::App;
pub use openapi::openapi;
pub use state::{AppState, HttpSettings, Readiness};

/// Everything for clients.
pub fn app(state: AppState) -> App {
    App::new(routes::routes(), state)
}

/// Everything for operators, on a listener of its own.
pub fn ops_app(state: AppState) -> App {
    App::new(for_operators(), state)
}

fn for_operators() -> endpoints::Endpoints {
    routes::health::routes().merge(routes::metrics::routes())
}
