//! What operators watch, counted by this process since it started (`OpenMetrics` 1.0).
//!
//! Names and labels are stable. No value of a label is of a client's making: nobody fills the memory with series.

mod operation;
mod process;
mod standing;
#[cfg(test)]
mod tests;

use crate::problem::Code;
use http::StatusCode;
use operation::Labels;
pub(crate) use operation::Operation;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use standing::Standing;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use vestibule_domain::Ports;

/// In seconds: from an answer out of memory, over one hash, to the deadline of a request.
const BUCKETS: [f64; 11] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 10.0];

#[derive(Debug)]
pub(crate) struct Metrics {
    answers: Family<Answer, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
    problems: Family<Problem, Counter>,
    registry: Registry,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    #[prometheus(flatten)]
    operation: Labels,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Problem {
    code: &'static str,
}

impl Metrics {
    pub(crate) fn new(ports: Arc<Ports>) -> Self {
        let (answers, problems) = (Family::default(), Family::default());
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let mut registry = Registry::default();
        let vestibule = registry.sub_registry_with_prefix("vestibule");
        vestibule.register("http_answers", "Requests that were answered", answers.clone());
        let help = "How long answers took, to their first byte";
        vestibule.register_with_unit("http_answer_duration", help, Unit::Seconds, durations.clone());
        vestibule.register("problems", "Errors that clients were told of, by code", problems.clone());
        registry.register_collector(Box::new(Standing::new(ports)));
        Self { answers, durations, problems, registry }
    }

    pub(crate) fn count_answer(&self, operation: &Operation, status: StatusCode, took: Duration) {
        let Operation { labels, durations, first } = operation;
        durations.get_or_init(|| self.durations.get_or_create_owned(labels)).observe(took.as_secs_f64());
        let look_up =
            || self.answers.get_or_create_owned(&Answer { operation: labels.clone(), status: status.as_u16() });
        let (known, counter) = first.get_or_init(|| (status, look_up()));
        if *known == status {
            counter.inc();
        } else {
            look_up().inc();
        }
    }

    pub(crate) fn count_problem(&self, code: Code) {
        self.problems.get_or_create(&Problem { code: code.as_str() }).inc();
    }

    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
