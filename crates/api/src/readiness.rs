//! Whether this process should be sent requests.

use crate::error::chain;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use vestibule_domain::{Services, drift};

/// How long all checks together may take: longer, and a load balancer would give up first.
const BUDGET: Duration = Duration::from_secs(1);

/// Shared by all clones. Starts as «not draining»; a process that is starting is not ready because its checks fail.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    /// Whose own copies are counted under a lock.
    draining: Arc<CancellationToken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    Passing,
    Failing,
    /// Another check has to pass before this one can tell.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The process is shutting down: it still answers, but wants no new clients.
    pub draining: bool,
    /// Can be reached and written.
    pub store: CheckState,
    /// The store has the schema that this version expects.
    pub migrations: CheckState,
    /// There is a key to sign access tokens with.
    pub signing_key: CheckState,
    /// The clock is within a minute of the store's.
    pub clock: CheckState,
}

impl Report {
    pub fn is_ready(self) -> bool {
        let checks = [self.store, self.migrations, self.signing_key, self.clock];
        !self.draining && checks.iter().all(|check| *check == CheckState::Passing)
    }
}

impl Readiness {
    /// From now on `/health/ready` answers 503, so that load balancers look elsewhere.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Returns once the process is shutting down.
    pub async fn drained(&self) {
        self.draining.cancelled().await;
    }

    /// Answers within a second, whatever the store does.
    pub async fn check(&self, services: &Services) -> Report {
        let (store, migrations) = match tokio::time::timeout(BUDGET, services.ports.store.check()).await {
            Ok(Ok(health)) => (CheckState::Passing, passing_if(health.pending_migrations == 0)),
            Ok(Err(error)) => {
                tracing::warn!(error = chain(&error), "the store fails its readiness check");
                (CheckState::Failing, CheckState::Unknown)
            }
            Err(_) => {
                tracing::warn!("the store did not answer its readiness check in time");
                (CheckState::Failing, CheckState::Unknown)
            }
        };
        let signing_key = passing_if(services.ports.codec.is_ready());
        let clock = passing_if(!services.ports.drift.exceeds(drift::MOST));
        Report { draining: self.is_draining(), store, migrations, signing_key, clock }
    }
}

fn passing_if(holds: bool) -> CheckState {
    if holds { CheckState::Passing } else { CheckState::Failing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{state, state_of_silence};
    use tokio::time::Instant;

    const READY: Report = Report {
        draining: false,
        store: CheckState::Passing,
        migrations: CheckState::Passing,
        signing_key: CheckState::Passing,
        clock: CheckState::Passing,
    };

    #[test]
    fn every_check_counts() {
        assert!(READY.is_ready());
        let one_fails = [
            Report { draining: true, ..READY },
            Report { store: CheckState::Failing, ..READY },
            Report { migrations: CheckState::Failing, ..READY },
            Report { migrations: CheckState::Unknown, ..READY },
            Report { signing_key: CheckState::Failing, ..READY },
            Report { clock: CheckState::Failing, ..READY },
        ];
        assert!(one_fails.iter().all(|report| !report.is_ready()));
    }

    #[tokio::test(start_paused = true)]
    async fn j120_j121_a_silent_store_is_not_waited_for() {
        let began = Instant::now();
        let state = state_of_silence();
        let report = state.readiness.check(&state.services).await;
        assert_eq!((report.store, report.migrations), (CheckState::Failing, CheckState::Unknown));
        assert!(began.elapsed() <= Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn j134_a_clock_may_be_a_minute_wrong_in_either_direction() {
        let state = state();
        for (ahead, expected) in [
            (0, CheckState::Passing),
            (60_000, CheckState::Passing),
            (-60_000, CheckState::Passing),
            (60_001, CheckState::Failing),
            (-60_001, CheckState::Failing),
        ] {
            state.services.ports.drift.set_ahead_millis(ahead);
            assert_eq!(state.readiness.check(&state.services).await.clock, expected, "{ahead} ms");
        }
    }

    #[tokio::test]
    async fn all_clones_drain_together() {
        let state = state();
        let clone = state.clone();
        state.readiness.drain();
        assert!(clone.readiness.check(&clone.services).await.draining);
    }
}
