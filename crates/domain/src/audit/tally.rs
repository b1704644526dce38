//! How much of what has happened, for whoever watches.

use super::AuditKind;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the events that this process has written to the trail since it started.
#[derive(Debug, Default)]
pub struct AuditTally([AtomicU64; AuditKind::ALL.len()]);

impl AuditTally {
    pub(crate) fn count(&self, kind: AuditKind) {
        for (counter, _) in self.counters().filter(|(_, each)| *each == kind) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every kind, those that have not happened included.
    pub fn counts(&self) -> impl Iterator<Item = (AuditKind, u64)> {
        self.counters().map(|(counter, kind)| (kind, counter.load(Ordering::Relaxed)))
    }

    fn counters(&self) -> impl Iterator<Item = (&AtomicU64, AuditKind)> {
        self.0.iter().zip(AuditKind::ALL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted_by_itself() {
        let tally = AuditTally::default();
        for kind in AuditKind::ALL {
            tally.count(kind);
            tally.count(AuditKind::LoginFailed);
        }
        for (kind, count) in tally.counts() {
            let expected = if kind == AuditKind::LoginFailed { 23 } else { 1 };
            assert_eq!(count, expected, "{}", kind.as_str());
        }
    }
}
