//! Which handler a request is for, and what log and metrics call it.

use crate::endpoints::{Answering, Endpoint, Endpoints, Handle};
use crate::extract::Segments;
use crate::metrics::Operation;
use crate::state::AppState;
use axum::extract::Request;
use axum::response::IntoResponse;
use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};
use matchit::Router;
use std::collections::BTreeMap;
use std::fmt;
use std::future::ready;
use std::sync::Arc;

/// All routes of an application.
#[derive(Debug)]
pub(crate) struct Routes {
    by_path: Router<Route>,
    /// Counts the answers to whatever no endpoint is for, and those to HEAD.
    other: Operation,
}

#[derive(Debug)]
struct Route {
    name: Arc<str>,
    methods: Vec<Served>,
    allow: HeaderValue,
    has_parameters: bool,
}

struct Served {
    method: &'static str,
    operation: Operation,
    handle: Handle,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matched<'a> {
    routes: &'a Routes,
    route: Option<&'a Route>,
    served: Option<&'a Served>,
    pub(crate) operation: &'a Operation,
}

impl Routes {
    pub(crate) fn new(endpoints: Endpoints) -> Self {
        let mut routes: BTreeMap<_, (Arc<str>, Vec<Served>)> = BTreeMap::new();
        for Endpoint { method, path, route, handle } in endpoints.0 {
            let served = Served { method, operation: Operation::new(method, Arc::clone(&route)), handle };
            routes.entry(path).or_insert_with(|| (route, Vec::new())).1.push(served);
        }
        let mut by_path = Router::new();
        for (path, (name, methods)) in routes {
            let has_parameters = path.contains('{');
            // A path that is in conflict with another would be missing: a test asks for each endpoint.
            let _ = by_path.insert(path, Route { name, allow: allow(&methods), methods, has_parameters });
        }
        Self { by_path, other: Operation::new("other", Arc::from("other")) }
    }

    pub(crate) fn find(&self, request: &Request) -> Matched<'_> {
        let route = self.by_path.at(request.uri().path()).ok().map(|found| found.value);
        let served = route.and_then(|route| route.find(request.method().as_str()));
        let operation = served.map_or(&self.other, |served| &served.operation);
        // RFC 9110, section 9.3.2.
        let by_get = || route?.find("GET").filter(|_| request.method() == Method::HEAD);
        Matched { routes: self, route, served: served.or_else(by_get), operation }
    }
}

impl Route {
    fn find(&self, method: &str) -> Option<&Served> {
        self.methods.iter().find(|served| served.method == method)
    }
}

impl<'a> Matched<'a> {
    /// The path of the route, as the document has it, whatever the method.
    pub(crate) fn route(&self) -> Option<&'a str> {
        self.route.map(|route| &*route.name)
    }

    /// The handler's. Without a handler: 405 with `Allow`, or 404 where there is no such path.
    pub(crate) fn answer(&self, mut request: Request, state: &AppState) -> Answering {
        let refusal = match (self.served, self.route) {
            (Some(served), Some(route)) => {
                if route.has_parameters
                    && let Ok(found) = self.routes.by_path.at(request.uri().path())
                {
                    let segments = Segments::decode(&found.params);
                    request.extensions_mut().insert(segments);
                }
                return (served.handle)(request, state.clone());
            }
            (None, Some(route)) => (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, route.allow.clone())]).into_response(),
            (_, None) => StatusCode::NOT_FOUND.into_response(),
        };
        Box::pin(ready(refusal))
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operation.fmt(f)
    }
}

/// RFC 9110, section 10.2.1. Whoever answers to GET answers to HEAD.
fn allow(methods: &[Served]) -> HeaderValue {
    let names = methods.iter().map(|served| if served.method == "GET" { "GET,HEAD" } else { served.method });
    // Names of methods: this cannot fail.
    HeaderValue::try_from(names.collect::<Vec<_>>().join(",")).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes;
    use axum::body::Body;
    use std::collections::BTreeSet;
    use std::ptr;

    fn request(method: &str, path: &str) -> Request {
        Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
    }

    #[test]
    fn each_endpoint_is_found_and_any_method_has_the_route() {
        for endpoints in [routes::routes, crate::for_operators] {
            let (table, mut seen) = (Routes::new(endpoints()), BTreeSet::new());
            let find = |method: &str, path: &str| {
                let matched = table.find(&request(method, path));
                let method = matched.served.map(|served| served.method);
                (matched.route().map(str::to_owned), method, !ptr::eq(matched.operation, &raw const table.other))
            };
            for Endpoint { method, path, route, .. } in endpoints().0 {
                assert!(seen.insert((method, path.clone())), "{method} {path} is there twice");
                let (path, route) = (path.replace(['{', '}'], ""), Some(route.to_string()));
                assert_eq!(find(method, &path), (route.clone(), Some(method), true));
                assert_eq!(find("BREW", &path), (route.clone(), None, false));
                if method == "GET" {
                    assert_eq!(find("HEAD", &path), (route, Some("GET"), false));
                }
            }
            for nothing in ["/no/such", "/users/", "/login/", "/users/a/b/c", "//users", "/USERS", "*", "a:80"] {
                assert_eq!(find("GET", nothing), (None, None, false), "{nothing}");
            }
        }
    }
}
