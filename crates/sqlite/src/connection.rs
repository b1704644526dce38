//! The connections to the file, each with a thread of its own.

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// Within a process nobody waits longer for their turn to write, or for a reader.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// For the lock that another process holds. With the wait for a connection shorter than a step is waited for: what is
/// given up must not begin later.
const BUSY_TIMEOUT: Duration = Duration::from_millis(1_500);
/// A read takes microseconds; each connection costs a thread and a page cache.
const READERS: u32 = 2;
/// How much a connection keeps in memory of what the system keeps as well: as `PRAGMA cache_size`, in KiB below
/// zero. With three times as many nothing was faster (docs/decisions/0028).
const CACHE: &str = "-128";
/// The feed is read at its end, and of attempts few are looked at.
const SMALL_CACHE: &str = "-64";

/// What all connections have in common.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        // What is acknowledged is on disk. On macOS only F_FULLFSYNC reaches the platter.
        .synchronous(SqliteSynchronous::Full)
        .pragma("fullfsync", "ON")
        // A file that somebody has tampered with cannot make the schema run functions, and a damaged page is found
        // when it is read.
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        // Personal data goes to no other file, and an I/O error is an error, not a signal.
        .pragma("temp_store", "MEMORY")
        .pragma("mmap_size", "0")
        // Each statement has a span already.
        .disable_statement_logging()
}

/// After a burst the WAL gives its space back; what is deleted is overwritten where that costs no more I/O.
fn writing(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("journal_size_limit", "16777216").pragma("secure_delete", "FAST")
}

pub(crate) async fn writer_pool(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = writing(options(path))
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("cache_size", CACHE)
        .thread_name(|_| "sqlite-writer".to_owned());
    pool(1)
        // When SQLite itself ends a transaction (disk full, I/O error), SQLx goes on believing in it, and every later
        // one would fail. Such a connection is replaced.
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        .connect_with(options)
        .await
}

/// What it commits is on disk with the next commit of the writer, who alone moves the WAL into the file: just after it has
/// flushed the WAL.
pub(crate) async fn attempts_connection(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = writing(options(path)).synchronous(SqliteSynchronous::Normal).pragma("cache_size", SMALL_CACHE);
    let options = options.pragma("wal_autocheckpoint", "0");
    options.thread_name(|_| "sqlite-attempts".to_owned()).connect().await
}

pub(crate) async fn forget_pages(connection: &mut SqliteConnection) {
    // It is no loss if it does not.
    let _ = sqlx::query("PRAGMA shrink_memory").execute(connection).await;
}

pub(crate) fn readers(path: &Path) -> SqlitePool {
    reader_pool(path, READERS, CACHE, |n| format!("sqlite-reader-{n}"))
}

pub(crate) fn feed(path: &Path) -> SqlitePool {
    reader_pool(path, 1, SMALL_CACHE, |_| "sqlite-feed".to_owned())
}

fn reader_pool(path: &Path, connections: u32, cache: &'static str, name: fn(u64) -> String) -> SqlitePool {
    let options = options(path).pragma("query_only", "ON").pragma("cache_size", cache).thread_name(name);
    pool(connections).connect_lazy_with(options)
}

/// Connections to a file do not go bad by waiting, so they are neither tested nor replaced.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}
