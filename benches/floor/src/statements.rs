//! Statements without HTTP, one after another, as `pgbench` with one client.

use crate::Store;
use crate::token::{random, random_id};
use std::time::{Duration, Instant};

/// Reads by key and durable inserts.
pub(crate) async fn per_second(store: &str, time: Duration) -> (f64, f64) {
    let store = Store::open(store).await;
    let (id, key) = (random_id(), random::<32>());
    store.insert_session(&id, "ada@example.com", &key).await;
    let selects = rate(time, async || assert!(store.session(&id, &key).await.is_some(), "the row is there")).await;
    let insert = async || store.insert_session(&random_id(), "ada@example.com", &random::<32>()).await;
    let commits = rate(time, insert).await;
    (selects, commits)
}

async fn rate(time: Duration, work: impl AsyncFn()) -> f64 {
    for _ in 0..100 {
        work().await;
    }
    let (start, mut done) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        work().await;
        done += 1;
    }
    f64::from(done) / start.elapsed().as_secs_f64()
}
