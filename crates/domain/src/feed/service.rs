//! The feed of revocations, for services that check tokens by themselves.

use super::{Recorded, Revocation, RevocationCursor};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::services::Ports;
use crate::token::service::LEEWAY;
use std::sync::Arc;
use std::time::Duration;

/// How many revocations a page has at most.
pub const MAX_REVOCATIONS: usize = 500;
/// How many changes are read at once.
const BATCH: u32 = 500;
/// How often more is read for one page: most changes may be none that are told.
const MAX_BATCHES: usize = 20;

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
    /// memory if `after` is young and the feed is followed, else from the store.
    pub async fn page(&self, after: Option<RevocationCursor>) -> Result<RevocationPage, StoreError> {
        let now = self.ports.clock.now();
        match after {
            Some(cursor) if self.knows(&cursor).await? => self.read(cursor, now).await,
            _ => {
                let since = now.minus(self.window);
                let mut page = self.read(self.start(since).await?, now).await?;
                page.data.retain(|revocation| revocation.at >= since);
                Ok(page)
            }
        }
    }

    /// Whether waiting for the next change makes sense: only while this process follows the feed.
    pub fn can_wait(&self) -> bool {
        self.ports.snapshots.are_fresh(self.ports.clock.monotonic())
    }

    /// After a failover that lost the newest changes, numbers begin again below the cursor's, and what they tell would
    /// never be read.
    async fn knows(&self, cursor: &RevocationCursor) -> Result<bool, StoreError> {
        if self.remembered(cursor).is_some() {
            return Ok(true);
        }
        Ok(self.ports.store.newest_change().await? >= cursor.gaps().newest())
    }

    async fn start(&self, since: Timestamp) -> Result<RevocationCursor, StoreError> {
        let first = match self.ports.store.first_change(since).await? {
            Some(number) => number,
            None => self.ports.store.newest_change().await?,
        };
        Ok(RevocationCursor::starting_before(first))
    }

    async fn read(&self, mut cursor: RevocationCursor, now: Timestamp) -> Result<RevocationPage, StoreError> {
        let mut data = Vec::new();
        for _ in 0..MAX_BATCHES {
            let changes = self.changes(&cursor).await?;
            if !cursor.note(&changes, now, &mut data, MAX_REVOCATIONS) {
                break;
            }
            if changes.len() < BATCH as usize {
                cursor.forget_old(now);
                break;
            }
        }
        Ok(RevocationPage { data, next: cursor })
    }

    async fn changes(&self, cursor: &RevocationCursor) -> Result<Vec<Recorded>, StoreError> {
        if let Some(changes) = self.remembered(cursor) {
            return Ok(changes);
        }
        self.ports.store.changes(cursor.gaps().newest(), &cursor.gaps().missing(), BATCH).await
    }

    fn remembered(&self, cursor: &RevocationCursor) -> Option<Vec<Recorded>> {
        self.ports.snapshots.beyond(cursor.gaps(), BATCH as usize, self.ports.clock.monotonic())
    }
}
