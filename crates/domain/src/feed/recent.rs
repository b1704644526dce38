//! The newest changes, in memory: for services that wait for the next one.

use super::{Gaps, Recorded};
use std::collections::BTreeMap;

/// How many are kept: some hundred kilobytes.
const CAPACITY: usize = 4_096;

/// Every change above `from` that this process has read from the feed, and nothing else.
#[derive(Debug, Default)]
pub(super) struct Recent {
    from: i64,
    changes: BTreeMap<i64, Recorded>,
}

impl Recent {
    pub(super) fn starting_at(from: i64) -> Self {
        Self { from, changes: BTreeMap::new() }
    }

    pub(super) fn record(&mut self, recorded: &Recorded) {
        self.changes.insert(recorded.number, *recorded);
        if self.changes.len() > CAPACITY
            && let Some((number, _)) = self.changes.pop_first()
        {
            self.from = self.from.max(number);
        }
    }

    /// What `read` has not seen, in order. `None` if that goes back further than what is kept here, or if `read` is
    /// ahead.
    pub(super) fn beyond(&self, read: &Gaps) -> Option<Vec<Recorded>> {
        let newest = self.changes.last_key_value().map_or(self.from, |(number, _)| *number);
        let missing = read.missing();
        let is_kept = missing.first().is_none_or(|oldest| *oldest > self.from);
        if !is_kept || !(self.from..=newest).contains(&read.newest()) {
            return None;
        }
        let late = missing.iter().filter_map(|number| self.changes.get(number));
        let new = self.changes.range(read.newest() + 1..).map(|(_, recorded)| recorded);
        Some(late.chain(new).copied().collect())
    }
}
