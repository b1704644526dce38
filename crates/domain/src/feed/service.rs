//! The feed of revocations, for services that check tokens by themselves.

use super::{Revocation, RevocationCursor, Run};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::services::Ports;
use crate::token::service::LEEWAY;
use std::sync::Arc;
use std::time::Duration;

/// How many revocations a page has at most.
pub const MAX_REVOCATIONS: usize = 500;
/// How many runs are read for one page: more than revocations, for there can be gaps.
const MAX_RUNS: u32 = 1_000;

#[derive(Debug, Clone)]
pub struct RevocationService {
    ports: Arc<Ports>,
    /// How long a token may still be taken for good that was signed just now.
    window: Duration,
}

/// What is over, in the order of the feed.
#[derive(Debug)]
pub struct RevocationPage {
    pub data: Vec<Revocation>,
    /// There may be more behind it already.
    pub next: RevocationCursor,
}

impl RevocationService {
    pub fn new(ports: Arc<Ports>, access_ttl: Duration) -> Self {
        // Once for the service that checks, and once for the process whose clock the end was written by.
        Self { ports, window: access_ttl + LEEWAY + LEEWAY }
    }

    /// What ended after `after`; without it, all that ended while a token of today may still be taken for good. From
    /// memory if `after` is young and the feed is followed, else from the store, in two statements at most.
    pub async fn page(&self, after: Option<RevocationCursor>) -> Result<RevocationPage, StoreError> {
        if let Some(page) = after.as_ref().and_then(|after| self.remembered(after)) {
            return Ok(page);
        }
        let now = self.ports.clock.now();
        if let Some(cursor) = after
            && let Some(page) = self.read(cursor, now).await?
        {
            return Ok(page);
        }
        // Also after a failover that lost the newest changes: numbers begin again below the cursor's, and what they
        // tell would never be read.
        let since = now.minus(self.window);
        let first = self.ports.store.first_change(since).await?;
        let page = self.read(RevocationCursor::starting_before(first), now).await?;
        let mut page = page.ok_or(StoreError::Contention)?;
        page.data.retain(|revocation| revocation.at >= since);
        Ok(page)
    }

    /// As [`Self::page`], if it is known without the store.
    pub fn remembered(&self, after: &RevocationCursor) -> Option<RevocationPage> {
        let (mut next, mut data) = (after.clone(), Vec::new());
        let changes = self.ports.snapshots.beyond(after.gaps(), self.ports.clock.monotonic())?;
        let now = self.ports.clock.now();
        if next.note(changes.into_iter().map(Run::from), now, &mut data, MAX_REVOCATIONS) {
            next.forget_old(now);
        }
        Some(RevocationPage { data, next })
    }

    /// Whether waiting for the next change makes sense: only while this process follows the feed.
    pub fn can_wait(&self) -> bool {
        self.ports.snapshots.are_fresh(self.ports.clock.monotonic())
    }

    /// `None` if the store does not know the cursor's newest number.
    async fn read(&self, mut next: RevocationCursor, now: Timestamp) -> Result<Option<RevocationPage>, StoreError> {
        let gaps = next.gaps();
        let runs = self.ports.store.ends(gaps.newest(), &gaps.missing(), MAX_RUNS).await?;
        let Some(runs) = runs else { return Ok(None) };
        let (mut data, is_cut) = (Vec::new(), runs.len() >= MAX_RUNS as usize);
        // What is missing was looked for to the end only if all of it was read and noted.
        if next.note(runs, now, &mut data, MAX_REVOCATIONS) && !is_cut {
            next.forget_old(now);
        }
        Ok(Some(RevocationPage { data, next }))
    }
}
