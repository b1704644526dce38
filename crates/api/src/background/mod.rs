//! What a process does beside answering requests: following the change feed, looking after signing keys, comparing its
//! clock with the store's, and deleting what nobody needs any more.

mod feed;
mod outage;
mod purge;
mod thread;

use crate::AppState;
use outage::Outage;
use std::io;
use std::time::Duration;
use thread::OwnThread;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use vestibule_domain::drift;

/// As often as [`KeyService::ensure`](vestibule_domain::token::KeyService::ensure) wants to be called.
const KEYS: Duration = Duration::from_mins(1);
const CLOCK: Duration = Duration::from_mins(1);
/// After something failed.
const RETRY: Duration = Duration::from_secs(1);

/// The tasks, until they are stopped.
#[derive(Debug)]
pub(crate) struct Background {
    tasks: TaskTracker,
    /// Follows the feed: were it among the requests, a crowd of them would keep what is revoked waiting, and with it
    /// everything that is answered from memory.
    follower: OwnThread,
    /// The thread must end also if this is dropped.
    stopping: DropGuard,
}

impl Background {
    /// Fails if the system gives no thread.
    pub(crate) fn start(state: &AppState) -> io::Result<Self> {
        let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
        let follower = OwnThread::start("change-feed", keep_up("change feed", state, &stopping, feed::follow))?;
        tasks.spawn(keep_up("signing keys", state, &stopping, look_after_keys));
        tasks.spawn(keep_up("clock", state, &stopping, watch_clock));
        tasks.spawn(keep_up("purge", state, &stopping, purge::purge));
        tasks.spawn(keep_up("purge of throttles", state, &stopping, purge::purge_throttles));
        tasks.close();
        Ok(Self { tasks, follower, stopping: stopping.drop_guard() })
    }

    pub(crate) async fn stop(self) {
        drop(self.stopping);
        self.tasks.wait().await;
        self.follower.ended().await;
    }
}

/// Runs `task`, and again should it panic, until `stopping`.
fn keep_up<F>(
    name: &'static str,
    state: &AppState,
    stopping: &CancellationToken,
    task: fn(AppState) -> F,
) -> impl Future<Output = ()> + Send + use<F>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (state, stopping) = (state.clone(), stopping.clone());
    async move {
        loop {
            let mut running = tokio::spawn(task(state.clone()));
            tokio::select! {
                () = stopping.cancelled() => {
                    running.abort();
                    return;
                }
                ended = &mut running => tracing::error!(name, ?ended, "a background task ended, starting it again"),
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = sleep(RETRY) => {}
            }
        }
    }
}

/// Sees to it that there is always a key to sign with, from the first moment that the store answers.
async fn look_after_keys(state: AppState) {
    let mut outage = Outage::new("the signing keys");
    loop {
        match state.services.keys.ensure().await {
            Ok(()) => {
                outage.over();
                sleep(KEYS).await;
            }
            Err(error) => {
                outage.goes_on(&error);
                sleep(RETRY).await;
            }
        }
    }
}

/// Whatever is counted in the store's time depends on it; beyond what can be borne readiness says so.
async fn watch_clock(state: AppState) {
    let drift = &state.services.ports.drift;
    let mut outage = Outage::new("the store's clock");
    loop {
        if let Err(error) = state.services.ports.measure_drift().await {
            outage.goes_on(&error);
            sleep(RETRY).await;
            continue;
        }
        outage.over();
        if drift.exceeds(drift::NOTEWORTHY) {
            let (ahead_ms, ready) = (drift.ahead_millis(), !drift.exceeds(drift::MOST));
            tracing::warn!(ahead_ms, ready, "this machine's clock and the store's disagree: synchronise them by NTP");
        }
        sleep(CLOCK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{state, state_beside, state_with_news};
    use std::future::pending;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::runtime::{self, Runtime};
    use tokio::sync::Notify;
    use tokio::time::{Instant, timeout};
    use vestibule_domain::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_started_again() {
        static PANICKED: AtomicBool = AtomicBool::new(false);
        static AGAIN: Notify = Notify::const_new();
        async fn stumble(_: AppState) {
            assert!(PANICKED.swap(true, Ordering::Relaxed), "stumbled");
            AGAIN.notify_one();
            pending::<()>().await;
        }
        tokio::spawn(keep_up("stumbling", &state(), &CancellationToken::new(), stumble));
        timeout(2 * RETRY, AGAIN.notified()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_is_compared_with_the_stores_from_the_start() {
        let state = state_beside(Timestamp::EPOCH.plus(Duration::from_secs(20)));
        let drift = &state.services.ports.drift;
        let background = Background::start(&state).unwrap();
        // Time goes on only when no task has anything left to do.
        for wait in [Duration::from_millis(1), CLOCK] {
            sleep(wait).await;
            assert_eq!(drift.ahead_millis(), -20_000, "after {wait:?}");
            drift.set_ahead_millis(0);
        }
        background.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn it_stops_at_once_though_the_store_is_out_of_reach() {
        let background = Background::start(&state()).unwrap();
        tokio::time::advance(Duration::from_mins(5)).await;
        let began = Instant::now();
        background.stop().await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    fn current_thread() -> Runtime {
        runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn the_feed_is_followed_though_no_request_gets_a_turn() {
        let state = state_with_news();
        let mut news = state.news.listen();
        let (requests, other) = (current_thread(), current_thread());
        let background = requests.block_on(async { Background::start(&state).unwrap() });
        // Nothing drives the runtime of the requests here.
        other.block_on(async { timeout(Duration::from_secs(10), news.changed()).await.unwrap().unwrap() });
        requests.block_on(background.stop());
    }

    #[test]
    fn the_follower_ends_also_if_nobody_stops_it() {
        let state = state();
        let mut news = state.news.listen();
        let (requests, other) = (current_thread(), current_thread());
        requests.block_on(async move { drop(Background::start(&state).unwrap()) });
        drop(requests);
        let heard = other.block_on(async { timeout(Duration::from_secs(10), news.changed()).await.unwrap() });
        assert!(heard.is_err(), "nobody is left who could announce anything");
    }
}
