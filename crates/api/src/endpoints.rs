//! Handlers, where their annotations say.
//!
//! An annotation says two things: where its handler is served, and what the OpenAPI document tells of it. The first is
//! asked when the service starts; the second only when the document is written, which is committed. See
//! docs/decisions/0020-the-document-is-a-file.md.

use crate::state::AppState;
use axum::Router;
use axum::handler::Handler;
use axum::routing::on;
use utoipa::Path;
use utoipa::openapi::HttpMethod;
use utoipa_axum::PathItemExt;

/// How routes begin that are about a user. Most often that is `me`, for whom there is a route without a parameter: axum
/// would copy it and its name with each request.
const OF_USER: &str = "/users/{user}";
pub(crate) const OF_ME: &str = "/users/me";

/// Routes, and what they serve.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    pub(crate) router: Router<AppState>,
    /// Each method of each route.
    pub(crate) operations: Vec<(&'static str, String)>,
}

impl Endpoints {
    /// `P` is the annotation of `handler`.
    pub(crate) fn serve<P: Path, T: 'static>(mut self, handler: &impl Handler<T, AppState>) -> Self {
        for method in P::methods() {
            let path = P::path();
            let of_me = path.strip_prefix(OF_USER).map(|rest| format!("{OF_ME}{rest}"));
            for path in of_me.iter().chain([&path]) {
                self.router = self.router.route(path, on(method.to_method_filter(), handler.clone()));
            }
            self.operations.push((name(&method), path));
        }
        self
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.operations.extend(other.operations);
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

/// Of a list of handlers, or of modules that have such a list: `routes`, which serves them, and `described`, which tells
/// of them.
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
