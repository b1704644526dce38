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
pub(crate) use request_id::{RequestId, RequestIds};

use crate::state::AppState;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use tower::layer::layer_fn;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;
use tracing::Instrument;

/// One layer, because the router boxes and copies each anew with every request.
pub(crate) fn apply(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    let (state, cors) = (state.clone(), cors::allow(&state.http.cors_origins).map(Arc::new));
    routes.layer(layer_fn(move |route: Route| {
        let (state, cors) = (state.clone(), cors.clone());
        service_fn(move |request| around(request, state.clone(), cors.clone(), route.clone()))
    }))
}

/// From the outside in:
///
/// 1. request id: everything else names it, the answer to a panic included;
/// 2. span and access log: sees the final status and how long all the rest took;
/// 3. security headers: on every answer, whoever made it;
/// 4. problem renderer: outside everything that can fail, so that all failures look alike;
/// 5. framing: whose message it is must be beyond doubt before anything answers it, a preflight included;
/// 6. CORS: on errors too, or scripts could not read them; answers preflights without any work.
async fn around(
    mut request: Request,
    state: AppState,
    cors: Option<Arc<CorsLayer>>,
    route: Route,
) -> Result<Response, Infallible> {
    let id = request_id::assign(&mut request, &state);
    let exchange = trace::Exchange::begin(&request, &state, &id);
    let uri = request.uri().clone();
    let answer = pin!(async {
        match (framing::refusal(&request), cors) {
            (Some(refusal), _) => Ok(refusal.into_response()),
            (None, Some(cors)) if cors::concerns(&request) => {
                cors.layer(service_fn(|request| inside(request, route.clone()))).oneshot(request).await
            }
            (None, _) => inside(request, route).await,
        }
    });
    let mut response = answer.instrument(exchange.span.clone()).await?;
    problems::render(&mut response, &uri, &state, &id);
    security_headers::add(&mut response, &state);
    exchange.end(&response);
    request_id::tell(&id, &mut response);
    Ok(response)
}

/// Further in:
///
/// 7. panics;
/// 8. deadline: of everything that may wait;
/// 9. limits of URL and headers: before anything looks at them.
///
/// Futures are pinned where they are made, as whoever takes one by value makes a copy of it.
async fn inside(request: Request, mut route: Route) -> Result<Response, Infallible> {
    let deadline = deadline::of(&request);
    let work = pin!(async {
        match limits::refusal(&request) {
            Some(refusal) => refusal.into_response(),
            // A route is always ready.
            None => route.call(request).await.unwrap_or_else(|never| match never {}),
        }
    });
    Ok(panics::catch(deadline::enforce(deadline, work)).await)
}
