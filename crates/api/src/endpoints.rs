//! Handlers, where their annotations say.
//!
//! An annotation says two things: where its handler is served, and what the OpenAPI document tells of it. The first is
//! asked when the service starts; the second only when the document is written, which is committed. See
//! docs/decisions/0020-the-document-is-a-file.md.

use crate::state::AppState;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use std::pin::Pin;
use std::sync::Arc;
use utoipa::Path;
use utoipa::openapi::HttpMethod;

/// How routes begin that are about a user. Most often that is `me`: a route of its own, without a parameter, saves
/// decoding one with each request.
const OF_USER: &str = "/users/{user}";
pub(crate) const OF_ME: &str = "/users/me";

/// A handler at work, in the box that axum gives it: another would be one more allocation.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;
pub(crate) type Handle = Arc<dyn Fn(Request, AppState) -> Answering + Send + Sync>;

/// One method of one path.
pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// The path as document, log and metrics name it.
    pub(crate) route: Arc<str>,
    pub(crate) handle: Handle,
}

#[derive(Default)]
pub(crate) struct Endpoints(pub(crate) Vec<Endpoint>);

impl Endpoints {
    /// Where `P`, the annotation of `handler`, says.
    pub(crate) fn serve<P: Path, T: 'static>(self, handler: &impl Handler<T, AppState, Future = Answering>) -> Self {
        P::methods().iter().fold(self, |endpoints, method| endpoints.at(name(method), &P::path(), handler.clone()))
    }

    /// Where no annotation says.
    pub(crate) fn at<T: 'static>(
        mut self,
        method: &'static str,
        path: &str,
        handler: impl Handler<T, AppState, Future = Answering>,
    ) -> Self {
        let handle: Handle = Arc::new(move |request, state| handler.clone().call(request, state));
        let route = Arc::from(path);
        let of_me = path.strip_prefix(OF_USER).map(|rest| format!("{OF_ME}{rest}"));
        for path in of_me.into_iter().chain([path.to_owned()]) {
            self.0.push(Endpoint { method, path, route: Arc::clone(&route), handle: Arc::clone(&handle) });
        }
        self
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

fn name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Head => "HEAD",
        HttpMethod::Options => "OPTIONS",
        HttpMethod::Trace => "TRACE",
    }
}

/// Of a list of handlers, or of modules that have such a list: `routes`, which serves them, and `described`, which
/// tells of them.
macro_rules! endpoints {
    ($($module:ident :: $handler:ident),+ $(,)?) => {
        pub(crate) fn routes() -> $crate::endpoints::Endpoints {
            utoipa_axum::paste! {
                $crate::endpoints::Endpoints::default()
                    $(.serve::<$module::[<__path_ $handler>], _>(&$module::$handler))+
            }
        }

        pub(crate) fn described() -> utoipa_axum::router::OpenApiRouter<$crate::AppState> {
            utoipa_axum::router::OpenApiRouter::new()$(.routes(utoipa_axum::routes!($module::$handler)))+
        }
    };
    (all of $($module:ident),+ $(,)?) => {
        pub(crate) fn routes() -> $crate::endpoints::Endpoints {
            $crate::endpoints::Endpoints::default()$(.merge($module::routes()))+
        }

        pub(crate) fn described() -> utoipa_axum::router::OpenApiRouter<$crate::AppState> {
            utoipa_axum::router::OpenApiRouter::new()$(.merge($module::described()))+
        }
    };
}

pub(crate) use endpoints;
