//! What races are run with.

use super::Fixture;
use std::sync::Arc;
use tokio::sync::Barrier;
use vestibule_domain::Store;

/// As many as `ROUNDS` says (`make races`), or few enough for every day.
pub(super) fn rounds(usual: usize) -> usize {
    let said = std::env::var("ROUNDS").ok();
    said.map_or(usual, |rounds| rounds.parse().unwrap_or_else(|_| panic!("ROUNDS={rounds} is not a number")))
}

/// Of the cases that have two sides.
pub(super) const DUELS: usize = 12;

/// As on two replicas.
pub(super) async fn handles(fixture: &Fixture) -> [Arc<dyn Store>; 2] {
    [Arc::clone(&fixture.store), fixture.database.open().await]
}

/// Runs the two at the same moment.
pub(super) async fn against<A, B>(
    one: impl Future<Output = A> + Send + 'static,
    other: impl Future<Output = B> + Send + 'static,
) -> (A, B)
where
    A: Send + 'static,
    B: Send + 'static,
{
    let start = Arc::new(Barrier::new(2));
    let after = |start: Arc<Barrier>| async move { start.wait().await };
    let (first, second) = (after(Arc::clone(&start)), after(start));
    let one = tokio::spawn(async move {
        first.await;
        one.await
    });
    let other = tokio::spawn(async move {
        second.await;
        other.await
    });
    (one.await.expect("no panic"), other.await.expect("no panic"))
}
