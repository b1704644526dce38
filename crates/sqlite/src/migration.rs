//! The schema: applying migrations, and finding out which are pending.

use crate::error::{bounded, store_error};
use crate::open::SqliteStore;
use sqlx::SqlitePool;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use std::borrow::Cow;
use std::collections::HashMap;
use vestibule_domain::{StoreError, UnitOfWork};

const TABLE: &str = "_sqlx_migrations";

/// Migrations that only a newer version knows are no error: schemas grow so that the version before still works.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations/sqlite");
    migrator.set_ignore_missing(true);
    migrator
}

impl SqliteStore {
    /// Applies all pending migrations, or none. Of two processes that begin at once, the second waits, three seconds at
    /// most, and then finds nothing to do. Fails if an applied migration is not the one that this version knows.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut work = self.begin_work().await?;
        migrator().run_direct(None, work.connection(), false).await.map_err(failure)?;
        Box::new(work).commit().await
    }
}

/// How many migrations the file lacks. Fails if an applied one is not the one that this version knows.
pub(crate) async fn pending(pool: &SqlitePool) -> Result<usize, StoreError> {
    let applied = applied(pool).await?;
    let mut pending = 0;
    for migration in migrator().iter() {
        match applied.get(&migration.version) {
            None => pending += 1,
            Some(checksum) if *checksum != migration.checksum => {
                return Err(failure(MigrateError::VersionMismatch(migration.version)));
            }
            Some(_) => {}
        }
    }
    Ok(pending)
}

/// The checksums of what is applied, by version.
async fn applied(pool: &SqlitePool) -> Result<HashMap<i64, Cow<'static, [u8]>>, StoreError> {
    let mut connection = bounded("acquire", pool.acquire()).await?;
    let query = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?1) AS "migrated!: bool""#,
        TABLE
    );
    if !bounded("migrations_table", query.fetch_one(&mut *connection)).await? {
        return Ok(HashMap::new());
    }
    let applied = connection.list_applied_migrations(TABLE).await.map_err(failure)?;
    Ok(applied.into_iter().map(|migration| (migration.version, migration.checksum)).collect())
}

fn failure(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) => store_error("migrate", error),
        other => StoreError::Unexpected { context: "migrate", source: Some(Box::new(other)) },
    }
}
