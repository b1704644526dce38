//! By what answers are told apart.

use axum::extract::Request;
use http::StatusCode;
use matchit::Router;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// A method and a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Labels {
    method: &'static str,
    route: Arc<str>,
}

/// What is asked for, and what counts its answers, looked up once.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(super) labels: Labels,
    pub(super) durations: OnceLock<Histogram>,
    /// Of the status of the first answer, which most others share. Those of other statuses are looked up each time.
    pub(super) first: OnceLock<(StatusCode, Counter)>,
}

impl Operation {
    fn new(method: &'static str, route: Arc<str>) -> Self {
        Self { labels: Labels { method, route }, durations: OnceLock::new(), first: OnceLock::new() }
    }
}

/// All operations of an application. Whatever is none of them counts as one: `other`.
#[derive(Debug)]
pub(crate) struct Operations {
    /// Of the library by which axum routes: both find the same.
    routes: Router<Route>,
    other: Operation,
}

#[derive(Debug)]
struct Route {
    name: Arc<str>,
    operations: Vec<Operation>,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matched<'a> {
    /// If there is one, whatever the method.
    pub(crate) route: Option<&'a str>,
    pub(crate) operation: &'a Operation,
}

impl Operations {
    pub(crate) fn new(operations: Vec<(&'static str, String)>) -> Self {
        let mut by_route: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (method, route) in operations {
            by_route.entry(route).or_default().push(method);
        }
        let mut routes = Router::new();
        for (route, methods) in by_route {
            let name: Arc<str> = Arc::from(route.as_str());
            let operations = methods.into_iter().map(|method| Operation::new(method, Arc::clone(&name))).collect();
            // The router that serves them has taken the same ones.
            let _ = routes.insert(route, Route { name, operations });
        }
        Self { routes, other: Operation::new("other", Arc::from("other")) }
    }

    pub(crate) fn find(&self, request: &Request) -> Matched<'_> {
        let route = self.routes.at(request.uri().path()).ok().map(|found| found.value);
        let method = request.method().as_str();
        let mut operations = route.iter().flat_map(|route| &route.operations);
        let operation = operations.find(|operation| operation.labels.method == method).unwrap_or(&self.other);
        Matched { route: route.map(|route| &*route.name), operation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn each_operation_is_found_and_any_method_has_the_route() {
        let known = crate::routes::routes().operations;
        let operations = Operations::new(known.clone());
        let find = |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let matched = operations.find(&request);
            (matched.route.map(str::to_owned), matched.operation.labels.method)
        };
        for (method, route) in known {
            let path = route.replace(['{', '}'], "");
            assert_eq!(find(method, &path), (Some(route.clone()), method));
            assert_eq!(find("BREW", &path), (Some(route), "other"));
        }
        assert_eq!(find("GET", "/no/such"), (None, "other"));
    }
}
