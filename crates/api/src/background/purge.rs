//! Deleting what nobody needs any more.

use crate::AppState;
use crate::error::chain;
use std::time::Duration;
use tokio::time::sleep;
use uuid::Uuid;
use vestibule_domain::user::IDEMPOTENCY_TTL;
use vestibule_domain::{Services, StoreError};

const PURGE: Duration = Duration::from_hours(1);
/// Often, because strangers decide how many there are.
const PURGE_BUCKETS: Duration = Duration::from_mins(1);
/// Few enough to be done before anyone waits for the same rows.
const PURGE_BATCH: u32 = 500;
/// Sessions that are over are of use to whoever investigates.
const KEEP_SESSIONS: Duration = Duration::from_hours(30 * 24);
/// The longest grace that can be set is a minute; the rest is for clocks that disagree.
const KEEP_SEALED_CHILDREN: Duration = Duration::from_mins(2);
/// Followers are seconds behind at most; services that check tokens offline may be as far behind as a token lives.
const KEEP_CHANGES: Duration = Duration::from_hours(24);

pub(super) async fn purge(state: AppState) {
    loop {
        sleep(PURGE).await;
        let purged = [
            purge_sessions(&state.services).await,
            forget_children(&state.services).await,
            purge_changes(&state.services).await,
            purge_idempotency_keys(&state.services).await,
        ];
        for error in purged.into_iter().filter_map(Result::err) {
            tracing::warn!(error = chain(&error), "what is out of date could not be deleted, trying again in an hour");
        }
    }
}

pub(super) async fn purge_throttles(state: AppState) {
    let ports = &state.services.ports;
    loop {
        sleep(PURGE_BUCKETS).await;
        loop {
            match ports.store.purge_buckets(ports.store_time(), PURGE_BATCH).await {
                Ok(purged) if purged >= u64::from(PURGE_BATCH) => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(
                        error = chain(&error),
                        "old throttles could not be deleted, trying again in a minute"
                    );
                    break;
                }
            }
        }
    }
}

async fn purge_sessions(services: &Services) -> Result<(), StoreError> {
    let before = services.ports.store_time().minus(KEEP_SESSIONS);
    while services.ports.store.purge_sessions(before, PURGE_BATCH).await? >= u64::from(PURGE_BATCH) {}
    Ok(())
}

async fn forget_children(services: &Services) -> Result<(), StoreError> {
    let before = services.ports.store_time().minus(KEEP_SEALED_CHILDREN);
    let mut last = Some(Uuid::nil().into());
    while let Some(after) = last {
        last = services.ports.store.forget_sealed_children(before, after, PURGE_BATCH).await?;
    }
    Ok(())
}

async fn purge_changes(services: &Services) -> Result<(), StoreError> {
    let before = services.ports.store_time().minus(KEEP_CHANGES);
    while services.ports.store.purge_changes(before, PURGE_BATCH).await? >= u64::from(PURGE_BATCH) {}
    Ok(())
}

async fn purge_idempotency_keys(services: &Services) -> Result<(), StoreError> {
    let before = services.ports.store_time().minus(IDEMPOTENCY_TTL);
    while services.ports.store.purge_idempotency_keys(before, PURGE_BATCH).await? >= u64::from(PURGE_BATCH) {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Log, state};
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn one_purge_that_fails_does_not_stop_the_others() {
        let log = Log::default();
        let guard = log.start();
        let purging = timeout(PURGE + PURGE_BUCKETS, purge(state())).await;
        assert!(purging.is_err(), "it goes on after a failure");
        drop(guard);
        let failed = log.lines().into_iter().filter(|line| line["level"] == "WARN").count();
        assert_eq!(failed, 4, "each tells of its own: {:?}", log.lines());
    }
}
