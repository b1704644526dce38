//! What a process does beside answering requests: following the change feed, looking after signing keys, comparing its
//! clock with the store's, and deleting what nobody needs any more.

use crate::AppState;
use crate::error::chain;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vestibule_domain::feed::Follower;
use vestibule_domain::user::IDEMPOTENCY_TTL;
use vestibule_domain::{Services, StoreError, drift};

/// Between two looks at the feed: with the age that snapshots may reach, what is revoked is out within a second.
const FEED: Duration = Duration::from_millis(200);
/// As often as [`KeyService::ensure`](vestibule_domain::token::KeyService::ensure) wants to be called.
const KEYS: Duration = Duration::from_mins(1);
const CLOCK: Duration = Duration::from_mins(1);
const PURGE: Duration = Duration::from_hours(1);
/// Often, because strangers decide how many there are.
const PURGE_BUCKETS: Duration = Duration::from_mins(1);
/// After something failed.
const RETRY: Duration = Duration::from_secs(1);
/// Few enough to be done before anyone waits for the same rows.
const PURGE_BATCH: u32 = 500;
/// Sessions that are over are of use to whoever investigates.
const KEEP_SESSIONS: Duration = Duration::from_hours(30 * 24);
/// Of no use once their session has expired; the rest is for clocks that disagree.
const KEEP_SPENT_TOKENS: Duration = Duration::from_hours(1);
/// The longest grace that can be set is a minute; the rest is for clocks that disagree.
const KEEP_SEALED_CHILDREN: Duration = Duration::from_mins(2);
/// Followers are seconds behind at most; services that check tokens offline may be as far behind as a token lives.
const KEEP_CHANGES: Duration = Duration::from_hours(24);

/// The tasks, until they are stopped.
#[derive(Debug)]
pub(crate) struct Background {
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Background {
    pub(crate) fn start(state: &AppState) -> Self {
        let background = Self { tasks: TaskTracker::new(), stopping: CancellationToken::new() };
        background.keep_up("change feed", state, follow_feed);
        background.keep_up("signing keys", state, look_after_keys);
        background.keep_up("clock", state, watch_clock);
        background.keep_up("purge", state, purge);
        background.keep_up("purge of throttles", state, purge_throttles);
        background.tasks.close();
        background
    }

    pub(crate) async fn stop(self) {
        self.stopping.cancel();
        self.tasks.wait().await;
    }

    /// Runs `task`, and again should it panic.
    fn keep_up<F>(&self, name: &'static str, state: &AppState, task: fn(AppState) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (state, stopping) = (state.clone(), self.stopping.clone());
        self.tasks.spawn(async move {
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
        });
    }
}

/// Keeps what is remembered right, and tells those who wait that there is something new. While the feed cannot be read,
/// requests ask the store.
async fn follow_feed(AppState { services, news, .. }: AppState) {
    let ports = &services.ports;
    let mut follower = Follower::default();
    let (mut outage, mut key_outage) = (Outage::new("the change feed"), Outage::new("changed signing keys"));
    let (mut keys_changed, mut told) = (false, 0);
    let mut ticks = interval(FEED);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match follower.poll(&*ports.store, &*ports.clock, &ports.snapshots).await {
            Ok(changed) => {
                keys_changed |= changed;
                let recorded = ports.snapshots.recorded();
                if std::mem::replace(&mut told, recorded) != recorded {
                    news.announce();
                }
                outage.over();
            }
            Err(error) => outage.goes_on(&error),
        }
        if keys_changed {
            match services.keys.reload().await {
                Ok(()) => {
                    keys_changed = false;
                    key_outage.over();
                }
                Err(error) => key_outage.goes_on(&error),
            }
        }
    }
}

/// Sees to it that there is always a key to sign with, from the first moment that the store answers.
async fn look_after_keys(AppState { services, .. }: AppState) {
    let mut outage = Outage::new("the signing keys");
    loop {
        match services.keys.ensure().await {
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
async fn watch_clock(AppState { services, .. }: AppState) {
    let drift = &services.ports.drift;
    let mut outage = Outage::new("the store's clock");
    loop {
        if let Err(error) = services.ports.measure_drift().await {
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

async fn purge(AppState { services, .. }: AppState) {
    loop {
        sleep(PURGE).await;
        let purged = [
            purge_sessions(&services).await,
            purge_spent_tokens(&services).await,
            forget_children(&services).await,
            purge_changes(&services).await,
            purge_idempotency_keys(&services).await,
        ];
        for error in purged.into_iter().filter_map(Result::err) {
            tracing::warn!(error = chain(&error), "what is out of date could not be deleted, trying again in an hour");
        }
    }
}

async fn purge_throttles(AppState { services, .. }: AppState) {
    let ports = &services.ports;
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

async fn purge_spent_tokens(services: &Services) -> Result<(), StoreError> {
    let before = services.ports.store_time().minus(KEEP_SPENT_TOKENS);
    while services.ports.store.purge_spent_tokens(before, PURGE_BATCH).await? >= u64::from(PURGE_BATCH) {}
    Ok(())
}

async fn forget_children(services: &Services) -> Result<(), StoreError> {
    let before = services.ports.store_time().minus(KEEP_SEALED_CHILDREN);
    while services.ports.store.forget_sealed_children(before, PURGE_BATCH).await? >= u64::from(PURGE_BATCH) {}
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

/// Says once that something is out of reach, and once that it is back.
struct Outage {
    of: &'static str,
    begun: bool,
}

impl Outage {
    fn new(of: &'static str) -> Self {
        Self { of, begun: false }
    }

    fn goes_on(&mut self, error: &dyn std::error::Error) {
        if !self.begun {
            tracing::warn!(error = chain(error), "{} cannot be read, trying on", self.of);
        }
        self.begun = true;
    }

    fn over(&mut self) {
        if self.begun {
            tracing::info!("{} can be read again", self.of);
        }
        self.begun = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Log, state, state_beside};
    use std::future::pending;
    use std::sync::atomic::{AtomicBool, Ordering};
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
        let background = Background { tasks: TaskTracker::new(), stopping: CancellationToken::new() };
        background.keep_up("stumbling", &state(), stumble);
        timeout(2 * RETRY, AGAIN.notified()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_is_compared_with_the_stores_from_the_start() {
        let state = state_beside(Timestamp::EPOCH.plus(Duration::from_secs(20)));
        let drift = &state.services.ports.drift;
        let background = Background::start(&state);
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
        let background = Background::start(&state());
        tokio::time::advance(Duration::from_mins(5)).await;
        let began = Instant::now();
        background.stop().await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn one_purge_that_fails_does_not_stop_the_others() {
        let log = Log::default();
        let guard = log.start();
        let purging = timeout(PURGE + RETRY, purge(state())).await;
        assert!(purging.is_err(), "it goes on after a failure");
        drop(guard);
        let failed = log.lines().into_iter().filter(|line| line["level"] == "WARN").count();
        assert_eq!(failed, 5, "each tells of its own: {:?}", log.lines());
    }
}
