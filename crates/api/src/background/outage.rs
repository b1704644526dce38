//! Telling of what is out of reach.

use crate::error::chain;

/// Says once that something is out of reach, and once that it is back.
pub(super) struct Outage {
    of: &'static str,
    begun: bool,
}

impl Outage {
    pub(super) fn new(of: &'static str) -> Self {
        Self { of, begun: false }
    }

    pub(super) fn goes_on(&mut self, error: &dyn std::error::Error) {
        if !self.begun {
            tracing::warn!(error = chain(error), "{} cannot be read, trying on", self.of);
        }
        self.begun = true;
    }

    pub(super) fn over(&mut self) {
        if self.begun {
            tracing::info!("{} can be read again", self.of);
        }
        self.begun = false;
    }
}
