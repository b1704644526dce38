//! What can go wrong on the way to PostgreSQL and back, and what it means for the caller and for the connection.

use futures_util::FutureExt;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgDatabaseError, PgQueryResult, PgSeverity};
use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tracing::Instrument;
use vestibule_domain::StoreError;

/// Longer than the server lets a statement run, so that it passes only if the server or the way to it is gone.
const DEADLINE: Duration = Duration::from_secs(3);

/// A step that did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    step: &'static str,
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    #[error("the server is read-only or a standby")]
    ReadOnly,
    #[error("the pool is closed")]
    Closed,
    /// Without the detail, which quotes the values of the row.
    #[error("{message} (SQLSTATE {code}){}", remedy(code))]
    Server { code: String, message: String, constraint: Option<String>, fatal: bool },
    #[error("the connection failed: {0}")]
    Connection(sqlx::Error),
    #[error(transparent)]
    Driver(sqlx::Error),
    /// As sqlx does at a time that chrono has no date for, such as `infinity`.
    #[error("the driver cannot read the answer: {0}")]
    Panic(String),
    #[error("whether it was written is not known: {0}")]
    Unread(Box<Cause>),
    #[error(transparent)]
    Migration(MigrateError),
}

/// What to do about errors that nothing but a person mends.
fn remedy(code: &str) -> &'static str {
    match code {
        "28P01" => ": the user or the password in store.url is wrong",
        "28000" => ": see store.url, and who may connect from where in the server's pg_hba.conf",
        "3D000" => ": make the database that store.url names (`createdb`), or put the name right",
        "42501" => ": make the user of store.url the owner of the database, or grant what is missing",
        _ => "",
    }
}

/// A constraint whose violation is an outcome that the domain knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Constraint {
    CanonicalEmail,
    ThrottleKey,
}

impl Constraint {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "users_email_canonical_key" => Some(Self::CanonicalEmail),
            "throttles_pkey" => Some(Self::ThrottleKey),
            _ => None,
        }
    }
}

/// Runs one step, a round trip or few, within its deadline, in a span that has its name.
pub(super) fn bounded<T, E>(
    step: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, Failure>>
where
    Cause: From<E>,
{
    bounded_by(DEADLINE, step, work)
}

/// If the work panics, what it leaves half done is the connection, which is closed.
///
/// No `async fn`, which would keep `work` twice: as it was given, and where it is awaited.
pub(super) fn bounded_by<T, E>(
    limit: Duration,
    step: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, Failure>>
where
    Cause: From<E>,
{
    let work = AssertUnwindSafe(tokio::time::timeout(limit, work)).catch_unwind();
    work.instrument(tracing::debug_span!("postgres", step)).map(move |outcome| {
        let cause = match outcome {
            Ok(Ok(Ok(answer))) => return Ok(answer),
            Ok(Ok(Err(error))) => error.into(),
            Ok(Err(_)) => Cause::Deadline(limit),
            Err(panic) => Cause::Panic(message(&*panic)),
        };
        Err(Failure { step, cause })
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it does not say why").to_owned()
}

impl Failure {
    /// Whether the connection must not be used again: it is gone, nobody knows what is under way on it, or it leads
    /// to a server that is no longer the primary.
    pub(super) fn breaks_connection(&self) -> bool {
        match &self.cause {
            Cause::Server { code, fatal, .. } => {
                *fatal || code.starts_with("08") || code.starts_with("57P0") || code == "25006"
            }
            // Also what the driver did not understand: it may not have read the answer to its end.
            _ => true,
        }
    }

    /// Of a statement after whose failure each of those for whom it wrote would write alone: what may have been written
    /// must not be written again.
    pub(super) fn of_a_group(self) -> Self {
        let cause = match self.cause {
            cause @ (Cause::Driver(_) | Cause::Panic(_)) => Cause::Unread(Box::new(cause)),
            cause => cause,
        };
        Self { cause, ..self }
    }

    pub(super) fn violates(&self, constraint: Constraint) -> bool {
        matches!(&self.cause, Cause::Server { constraint: Some(name), .. }
            if Constraint::from_name(name) == Some(constraint))
    }
}

impl Cause {
    pub(super) fn is_undefined_table(&self) -> bool {
        matches!(self, Self::Server { code, .. } if code == "42P01")
    }

    /// 40001 serialisation failure, 40P01 deadlock; 55P03 is the lock timeout, which is as long as the time after which
    /// the server looks for deadlocks and therefore usually first.
    fn is_contention(&self) -> bool {
        matches!(self, Self::Server { code, .. } if matches!(code.as_str(), "40001" | "40P01" | "55P03"))
    }

    /// 08 connection, 25006 read-only, 42P01 and 42703 a schema that is not migrated yet, 53 resources, 57 operator
    /// (statement timeout, shutdown), 58 the server's disk; and whatever made the server hang up.
    fn is_unavailability(&self) -> bool {
        match self {
            Self::Deadline(_) | Self::ReadOnly | Self::Closed | Self::Connection(_) | Self::Unread(_) => true,
            Self::Server { code, fatal, .. } => {
                let class = code.get(..2).unwrap_or_default();
                *fatal
                    || matches!(class, "08" | "53" | "57" | "58")
                    || matches!(code.as_str(), "25006" | "42P01" | "42703")
            }
            Self::Driver(_) | Self::Panic(_) | Self::Migration(_) => false,
        }
    }
}

impl From<Failure> for StoreError {
    fn from(Failure { step, cause }: Failure) -> Self {
        if cause.is_contention() {
            Self::Contention
        } else if cause.is_unavailability() {
            Self::Unavailable { context: step, source: Some(Box::new(cause)) }
        } else {
            Self::Unexpected { context: step, source: Some(Box::new(cause)) }
        }
    }
}

impl From<sqlx::Error> for Cause {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => Self::from(&*error),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                Self::Connection(error)
            }
            error => Self::Driver(error),
        }
    }
}

impl From<&dyn DatabaseError> for Cause {
    fn from(error: &dyn DatabaseError) -> Self {
        let severity = error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::severity);
        Self::Server {
            code: error.code().unwrap_or_default().into_owned(),
            message: error.message().to_owned(),
            constraint: matches!(error.kind(), ErrorKind::UniqueViolation)
                .then(|| error.constraint().map(str::to_owned))
                .flatten(),
            fatal: matches!(severity, Some(PgSeverity::Fatal | PgSeverity::Panic)),
        }
    }
}

