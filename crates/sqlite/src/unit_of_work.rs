//! One transaction on the one writer.

use crate::error::bounded;
use crate::migration;
use crate::open::SqliteStore;
use async_trait::async_trait;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use vestibule_domain::store::StoreHealth;
use vestibule_domain::{Store, StoreError, Timestamp, UnitOfWork};

/// Holds the writer, and the file's only write lock, until it is committed or dropped. Dropping queues the rollback
/// on the writer's own thread, before anything that the next one asks of it.
#[derive(Debug)]
pub(crate) struct SqliteUnitOfWork {
    transaction: Transaction<'static, Sqlite>,
}

impl SqliteUnitOfWork {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

#[async_trait]
impl UnitOfWork for SqliteUnitOfWork {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        bounded("commit", self.transaction.commit()).await
    }
}

impl SqliteStore {
    /// IMMEDIATE: the lock is taken now, where waiting for it is safe, and not at the first write, where a
    /// transaction that has read what another one changed since could only fail.
    pub(crate) async fn begin_work(&self) -> Result<SqliteUnitOfWork, StoreError> {
        let transaction = bounded("begin", self.writer().begin_with("BEGIN IMMEDIATE")).await?;
        Ok(SqliteUnitOfWork { transaction })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(self.begin_work().await?))
    }

    async fn check(&self) -> Result<StoreHealth, StoreError> {
        // Fails on a file or file system that became read-only; rolled back, it writes nothing.
        drop(self.begin_work().await?);
        Ok(StoreHealth { pending_migrations: migration::pending(self.readers()).await? })
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}
