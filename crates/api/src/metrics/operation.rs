//! By what answers are told apart.

use http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A method and a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Operation {
    method: &'static str,
    route: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Operations {
    /// A few dozen short names: to compare some takes less than to hash one.
    by_route: BTreeMap<Arc<str>, Vec<Operation>>,
    other: Operation,
}

impl Operations {
    pub(super) fn new(operations: Vec<(&'static str, String)>) -> Self {
        let mut by_route: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (method, route) in operations {
            let route: Arc<str> = route.into();
            by_route.entry(Arc::clone(&route)).or_default().push(Operation { method, route });
        }
        Self { by_route, other: Operation { method: "other", route: Arc::from("other") } }
    }

    pub(super) fn find(&self, method: &Method, route: Option<&str>) -> &Operation {
        let operations = route.and_then(|route| self.by_route.get(route));
        let operation = operations.and_then(|all| all.iter().find(|operation| operation.method == method.as_str()));
        operation.unwrap_or(&self.other)
    }
}