impl From<MigrateError> for Cause {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) => error.into(),
            MigrateError::ExecuteMigration(error, version) => {
                tracing::error!(version, "a migration failed");
                error.into()
            }
            error => Self::Migration(error),
        }
    }
}

/// A row that fits no state of the domain.
pub(super) fn corrupt(table: &'static str, column: &'static str, row: impl fmt::Display) -> StoreError {
    StoreError::Corrupt { table, column, row: row.to_string() }
}

/// For statements that must hit exactly one row, whatever other processes do.
pub(super) fn exactly_one(step: &'static str, result: &PgQueryResult) -> Result<(), StoreError> {
    match result.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Unexpected { context: step, source: Some("one row should have been affected".into()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: &str, fatal: bool) -> Failure {
        let cause = Cause::Server { code: code.to_owned(), message: String::new(), constraint: None, fatal };
        Failure { step: "test", cause }
    }

    #[test]
    fn j131_losing_to_another_transaction_is_contention_on_a_sound_connection() {
        for code in ["40001", "40P01", "55P03"] {
            assert!(!server(code, false).breaks_connection(), "{code}");
            assert!(matches!(StoreError::from(server(code, false)), StoreError::Contention), "{code}");
        }
    }

    #[test]
    fn limits_make_the_store_unavailable_and_leave_the_connection_sound() {
        for code in ["42P01", "42703", "53100", "53200", "57014", "58030"] {
            assert!(!server(code, false).breaks_connection(), "{code}");
            assert!(matches!(StoreError::from(server(code, false)), StoreError::Unavailable { .. }), "{code}");
        }
    }

    #[test]
    fn a_server_that_goes_away_or_stops_writing_costs_the_connection() {
        for (code, fatal) in [("08006", false), ("57P01", true), ("57P03", false), ("25006", false), ("25P03", true)] {
            assert!(server(code, fatal).breaks_connection(), "{code}");
            assert!(matches!(StoreError::from(server(code, fatal)), StoreError::Unavailable { .. }), "{code}");
        }
    }

    #[test]
    fn defects_are_unexpected() {
        for code in ["23505", "42601", "22021", ""] {
            assert!(!server(code, false).breaks_connection(), "{code}");
            assert!(matches!(StoreError::from(server(code, false)), StoreError::Unexpected { .. }), "{code}");
        }
    }

    #[test]
    fn of_what_a_group_may_have_written_nobody_is_told_that_it_was_not() {
        let panic = Failure { step: "test", cause: Cause::Panic("a date".to_owned()) }.of_a_group();
        assert!(panic.breaks_connection());
        assert!(matches!(StoreError::from(panic), StoreError::Unavailable { .. }));
        assert!(matches!(StoreError::from(server("23505", false).of_a_group()), StoreError::Unexpected { .. }));
    }

    /// Whoever waits for the database has one of these in memory, and they are many.
    #[tokio::test]
    async fn a_step_keeps_its_work_once() {
        let work = async {
            let kept = [0_u8; 4096];
            std::future::pending::<()>().await;
            std::hint::black_box(&kept);
            Ok::<_, sqlx::Error>(())
        };
        let alone = size_of_val(&work);
        let step = size_of_val(&bounded("step", work));
        assert!(step <= alone + 512, "{alone} bytes became {step}");
    }

    #[tokio::test]
    async fn a_panic_of_the_driver_is_a_failure_that_costs_the_connection() {
        let failure = bounded::<(), sqlx::Error>("step", async { panic!("confused") }).await.unwrap_err();
        assert!(matches!(&failure.cause, Cause::Panic(why) if why == "confused"), "{failure:?}");
        assert!(failure.breaks_connection());
    }

    #[tokio::test(start_paused = true)]
    async fn j121_a_silent_server_is_not_waited_for() {
        let silent = std::future::pending::<Result<(), sqlx::Error>>();
        let failure = bounded("silent", silent).await.expect_err("nothing answers");
        assert!(failure.breaks_connection());
        assert!(matches!(StoreError::from(failure), StoreError::Unavailable { context: "silent", .. }));
    }
}
