//! Who writes, one at a time, and what the disk made of it.

use crate::connection::{ACQUIRE_TIMEOUT, attempts_connection};
use crate::error::{bounded, leaves_doubt, store_error};
use crate::file;
use crate::open::SqliteStore;
use sqlx::query::{Map, Query};
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteQueryResult, SqliteRow};
use sqlx::{Sqlite, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::OwnedMutexGuard;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Instrument;
use vestibule_domain::StoreError;

/// Held by whoever writes: SQLite's own lock knows no order.
#[derive(Debug)]
pub(crate) struct Turn {
    attempts: OwnedMutexGuard<Option<SqliteConnection>>,
    writer: SqlitePool,
    disk: Arc<Disk>,
}

/// What commits tell of the disk.
#[derive(Debug)]
pub(crate) struct Disk {
    /// Whether the last commit was not taken.
    pub(crate) has_failed: AtomicBool,
    /// Whether something in the WAL may not be on the disk, and not get there by another flush either. Nobody knows at
    /// first: who had the file before may have been killed.
    is_in_doubt: AtomicBool,
}

impl Default for Disk {
    fn default() -> Self {
        Self { has_failed: false.into(), is_in_doubt: true.into() }
    }
}

impl Disk {
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt.load(Ordering::Relaxed)
    }
}

impl Turn {
    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// Something that commits on the writer. `has_written` tells whether it did: what writes nothing tells nothing of the
    /// disk.
    ///
    /// It comes to its end, or its deadline, whether or not anybody waits for it: else the next one would have to doubt the disk.
    pub(crate) async fn commit<T: Send + 'static>(
        self,
        step: &'static str,
        work: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
        has_written: impl FnOnce(&T) -> bool + Send + 'static,
    ) -> Result<T, StoreError> {
        self.disk.is_in_doubt.store(true, Ordering::Relaxed);
        let committing = async move {
            let committed = bounded(step, work).await;
            match &committed {
                Ok(outcome) => {
                    self.disk.is_in_doubt.store(false, Ordering::Relaxed);
                    if has_written(outcome) {
                        self.disk.has_failed.store(false, Ordering::Relaxed);
                    }
                }
                Err(error) => self.note(error),
            }
            committed
        };
        let committed = tokio::spawn(committing.in_current_span()).await;
        committed.unwrap_or_else(|error| Err(store_error(step, sqlx::Error::Io(error.into()))))
    }

    fn note(&self, error: &StoreError) {
        self.disk.has_failed.store(true, Ordering::Relaxed);
        self.disk.is_in_doubt.store(leaves_doubt(error), Ordering::Relaxed);
    }

    /// Something that writes what is counted of attempts, without a flush (docs/decisions/0023): that it succeeds tells
    /// nothing of the disk.
    ///
    /// Whoever is dropped meanwhile, or fails, takes the connection along, and the next one gets another: what was given up
    /// must not begin later.
    pub(crate) async fn count<T>(
        &mut self,
        path: &Path,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = match self.attempts.take() {
            Some(connection) => connection,
            None if self.writer.is_closed() => return Err(store_error("attempts", sqlx::Error::PoolClosed)),
            None => bounded("attempts", attempts_connection(path)).await?,
        };
        let counted = work(&mut connection).await;
        match &counted {
            Ok(_) => *self.attempts = Some(connection),
            Err(error) => self.note(error),
        }
        counted
    }

    /// What is counted of attempts is in the WAL before what comes now, and was not flushed by itself. If a flush has failed
    /// since, it has to be written again, or all that follows would be lost with it.
    async fn write_wal_again(mut self, path: PathBuf) -> Result<Self, StoreError> {
        // It would be told of the failure when it is over.
        drop(self.attempts.take());
        // Keeps other processes out.
        let alone = bounded("begin", self.writer.begin_with("BEGIN IMMEDIATE")).await?;
        // It keeps the turn and the lock to its end, whether or not anybody waits for it.
        #[expect(clippy::disallowed_methods, reason = "a disk that has failed may take long")]
        let writing = spawn_blocking(move || {
            let written = file::write_wal_again(&path);
            if written.is_ok() {
                self.disk.is_in_doubt.store(false, Ordering::Relaxed);
            }
            drop(alone);
            written.map(|()| self)
        });
        let written = async { writing.await.unwrap_or_else(|error| Err(error.into())).map_err(sqlx::Error::Io) };
        bounded("write_wal_again", written).await
    }
}

