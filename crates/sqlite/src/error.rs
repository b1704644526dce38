//! From SQLx's errors to the domain's, and the deadline that every step has.

use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteQueryResult;
use std::error::Error;
use std::fmt;
use std::time::Duration;
use tracing::Instrument;
use vestibule_domain::StoreError;

/// How long a request waits for one step. SQLite has no limit of its own; a statement that is given up runs on
/// in its connection's thread, and the connection is free again when it is over.
const DEADLINE: Duration = Duration::from_secs(3);

/// Runs one step, a statement or few, within its deadline, in a span that has its name.
pub(crate) async fn bounded<T>(
    step: &'static str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(DEADLINE, work).instrument(tracing::debug_span!("sqlite", step)).await {
        Ok(outcome) => outcome.map_err(|error| store_error(step, error)),
        Err(_) => Err(StoreError::Unavailable { context: step, source: None }),
    }
}

/// A row that fits no state of the domain.
pub(crate) fn corrupt(table: &'static str, column: &'static str, row: impl fmt::Display) -> StoreError {
    StoreError::Corrupt { table, column, row: row.to_string() }
}

/// For statements that must hit exactly one row, whatever other processes do.
pub(crate) fn exactly_one(step: &'static str, result: &SqliteQueryResult) -> Result<(), StoreError> {
    match result.rows_affected() {
        1 => Ok(()),
        _ => Err(unexpected(step, "one row should have been affected")),
    }
}

/// `context` is the step's name.
pub(crate) fn store_error(context: &'static str, error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(failure) => match code(failure.as_ref()) {
            BUSY_SNAPSHOT => StoreError::Contention,
            code if is_trouble(code) => unavailable(context, error),
            _ => unexpected(context, error),
        },
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        // The connection lost count of its transactions; the next one to use the writer gets a new connection.
        | sqlx::Error::BeginFailed
        | sqlx::Error::InvalidSavePointStatement => unavailable(context, error),
        _ => unexpected(context, error),
    }
}

fn unavailable(context: &'static str, error: sqlx::Error) -> StoreError {
    StoreError::Unavailable { context, source: Some(Box::new(error)) }
}

fn unexpected(context: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    StoreError::Unexpected { context, source: Some(source.into()) }
}

/// A transaction read before it wrote and another one wrote in between. `BEGIN IMMEDIATE` rules it out, and so does a
/// statement by itself, which has the lock before it reads.
const BUSY_SNAPSHOT: i32 = 517;

/// Whether a flush may have failed, or may yet fail.
pub(crate) fn leaves_doubt(error: &StoreError) -> bool {
    match cause(error) {
        Some(sqlx::Error::Database(failure)) => code(failure.as_ref()) & 0xff == IOERR,
        Some(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => false,
        // Among them a row that cannot be read: the commit comes after it, unheard.
        _ => !matches!(error, StoreError::Contention),
    }
}

fn cause(error: &StoreError) -> Option<&sqlx::Error> {
    let (StoreError::Unavailable { source, .. } | StoreError::Unexpected { source, .. }) = error else { return None };
    source.as_ref()?.downcast_ref()
}

const IOERR: i32 = 10;

/// <https://www.sqlite.org/rescode.html>: the primary code is in the low byte. All statements are known to be right but
/// in a schema that is not migrated yet, which is an `ERROR`.
fn is_trouble(code: i32) -> bool {
    const ERROR: i32 = 1;
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const NOMEM: i32 = 7;
    const READONLY: i32 = 8;
    const INTERRUPT: i32 = 9;
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const PROTOCOL: i32 = 15;
    const NOTADB: i32 = 26;
    matches!(
        code & 0xff,
        ERROR | BUSY | LOCKED | NOMEM | READONLY | INTERRUPT | IOERR | CORRUPT | FULL | CANTOPEN | PROTOCOL | NOTADB
    )
}

/// SQLx hands the number out as text.
fn code(failure: &dyn DatabaseError) -> i32 {
    failure.code().and_then(|code| code.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_came_to_a_flush_leaves_no_doubt_of_it() {
        let error = |error| store_error("step", error);
        assert!(![StoreError::Contention, error(sqlx::Error::PoolTimedOut)].iter().any(leaves_doubt));
        let silent = StoreError::Unavailable { context: "commit", source: None };
        let unreadable = sqlx::Error::ColumnNotFound("id".to_owned());
        assert!([silent, error(sqlx::Error::WorkerCrashed), error(unreadable)].iter().all(leaves_doubt));
    }
}
