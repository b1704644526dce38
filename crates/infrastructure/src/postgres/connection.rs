//! How a connection is made: the settings that it carries, and that it leads to the primary.

use super::error::Cause;
use futures_util::future::{Either, select};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use std::panic::resume_unwind;
use std::pin::pin;
use std::str::FromStr;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::{JoinError, spawn_blocking};
use vestibule_domain::StoreError;

/// Set when the connection is made, after whatever options the URL has, so that these hold.
pub const CONNECTION_SETTINGS: [(&str, &str); 7] = [
    // The server ends what takes longer and frees its locks, also when the client has vanished.
    ("statement_timeout", "2s"),
    ("lock_timeout", "1s"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("tcp_keepalives_idle", "60"),
    // What every conditional statement of this store is written for.
    ("default_transaction_isolation", "read committed"),
    // A plan from when a table was small would read all of it, and is kept until the table has been analysed
    // (docs/decisions/0022).
    ("enable_seqscan", "off"),
    // Else tables that have been analysed make the server plan anew each time, which takes longer than to execute.
    ("plan_cache_mode", "force_generic_plan"),
];

/// A migration may run long, but does not wait for ever for the one that another process runs; and it may have reason to
/// read a whole table.
const MIGRATION_SETTINGS: [(&str, &str); 4] =
    [("statement_timeout", "0"), ("lock_timeout", "30s"), ("enable_seqscan", "on"), ("plan_cache_mode", "auto")];

pub(super) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Unexpected { context: "the URL of the store", source: Some(Box::new(error)) })?;
    let named = options.get_application_name().is_some();
    let options = if named { options } else { options.application_name("vestibule") };
    // The driver would write every statement to the log; each step has a span of its own.
    Ok(options.options(CONNECTION_SETTINGS).disable_statement_logging())
}

pub(super) fn migration_options(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options(MIGRATION_SETTINGS)
}

/// In a thread of its own: the driver computes thousands of hashes to prove the password (RFC 5802, section 2.2) and
/// lets others go first after every few, so that a busy runtime would take seconds. Opening ends with whoever waits for it.
#[expect(clippy::disallowed_methods, reason = "it computes like a hasher, and is rare")]
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Cause> {
    let (waiting, nobody_waits) = oneshot::channel::<()>();
    let (options, runtime) = (options.clone(), Handle::current());
    let opening = spawn_blocking(move || {
        let opening = async {
            match select(pin!(open(&options)), nobody_waits).await {
                Either::Left((opened, _)) => opened,
                Either::Right(_) => Err(Cause::Closed),
            }
        };
        runtime.block_on(opening)
    });
    let opened = opening.await;
    drop(waiting);
    match opened.map_err(JoinError::try_into_panic) {
        Ok(opened) => opened,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is shutting down.
        Err(Err(_)) => Err(Cause::Closed),
    }
}

/// Refuses a standby: after a failover the old address may still lead to one, and it would answer reads with the past.
async fn open(options: &PgConnectOptions) -> Result<PgConnection, Cause> {
    let mut connection = PgConnection::connect_with(options).await?;
    refuse_read_only(&mut connection).await?;
    Ok(connection)
}

pub(super) async fn refuse_read_only(connection: &mut PgConnection) -> Result<(), Cause> {
    // Also `on` while the server is in recovery.
    let read_only = sqlx::query_scalar!(r#"SELECT current_setting('transaction_read_only')::bool AS "read_only!""#);
    if read_only.fetch_one(connection).await? { Err(Cause::ReadOnly) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_come_after_the_options_of_the_url() {
        let options = options("postgres://u@h/d?options=-c%20statement_timeout%3D0").expect("a valid URL");
        let text = options.get_options().expect("options");
        let (theirs, ours) = (text.find("statement_timeout=0"), text.find("statement_timeout=2s"));
        assert!(theirs.expect("theirs are kept") < ours.expect("ours are set"), "{text}");
    }

    #[test]
    fn a_migration_has_settings_of_its_own() {
        let options = migration_options(&options("postgres://u@h/d").expect("a valid URL"));
        let text = options.get_options().expect("options");
        for (of_requests, its_own) in [
            ("statement_timeout=2s", "statement_timeout=0"),
            ("lock_timeout=1s", "lock_timeout=30s"),
            ("enable_seqscan=off", "enable_seqscan=on"),
            ("plan_cache_mode=force_generic_plan", "plan_cache_mode=auto"),
        ] {
            let (of_requests, its_own) = (text.find(of_requests), text.find(its_own));
            assert!(of_requests.expect("a limit") < its_own.expect("another one"), "{text}");
        }
    }

    #[test]
    fn the_url_may_name_the_application() {
        let named = options("postgres://u@h/d?application_name=replica-1").expect("a valid URL");
        assert_eq!(named.get_application_name(), Some("replica-1"));
    }

    #[test]
    fn what_is_no_url_is_refused_without_repeating_it() {
        let error = options("postgres://u:hunter2@[/d").expect_err("not a URL");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}
