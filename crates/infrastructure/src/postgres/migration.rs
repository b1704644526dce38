//! The schema: applying migrations, and finding out which are pending.

use super::connection::{connect, migration_options};
use super::error::{Cause, bounded, bounded_by};
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor};
use std::time::Duration;
use vestibule_domain::StoreError;

const TABLE: &str = "_sqlx_migrations";
/// Building an index on a large table takes minutes; a connection that died is noticed in the end.
const DEADLINE: Duration = Duration::from_hours(1);

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations/postgres");
    // The steps of the next version: two neighbouring versions run side by side while one replaces the other.
    migrator.set_ignore_missing(true);
    migrator
}

pub(super) async fn migrate(options: &PgConnectOptions) -> Result<(), StoreError> {
    let options = migration_options(options);
    let mut connection = bounded("connect", connect(&options)).await?;
    end_with_the_client(&mut connection).await;
    // The connection is not used for anything else: closing it frees the lock that a failure leaves behind.
    let migrated = bounded_by(DEADLINE, "migrate", migrator().run_direct(None, &mut connection, false)).await;
    let closed = bounded("close", connection.close()).await;
    migrated.and(closed)?;
    Ok(())
}

/// Lets the server roll back a step whose client is gone, rather than finish it, or wait for a lock, and hold the
/// migration lock meanwhile against whoever is started next.
async fn end_with_the_client(connection: &mut PgConnection) {
    let setting = connection.execute("SET client_connection_check_interval = '1s'");
    if let Err(failure) = bounded("client_connection_check_interval", setting).await {
        // Not every system on which PostgreSQL runs tells it that a client is gone.
        tracing::debug!(?failure, "a migration that is interrupted may go on for a while");
    }
}

/// None if the database is empty.
pub(super) async fn applied(connection: &mut PgConnection) -> Result<Vec<AppliedMigration>, Cause> {
    match connection.list_applied_migrations(TABLE).await.map_err(Cause::from) {
        Err(cause) if cause.is_undefined_table() => Ok(Vec::new()),
        outcome => outcome,
    }
}

/// How many are not among the `applied`. An error if one was applied that reads differently.
pub(super) fn pending(applied: &[AppliedMigration]) -> Result<usize, StoreError> {
    let mut pending = 0;
    for step in migrator().iter() {
        match applied.iter().find(|applied| applied.version == step.version) {
            None => pending += 1,
            Some(applied) if applied.checksum == step.checksum => {}
            Some(_) => {
                let source = Some(MigrateError::VersionMismatch(step.version).into());
                return Err(StoreError::Unexpected { context: "check", source });
            }
        }
    }
    Ok(pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<AppliedMigration> {
        let applied = |step: &sqlx::migrate::Migration| AppliedMigration {
            version: step.version,
            checksum: step.checksum.clone(),
        };
        migrator().iter().map(applied).collect()
    }

    #[test]
    fn all_are_pending_on_an_empty_database() {
        assert_eq!(pending(&[]).expect("a count"), all().len());
        assert!(!all().is_empty());
    }

    #[test]
    fn what_a_newer_version_applied_is_tolerated() {
        let newer = AppliedMigration { version: i64::MAX, checksum: vec![1].into() };
        let applied: Vec<_> = all().into_iter().skip(1).chain([newer]).collect();
        assert_eq!(pending(&applied).expect("a count"), 1);
    }

    #[test]
    fn a_step_that_was_rewritten_after_it_was_applied_is_refused() {
        let mut applied = all();
        applied[0].checksum = vec![1].into();
        assert!(matches!(pending(&applied), Err(StoreError::Unexpected { .. })));
    }
}
