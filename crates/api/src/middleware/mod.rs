//! What happens around every handler, and in which order.

mod cors;
mod deadline;
mod framing;
mod head;
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

use crate::endpoints::Endpoints;
use crate::routing::{Matched, Routes};
use crate::state::AppState;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::Method;
use http::uri::PathAndQuery;
use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;

/// Routes, and the middleware around them: calls of functions, because each layer of axum's router would be boxed and
/// copied with every request (docs/decisions/0030). A pointer.
#[derive(Debug, Clone)]
pub struct App(Arc<Stack>);

#[derive(Debug)]
struct Stack {
    state: AppState,
    routes: Routes,
    cors: Option<CorsLayer>,
}

impl App {
    pub(crate) fn new(endpoints: Endpoints, state: AppState) -> Self {
        let (routes, cors) = (Routes::new(endpoints), cors::allow(&state.http.cors_origins));
        Self(Arc::new(Stack { state, routes, cors }))
    }
}

impl Service<Request> for App {
    type Response = Response;
    type Error = Infallible;
    /// In a box, so that a connection without a request has no room for one.
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let stack = Arc::clone(&self.0);
        Box::pin(async move { Ok(stack.outside(&mut request).await) })
    }
}

/// A request is borrowed all the way in, and futures are pinned where they are made: whoever takes one by value keeps a
/// copy of it.
impl Stack {
    /// From the outside in:
    ///
    /// 1. request id: everything else names it, the answer to a panic included;
    /// 2. span and access log: sees the final status and how long all the rest took;
    /// 3. HEAD: outside whatever writes a body;
    /// 4. security headers: on every answer, whoever made it;
    /// 5. problem renderer: outside everything that can fail, so that all failures look alike.
    async fn outside(&self, request: &mut Request) -> Response {
        let id = request_id::assign(request, &self.state);
        let matched = self.routes.find(request);
        let exchange = trace::Exchange::begin(request, &self.state, matched, &id);
        let is_head = request.method() == Method::HEAD;
        let target = target(request);
        let mut answer = pin!(async {
            let mut response = self.around(request, matched).await;
            problems::render(&mut response, target.as_ref(), &self.state, &id);
            security_headers::add(&mut response, &self.state);
            if is_head {
                head::take_body(&mut response);
            }
            exchange.end(&response, &self.state);
            request_id::tell(&id, &mut response);
            response
        });
        // `Instrument` would enter the span once more, to drop what is done.
        poll_fn(|cx| exchange.span.in_scope(|| answer.as_mut().poll(cx))).await
    }

    /// Further in:
    ///
    /// 6. framing: whose message it is must be beyond doubt before anything answers it, a preflight included;
    /// 7. CORS: on errors too, or scripts could not read them; answers preflights without any work.
    async fn around(&self, request: &mut Request, matched: Matched<'_>) -> Response {
        if let Some(refusal) = framing::refusal(request) {
            return refusal.into_response();
        }
        match &self.cors {
            Some(cors) if cors::concerns(request) => {
                // In a box, or every request would have room for it.
                let inside = async |mut request| Ok(self.inside(&mut request, matched).await);
                let answer = cors.layer(service_fn(inside)).oneshot(mem::take(request));
                Box::pin(answer).await.unwrap_or_else(|never: Infallible| match never {})
            }
            _ => self.inside(request, matched).await,
        }
    }

    /// And in:
    ///
    /// 8. panics;
    /// 9. deadline: of everything that may wait;
    /// 10. limits of URL and headers: before anything but routing looks at them.
    async fn inside(&self, request: &mut Request, matched: Matched<'_>) -> Response {
        let deadline = deadline::of(request);
        let work = pin!(async {
            if let Some(refusal) = limits::refusal(request) {
                return refusal.into_response();
            }
            matched.answer(mem::take(request), &self.state).await
        });
        let answer = panics::catch(pin!(deadline::enforce(deadline, work))).await.flatten();
        answer.unwrap_or_else(IntoResponse::into_response)
    }
}

/// A copy, if the request has a body: most that have one wait for something, and a part of the buffer in which the head
/// came would keep all its 8 KiB meanwhile.
fn target(request: &Request) -> Option<PathAndQuery> {
    let target = request.uri().path_and_query()?;
    if request.body().is_end_stream() {
        return Some(target.clone());
    }
    PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(target.as_str().as_bytes())).ok()
}
