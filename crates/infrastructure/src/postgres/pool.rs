//! Connections that are used again.
//!
//! Not sqlx's pool, for two reasons. It asks the server whether a connection still works each time one is given back,
//! which halves the throughput, and it waits for that answer without a deadline: when the server goes silent, every
//! connection given back at that moment is lost until TCP gives up, minutes later. And whoever drops a query half
//! way, because the client has gone, hands it a connection with an answer under way. Here a connection comes back
//! only when its holder says that all it asked was answered; in any other case it is closed.

use super::connection::connect;
use super::error::{Cause, Failure, bounded, bounded_by};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use vestibule_domain::StoreError;

/// How long to wait for a connection, opening one included.
pub(super) const ACQUIRE: Duration = Duration::from_secs(1);
/// Unused for so long, a connection may have been closed by the server or by something between: worth a round trip.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// The server's caches for a connection grow with its age.
const MAX_AGE: Duration = Duration::from_mins(30);

#[derive(Debug)]
pub(super) struct Pool {
    options: PgConnectOptions,
    /// One for each connection that may be open.
    permits: Arc<Semaphore>,
    /// The last one given back is the first to be used again.
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: PgConnection,
    opened: Instant,
    since: Instant,
}

/// A connection in use. Dropped without [`Lease::settle`] it is closed.
#[derive(Debug)]
pub(super) struct Lease {
    connection: PgConnection,
    opened: Instant,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// Opens nothing yet.
    pub(super) fn new(options: PgConnectOptions, max_connections: u32) -> Self {
        let most = usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS).max(1);
        Self { options, permits: Arc::new(Semaphore::new(most)), idle: Mutex::default() }
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, StoreError> {
        let lease = bounded_by(ACQUIRE, "acquire", async {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Cause::Closed)?;
            let (connection, opened) = match self.reuse().await {
                Some(reused) => reused,
                // Rare, and too large to be part of every query.
                None => (Box::pin(connect(&self.options)).await?, Instant::now()),
            };
            Ok::<_, Cause>(Lease { connection, opened, pool: Arc::clone(self), _permit: permit })
        });
        Ok(lease.await?)
    }

    async fn reuse(&self) -> Option<(PgConnection, Instant)> {
        loop {
            let Idle { mut connection, opened, since } = self.with_idle(Vec::pop)?;
            if opened.elapsed() > MAX_AGE {
                continue;
            }
            if since.elapsed() < TRUSTED_IDLE || connection.ping().await.is_ok() {
                return Some((connection, opened));
            }
        }
    }

    fn give_back(&self, connection: PgConnection, opened: Instant) {
        if !self.permits.is_closed() {
            self.with_idle(|idle| idle.push(Idle { connection, opened, since: Instant::now() }));
        }
    }

    /// What broke one connection has most likely broken the others.
    fn forget_idle(&self) {
        self.with_idle(Vec::clear);
    }

    fn with_idle<T>(&self, act: impl FnOnce(&mut Vec<Idle>) -> T) -> T {
        act(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets nobody in any more and takes leave of the server; what is in use is closed when it is given back.
    pub(super) async fn close(&self) {
        self.permits.close();
        for Idle { connection, .. } in self.with_idle(std::mem::take) {
            if bounded("close", connection.close()).await.is_err() {
                break;
            }
        }
    }
}

impl Lease {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// For whoever closes it because it broke.
    pub(super) fn forget_others(&self) {
        self.pool.forget_idle();
    }

    /// Gives the connection back if `outcome`, the answer to the last thing that was asked, says that it is sound.
    pub(super) fn settle<T>(self, outcome: Result<T, Failure>) -> Result<T, StoreError> {
        match &outcome {
            Err(failure) if failure.breaks_connection() => self.forget_others(),
            _ => {
                let Self { connection, opened, pool, _permit } = self;
                pool.give_back(connection, opened);
            }
        }
        Ok(outcome?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each query has one in it, and as many are in memory as wait.
    #[test]
    fn waiting_for_a_connection_takes_little_memory() {
        let pool = Arc::new(Pool::new(PgConnectOptions::new_without_pgpass(), 1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let bytes = size_of_val(&pool.lease());
        assert!(bytes <= 512, "{bytes}");
    }
}
