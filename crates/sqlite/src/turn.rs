//! Who writes, one at a time, and what the disk made of it.

use crate::connection::{ACQUIRE_TIMEOUT, attempts_connection};
use crate::error::{bounded, leaves_doubt, store_error};
use crate::file;
use crate::open::SqliteStore;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePool};
use sqlx::{Sqlite, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::OwnedMutexGuard;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
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
    /// disk. Whoever is dropped meanwhile leaves the doubt to the next.
    pub(crate) async fn commit<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
        has_written: impl FnOnce(&T) -> bool,
    ) -> Result<T, StoreError> {
        self.disk.is_in_doubt.store(true, Ordering::Relaxed);
        let committed = work.await;
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

    /// A statement that begins and commits by itself; how many rows it affected.
    pub(crate) async fn execute(
        &self,
        step: &'static str,
        statement: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<u64, StoreError> {
        let turn = self.turn().await?;
        let done = turn.commit(bounded(step, statement.execute(turn.writer())), |done| done.rows_affected() > 0);
        Ok(done.await?.rows_affected())
    }
}
