//! A transaction.

use super::error::{Failure, bounded, bounded_by};
use super::pool::{ACQUIRE, Lease, Pool};
use async_trait::async_trait;
use sqlx::Executor;
use sqlx::postgres::PgConnection;
use std::sync::Arc;
use tokio::runtime::Handle;
use vestibule_domain::{StoreError, UnitOfWork};

#[derive(Debug)]
pub(super) struct PgUnitOfWork {
    /// None only once it has ended.
    lease: Option<Lease>,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Sound,
    /// A step is under way, or was dropped half way: nobody knows what the connection will say next.
    Undecided,
    /// A statement failed; PostgreSQL takes nothing but a rollback.
    Aborted,
    Broken,
}

impl PgUnitOfWork {
    pub(super) async fn begin(pool: &Arc<Pool>) -> Result<Self, StoreError> {
        Self::begin_with(pool, "BEGIN").await
    }

    /// For what one plan cannot suit, whatever its arguments are.
    pub(super) async fn begin_planning_anew(pool: &Arc<Pool>) -> Result<Self, StoreError> {
        Self::begin_with(pool, "BEGIN; SET LOCAL plan_cache_mode = force_custom_plan").await
    }

    /// By `BEGIN` and settings of this transaction, in one round trip.
    async fn begin_with(pool: &Arc<Pool>, statements: &'static str) -> Result<Self, StoreError> {
        let mut lease = pool.lease().await?;
        // It does no work: a connection that does not answer by then is not acquired.
        match bounded_by(ACQUIRE, "begin", lease.connection().execute(statements)).await {
            Ok(_) => Ok(Self { lease: Some(lease), standing: Standing::Sound }),
            failed => Err(lease.settle(failed).map_or_else(|error| error, |_| after_failure())),
        }
    }

    /// For one step, whose outcome must go to [`Self::settle`].
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.connection_if(Standing::Sound)
    }

    /// For the return to a savepoint after a step that failed.
    pub(super) fn aborted_connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.connection_if(Standing::Aborted)
    }

    fn connection_if(&mut self, standing: Standing) -> Result<&mut PgConnection, StoreError> {
        match &mut self.lease {
            Some(lease) if self.standing == standing => {
                self.standing = Standing::Undecided;
                Ok(lease.connection())
            }
            _ => Err(after_failure()),
        }
    }

    pub(super) fn settle<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, StoreError> {
        self.standing = match &outcome {
            Ok(_) => Standing::Sound,
            Err(failure) if failure.breaks_connection() => Standing::Broken,
            Err(_) => Standing::Aborted,
        };
        if let (Standing::Broken, Some(lease)) = (self.standing, &self.lease) {
            lease.forget_others();
        }
        Ok(outcome?)
    }
}

fn after_failure() -> StoreError {
    StoreError::Unexpected { context: "the transaction has failed before", source: None }
}

#[async_trait]
impl UnitOfWork for PgUnitOfWork {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        // A transaction in which a statement failed would answer COMMIT with a rollback, and without an error.
        let committed = bounded("commit", self.connection()?.execute("COMMIT")).await;
        match self.lease.take() {
            Some(lease) => lease.settle(committed).map(drop),
            None => Err(after_failure()),
        }
    }
}

impl Drop for PgUnitOfWork {
    /// Locks go at once, and the connection is used again, if there is still a runtime to do it; else the connection
    /// is closed, which rolls back as well.
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        match (self.standing, Handle::try_current()) {
            (Standing::Sound | Standing::Aborted, Ok(runtime)) => drop(runtime.spawn(roll_back(lease))),
            _ => drop(lease),
        }
    }
}

async fn roll_back(mut lease: Lease) {
    let outcome = bounded("rollback", lease.connection().execute("ROLLBACK")).await;
    if let Err(error) = lease.settle(outcome) {
        tracing::debug!(%error, "a transaction ended with its connection");
    }
}