impl SqliteStore {
    /// Nobody waits for it for longer than [`ACQUIRE_TIMEOUT`].
    pub(crate) async fn turn(&self) -> Result<Turn, StoreError> {
        let attempts = timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.attempts).lock_owned()).await;
        let attempts = attempts.map_err(|_| store_error("turn", sqlx::Error::PoolTimedOut))?;
        let turn = Turn { attempts, writer: self.writer.clone(), disk: Arc::clone(&self.disk) };
        if turn.disk.is_in_doubt() {
            return turn.write_wal_again(self.path().to_owned()).await;
        }
        Ok(turn)
    }

    /// A statement that begins and commits by itself: a transaction around it would cost more trips to the writer's
    /// thread. To its end, beyond the rows: there it commits, or fails to.
    pub(crate) async fn fetch_all<T: Send + Unpin + 'static>(
        &self,
        step: &'static str,
        statement: Map<
            'static,
            Sqlite,
            impl FnMut(SqliteRow) -> Result<T, sqlx::Error> + Send + 'static,
            SqliteArguments,
        >,
    ) -> Result<Vec<T>, StoreError> {
        let turn = self.turn().await?;
        let writer = turn.writer.clone();
        turn.commit(step, async move { statement.fetch_all(&writer).await }, |rows| !rows.is_empty()).await
    }

    /// Such a statement without rows.
    pub(crate) async fn execute(
        &self,
        step: &'static str,
        statement: Query<'static, Sqlite, SqliteArguments>,
    ) -> Result<SqliteQueryResult, StoreError> {
        let turn = self.turn().await?;
        let writer = turn.writer.clone();
        turn.commit(step, async move { statement.execute(&writer).await }, |done| done.rows_affected() > 0).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, connection};
    use sqlx::ConnectOptions;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;
    use tokio::task::yield_now;
    use uuid::Uuid;
    use vestibule_domain::Timestamp;
    use vestibule_domain::feed::store::FeedUpkeep;
    use vestibule_domain::session::store::{Rotation, SessionRotation, SessionUpkeep};
    use vestibule_domain::session::{RefreshSecretHash, RefreshToken, SealedToken};
    use vestibule_domain::throttle::store::ThrottleStore;
    use vestibule_domain::throttle::{Bucket, BucketKey};
    use vestibule_domain::user::store::IdempotencyUpkeep;

    #[tokio::test]
    async fn what_is_counted_of_attempts_alone_does_not_wait_for_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        let mut turn = store.turn().await.unwrap();
        let synchronous = async |attempts: &mut SqliteConnection| {
            bounded("synchronous", sqlx::query_scalar::<_, i64>("PRAGMA synchronous").fetch_one(attempts)).await
        };
        assert_eq!(turn.count(store.path(), synchronous).await.unwrap(), 1, "NORMAL");
        let checkpoints = async |attempts: &mut SqliteConnection| {
            bounded("checkpoints", sqlx::query_scalar::<_, i64>("PRAGMA wal_autocheckpoint").fetch_one(attempts)).await
        };
        assert_eq!(turn.count(store.path(), checkpoints).await.unwrap(), 0, "only who has flushed the WAL moves it");
    }

    #[tokio::test]
    async fn j128_a_wal_in_doubt_is_written_again_before_it_is_moved_or_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Command).await.unwrap();
        assert!(store.disk.is_in_doubt(), "whoever had the file before may have been killed");
        let held = store.attempts.lock().await;
        timeout(Duration::from_secs(5), store.close()).await.unwrap();
        assert!(!store.writer.is_closed(), "it could not be written again");
        drop(held);
        store.close().await;
        assert_eq!((store.writer.is_closed(), store.disk.is_in_doubt()), (true, false));
    }

    #[tokio::test]
    async fn j128_what_writes_nothing_tells_nothing_of_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        store.execute("table", sqlx::query("CREATE TABLE t (x)")).await.unwrap();
        store.disk.has_failed.store(true, Ordering::Relaxed);
        store.execute("nothing", sqlx::query("DELETE FROM t")).await.unwrap();
        let rows = sqlx::query("DELETE FROM t RETURNING x").try_map(|_| Ok(()));
        assert_eq!(store.fetch_all("no_rows", rows).await.unwrap(), []);
        assert!(store.disk.has_failed.load(Ordering::Relaxed));
        let rows = sqlx::query("INSERT INTO t VALUES (1) RETURNING x").try_map(|_| Ok(()));
        assert_eq!(store.fetch_all("a_row", rows).await.unwrap(), [()]);
        assert!(!store.disk.has_failed.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn j128_a_doubt_that_comes_up_while_a_close_waits_for_its_turn_leaves_the_wal_too() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        drop(store.turn().await.unwrap());
        assert!(!store.disk.is_in_doubt());
        let held = store.attempts.lock().await;
        let mut closing = pin!(store.close());
        while !store.readers().is_closed() {
            assert!(poll_fn(|cx| Poll::Ready(closing.as_mut().poll(cx).is_pending())).await);
            yield_now().await;
        }
        store.disk.is_in_doubt.store(true, Ordering::Relaxed);
        drop(held);
        closing.await;
        assert!(!store.writer.is_closed());
    }

    /// The system tells each open file of a flush that failed.
    #[tokio::test]
    async fn when_the_wal_was_written_again_attempts_are_counted_by_another_connection() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        let mut turn = store.turn().await.unwrap();
        turn.count(store.path(), async |_| Ok(())).await.unwrap();
        let crash = async { Err(sqlx::Error::WorkerCrashed) };
        turn.commit("commit", crash, |()| true).await.unwrap_err();
        drop(store.turn().await.unwrap());
        assert!(store.attempts.lock().await.is_none());
    }

    #[tokio::test]
    async fn j130_whoever_writes_has_the_turn_and_nobody_waits_for_it_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        store.migrate().await.unwrap();
        let work = store.begin_work().await.unwrap();
        let (at, keys, buckets) = (Timestamp::EPOCH, [BucketKey::from_bytes([1; 32])], [Bucket::default()]);
        let rotation = Rotation {
            presented: RefreshToken::new(Uuid::nil().into(), [1; 16], [1; 32]).hash(),
            child: RefreshSecretHash::from_bytes([2; 32]),
            sealed_child: SealedToken::from_bytes(vec![1]),
            now: at,
            idle: Duration::ZERO,
        };
        let rotate = async || store.rotate_refresh(&rotation).await.map(|_| 0);
        let swap = async || store.swap_buckets(&keys, &buckets, &buckets).await.map(|_| 0);
        let forget = async || store.forget_sealed_children(at, Uuid::nil().into(), 1).await.map(|_| 0);
        let refused = tokio::join!(
            rotate(),
            swap(),
            store.purge_buckets(at, 1),
            store.purge_changes(at, 1),
            store.purge_idempotency_keys(at, 1),
            forget(),
        );
        for refused in <[_; 6]>::from(refused) {
            assert!(matches!(refused, Err(StoreError::Unavailable { context: "turn", .. })), "{refused:?}");
        }
        drop(work);
        swap().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_given_up_of_attempts_holds_up_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        store.migrate().await.unwrap();
        let mut other_process = connection::options(store.path()).connect().await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut other_process).await.unwrap();
        let (keys, buckets) = ([BucketKey::from_bytes([1; 32])], [Bucket::default()]);
        let given_up = timeout(Duration::from_millis(100), store.swap_buckets(&keys, &buckets, &buckets)).await;
        given_up.unwrap_err();
        assert!(store.attempts.lock().await.is_none(), "what is still under way on it would come first");
        sqlx::query("ROLLBACK").execute(&mut other_process).await.unwrap();
        store.swap_buckets(&keys, &buckets, &buckets).await.unwrap();
        assert!(store.attempts.lock().await.is_some());
    }
}
