//! What happens around every handler, and in which order.

mod cors;
mod deadline;
mod framing;
mod limits;
#[cfg(test)]
mod log_tests;
mod panics;
mod problems;
mod request_id;
mod security_headers;
#[cfg(test)]
mod tests;
mod trace;

pub(crate) use framing::Unread;
pub(crate) use request_id::RequestId;

use crate::state::AppState;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

/// From the outside in; `layer` puts each around those before it, so the list reads from the bottom.
///
/// 1. request id: everything else names it, the answer to a panic included;
/// 2. span and access log: sees the final status and how long all the rest took;
/// 3. security headers: on every answer, whoever made it;
/// 4. problem renderer: outside everything that can fail, so that all failures look alike;
/// 5. framing: whose message it is must be beyond doubt before anything answers it, a preflight included;
/// 6. CORS: on errors too, or scripts could not read them; answers preflights without any work;
/// 7. panics;
/// 8. deadline: of everything that may wait;
/// 9. limits of URL and headers: before anything looks at them.
pub(crate) fn apply(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    let routes = routes.layer(from_fn(limits::enforce)).layer(from_fn(deadline::enforce)).layer(panics::catch());
    let routes = match cors::allow(&state.http.cors_origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes
        .layer(from_fn(framing::enforce))
        .layer(from_fn_with_state(state.clone(), problems::render))
        .layer(from_fn_with_state(state.clone(), security_headers::add))
        .layer(from_fn_with_state(state.clone(), trace::record))
        .layer(from_fn_with_state(state.clone(), request_id::assign))
}
