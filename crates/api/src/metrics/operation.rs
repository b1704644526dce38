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

/// What is asked for, and what counts its answers: looked up once, for the status that most have.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(super) labels: Labels,
    pub(super) durations: OnceLock<Histogram>,
    pub(super) usual: OnceLock<(StatusCode, Counter)>,
}

impl Operation {
    fn new(method: &'static str, route: Arc<str>) -> Self {
        Self { labels: Labels { method, route }, durations: OnceLock::new(), usual: OnceLock::new() }
    }
}

/// All operations of an application. Whatever is none of them counts as one: `other`.
#[derive(Debug)]
pub(crate) struct Operations {
    /// By the same rules as axum's own.
    routes: Router<Route>,
    other: Operation,
}

#[derive(Debug)]
struct Route {
    name: Arc<str>,
    operations: Vec<Operation>,
}

/// As what a request counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'a> {
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

    pub(crate) fn find(&self, request: &Request) -> Found<'_> {
        let route = self.routes.at(request.uri().path()).ok().map(|found| found.value);
        let method = request.method().as_str();
        let mut operations = route.iter().flat_map(|route| &route.operations);
        let operation = operations.find(|operation| operation.labels.method == method).unwrap_or(&self.other);
        Found { route: route.map(|route| &*route.name), operation }
    }
}
