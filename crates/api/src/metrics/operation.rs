//! By what answers are told apart.

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
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
    pub(crate) fn new(method: &'static str, route: Arc<str>) -> Self {
        Self { labels: Labels { method, route }, durations: OnceLock::new(), first: OnceLock::new() }
    }
}
