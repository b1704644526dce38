//! By what answers are told apart.

use http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::openapi::OpenApi;

/// A method and a route of the OpenAPI document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Operation {
    method: &'static str,
    route: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Operations {
    by_route: HashMap<Arc<str>, Vec<Operation>>,
    other: Operation,
}

impl Operations {
    pub(super) fn new(outline: &OpenApi) -> Self {
        let by_route = outline.paths.paths.iter().map(|(path, item)| {
            let route: Arc<str> = Arc::from(path.as_str());
            let operations = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            let documented = operations.into_iter().filter(|(_, operation)| operation.is_some());
            let operations = documented.map(|(method, _)| Operation { method, route: Arc::clone(&route) }).collect();
            (route, operations)
        });
        let other = Operation { method: "other", route: Arc::from("other") };
        Self { by_route: by_route.collect(), other }
    }

    pub(super) fn find(&self, method: &Method, route: Option<&str>) -> &Operation {
        let operations = route.and_then(|route| self.by_route.get(route));
        let operation = operations.and_then(|all| all.iter().find(|operation| operation.method == method.as_str()));
        operation.unwrap_or(&self.other)
    }
}
