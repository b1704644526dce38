//! Which handler a request is for, and what log and metrics call it.

use crate::endpoints::{Answering, Endpoint, Endpoints, Handle};
use crate::metrics::Operation;
use crate::state::AppState;
use axum::extract::{FromRequestParts, Request};
use axum::response::IntoResponse;
use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use matchit::{Params, Router};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::sync::Arc;

/// All routes of an application.
#[derive(Debug)]
pub(crate) struct Routes {
    by_path: Router<Route>,
    /// Whatever is none of the others.
    other: Operation,
}

#[derive(Debug)]
struct Route {
    name: Arc<str>,
    methods: Vec<Served>,
    allow: HeaderValue,
}

struct Served {
    operation: Operation,
    handle: Handle,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matched<'a> {
    route: Option<&'a Route>,
    served: Option<&'a Served>,
    pub(crate) operation: &'a Operation,
}

/// What stands in a path for the parameters of its route.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments(Vec<(String, String)>);

impl Routes {
    /// Of two that are the same the latter is not there.
    pub(crate) fn new(endpoints: Endpoints) -> Self {
        let mut by_path: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for endpoint in endpoints.0 {
            by_path.entry(endpoint.path.clone()).or_default().push(endpoint);
        }
        let mut routes = Router::new();
        for (path, endpoints) in by_path {
            let Some(name) = endpoints.first().map(|endpoint| Arc::clone(&endpoint.route)) else { continue };
            let methods: Vec<_> = endpoints.into_iter().map(Served::from).collect();
            let _ = routes.insert(path, Route { name, allow: allow(&methods), methods });
        }
        Self { by_path: routes, other: Operation::new("other", Arc::from("other")) }
    }

    /// Leaves the request's [`Segments`] with it.
    pub(crate) fn find(&self, request: &mut Request) -> Matched<'_> {
        let Ok(found) = self.by_path.at(request.uri().path()) else {
            return Matched { route: None, served: None, operation: &self.other };
        };
        let (route, segments) = (found.value, Segments::decode(&found.params));
        let served = route.find(request.method().as_str());
        let operation = served.map_or(&self.other, |served| &served.operation);
        // RFC 9110, section 9.3.2.
        let served = served.or_else(|| route.find("GET").filter(|_| request.method() == Method::HEAD));
        if let Some(segments) = segments {
            request.extensions_mut().insert(segments);
        }
        Matched { route: Some(route), served, operation }
    }
}

impl Route {
    fn find(&self, method: &str) -> Option<&Served> {
        self.methods.iter().find(|served| served.operation.method() == method)
    }
}

impl<'a> Matched<'a> {
    /// The path of the route, as the document has it, whatever the method.
    pub(crate) fn route(&self) -> Option<&'a str> {
        self.route.map(|route| &*route.name)
    }

    /// By the handler, or, as there is none, that there is none.
    pub(crate) fn answer(&self, request: Request, state: &AppState) -> Answering {
        if let Some(served) = self.served {
            return (served.handle)(request, state.clone());
        }
        let refusal = match self.route {
            Some(route) => (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, route.allow.clone())]).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
        Box::pin(ready(refusal))
    }
}

impl Segments {
    /// What is not UTF-8 names nothing. `None` if there are none, as most often.
    fn decode(params: &Params<'_, '_>) -> Option<Self> {
        let decode = |(name, text): (&str, &str)| {
            Some((name.to_owned(), percent_decode_str(text).decode_utf8().ok()?.into_owned()))
        };
        (!params.is_empty()).then(|| Self(params.iter().filter_map(decode).collect()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, text)| text.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Segments {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl From<Endpoint> for Served {
    fn from(Endpoint { method, path: _, route, handle }: Endpoint) -> Self {
        Self { operation: Operation::new(method, route), handle }
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operation.fmt(f)
    }
}

/// RFC 9110, section 10.2.1. Whoever answers to GET answers to HEAD.
fn allow(methods: &[Served]) -> HeaderValue {
    let names = methods.iter().map(|served| served.operation.method());
    let names: Vec<_> = names.map(|name| if name == "GET" { "GET,HEAD" } else { name }).collect();
    // Names of methods: this cannot fail.
    HeaderValue::try_from(names.join(",")).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::routes;
    use axum::body::Body;

    fn request(method: &str, path: &str) -> Request {
        Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
    }

    #[test]
    fn each_endpoint_is_found_and_any_method_has_the_route() {
        let table = Routes::new(routes());
        let find = |method: &str, path: &str| {
            let matched = table.find(&mut request(method, path));
            (matched.route().map(str::to_owned), matched.operation.method(), matched.served.is_some())
        };
        for Endpoint { method, path, route, .. } in routes().0 {
            let (path, route) = (path.replace(['{', '}'], ""), Some(route.to_string()));
            assert_eq!(find(method, &path), (route.clone(), method, true));
            assert_eq!(find("BREW", &path), (route.clone(), "other", false));
            if method == "GET" {
                assert_eq!(find("HEAD", &path), (route, "other", true));
            }
        }
        for nothing in ["/no/such", "/users/", "/users/a/b/c", "//users", "/USERS"] {
            assert_eq!(find("GET", nothing), (None, "other", false), "{nothing}");
        }
    }

    #[test]
    fn segments_are_decoded_and_what_is_not_utf_8_names_nothing() {
        let table = Routes::new(routes());
        let segment = |path: &str, name: &str| {
            let mut request = request("GET", path);
            table.find(&mut request);
            request.extensions().get::<Segments>().map(|segments| segments.get(name).map(str::to_owned))
        };
        assert_eq!(segment("/users/%6d%65", "user"), Some(Some("me".to_owned())));
        assert_eq!(segment("/users/a+b%2fc", "user"), Some(Some("a+b/c".to_owned())));
        assert_eq!(segment("/users/%ff", "user"), Some(None));
        assert_eq!(segment("/users/a", "id"), Some(None));
        assert_eq!(segment("/users/me", "user"), None, "there is a route without");
    }
}
