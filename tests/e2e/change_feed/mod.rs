//! The change feed: what one process changes, the others feel.

mod clients;
mod keys;
mod offline;
mod offline_service;
mod outage;
mod revocation;
mod waiting;

use std::time::{Duration, Instant};

/// What the design promises for everything that is cached.
const PROMISE: Duration = Duration::from_secs(1);

/// Asks again and again until the answer is `true`. The clock of the services stands still, so that nothing but the
/// feed can have changed the answer.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    while !holds().await {
        assert!(began.elapsed() < PROMISE, "not felt within {PROMISE:?}");
        looks.tick().await;
    }
}
