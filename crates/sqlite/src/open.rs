//! Opening and closing the file.

use crate::connection;
use crate::file::{self, OpenLock};
use crate::lock::ServeLock;
use crate::space::RESERVE_BYTES;
use crate::turn::Disk;
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection, SqliteConnection};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// What the file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Serving: one process at a time, and the file is checked first.
    Serve,
    /// One command, beside a running service or without one.
    Command,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the file {} cannot be made or is not ours to use", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(
        "{} is being served by another process. Stop that one first, or give this one a file of its own in \
         `store.url`; only commands work beside a running service",
        path.display()
    )]
    InUse { path: PathBuf },
    #[error("{} cannot be opened as an SQLite database", path.display())]
    Database { path: PathBuf, source: sqlx::Error },
    #[error("{} is damaged ({finding}): restore it from a backup", path.display())]
    Damaged { path: PathBuf, finding: String },
}

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    pub(crate) writer: SqlitePool,
    /// What goes with each [`Turn`](crate::turn::Turn); `None` if another has to be opened.
    pub(crate) attempts: Arc<Mutex<Option<SqliteConnection>>>,
    readers: SqlitePool,
    /// One more, which no request can take: with it, what is revoked is out within a second under any load.
    feed: SqlitePool,
    /// How many bytes must be free on the disk for the store to be well.
    pub(crate) reserve: u64,
    pub(crate) disk: Arc<Disk>,
    // Last, so that it is released when no connection is left.
    _lock: Option<ServeLock>,
}

impl SqliteStore {
    /// Makes the file and its directories if there are none, readable for their owner only. Migrates nothing.
    pub async fn open(path: &Path, access: Access) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::File { path: path.to_owned(), source };
        let path = file::prepare(path).map_err(unusable)?;
        let lock = match access {
            Access::Serve => {
                Some(ServeLock::take(&path).map_err(unusable)?.ok_or(OpenError::InUse { path: path.clone() })?)
            }
            Access::Command => None,
        };
        let opening = OpenLock::wait(&path).await.map_err(unusable)?;
        let failed = |source| OpenError::Database { path: path.clone(), source };
        let writer = connection::writer_pool(&path).await.map_err(failed)?;
        file::take_from_others(&path).map_err(unusable)?;
        drop(opening);
        if access == Access::Serve {
            check_file(&writer, &path).await?;
        }
        let (readers, feed) = (connection::readers(&path), connection::feed(&path));
        // The connection for attempts is opened when the first is counted.
        let (attempts, disk) = (Arc::default(), Arc::default());
        Ok(Self { path, writer, attempts, readers, feed, reserve: RESERVE_BYTES, disk, _lock: lock })
    }

    /// Lets go of the pages that connections without work have in memory; the system has them as well.
    pub async fn forget_pages(&self) {
        for pool in [&self.feed, &self.readers, &self.writer] {
            // Each is kept until all have been asked, or the first would come again.
            let mut asked = Vec::new();
            while let Some(mut idle) = pool.try_acquire() {
                connection::forget_pages(&mut idle).await;
                asked.push(idle);
            }
        }
        if let Ok(mut attempts) = self.attempts.try_lock()
            && let Some(idle) = attempts.as_mut()
        {
            connection::forget_pages(idle).await;
        }
    }

    /// Waits for what is being written, and moves it from the WAL into the file, unless the disk does not take it: then
    /// that is left to whoever opens the file next. Every call after it fails.
    pub async fn close(&self) {
        if self.disk.is_in_doubt() && self.turn().await.is_err() {
            return;
        }
        self.feed.close().await;
        self.readers.close().await;
        let mut turn = self.attempts.lock().await;
        if self.disk.is_in_doubt() {
            // By whoever had the turn meanwhile.
            return;
        }
        if let Some(attempts) = turn.take() {
            // If it fails, the writer, which closes last, moves what is left in the WAL.
            let _ = attempts.close().await;
        }
        self.writer.close().await;
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// For everything that only reads: each statement sees all that was committed before it began.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// For the follower of the change feed, who waits for nobody.
    pub(crate) fn feed(&self) -> &SqlitePool {
        &self.feed
    }
}

/// Better not to serve than to answer from a damaged file.
async fn check_file(pool: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Database { path: path.to_owned(), source };
    let finding: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(pool).await.map_err(failed)?;
    if finding == "ok" { Ok(()) } else { Err(OpenError::Damaged { path: path.to_owned(), finding }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Row;

    async fn setting(pool: &SqlitePool, pragma: &str) -> String {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"))).fetch_one(pool).await.unwrap();
        row.try_get_unchecked(0).unwrap()
    }

    #[tokio::test]
    async fn what_is_committed_is_on_disk_and_the_schema_runs_no_code() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        for pool in [&store.writer, &store.readers, &store.feed] {
            assert_eq!(setting(pool, "journal_mode").await, "wal");
            assert_eq!(setting(pool, "synchronous").await, "2", "FULL");
            assert_eq!(setting(pool, "fullfsync").await, "1");
            assert_eq!(setting(pool, "foreign_keys").await, "1");
            assert_eq!(setting(pool, "trusted_schema").await, "0");
            assert_eq!(setting(pool, "busy_timeout").await, "1500");
        }
    }

    #[tokio::test]
    async fn nothing_is_compiled_in_that_no_query_uses_nor_a_page_cache_for_all_connections() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        let options: Vec<String> =
            sqlx::query_scalar("PRAGMA compile_options").fetch_all(store.readers()).await.unwrap();
        for unused in ["FTS", "RTREE", "STAT4", "MEMORY_MANAGEMENT"] {
            assert!(!options.iter().any(|option| option.contains(unused)), "{unused}: {options:?}");
        }
        assert!(options.iter().any(|option| option == "DEFAULT_LOOKASIDE=1200,25"), "{options:?}");
    }

    /// What the process has asked the system to read.
    #[cfg(target_os = "linux")]
    fn bytes_read() -> usize {
        let counts = std::fs::read_to_string("/proc/self/io").unwrap();
        counts.lines().find_map(|line| line.strip_prefix("rchar: ")?.parse().ok()).unwrap()
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn pages_are_read_again_when_they_have_been_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        let rows =
            "WITH n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n LIMIT 100) SELECT randomblob(4000) AS x FROM n";
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE TABLE t AS {rows}"))).execute(&store.writer).await.unwrap();
        let before = bytes_read();
        for _ in 0..50 {
            let read: i64 = sqlx::query_scalar("SELECT count(*) FROM t WHERE length(hex(x)) = 8000")
                .fetch_one(store.readers())
                .await
                .unwrap();
            assert_eq!(read, 100);
            store.forget_pages().await;
        }
        let read = bytes_read() - before;
        assert!(read >= 50 * 400_000, "{read} bytes");
    }

    #[tokio::test]
    async fn only_the_writer_writes() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        let refused = sqlx::query("CREATE TABLE t (x)").execute(store.readers()).await;
        assert!(refused.is_err(), "a reader wrote");
        sqlx::query("CREATE TABLE t (x)").execute(&store.writer).await.unwrap();
    }
}
