//! What commands do to a whole database, beside what the ports of the domain can do.

use crate::failure::Failure;
use async_trait::async_trait;
use std::path::Path;
use vestibule_domain::StoreError;
use vestibule_infrastructure::postgres::PgStore;
use vestibule_sqlite::SqliteStore;

#[async_trait]
pub(crate) trait Database: Send + Sync {
    /// Takes the steps that are pending.
    async fn migrate(&self) -> Result<(), StoreError>;
    /// Writes a copy that is whole, while others work.
    async fn backup(&self, to: &Path) -> Result<(), Failure>;
    /// Lets go of what it only remembers so as not to ask again.
    async fn forget(&self);
    async fn close(&self);
}

#[async_trait]
impl Database for SqliteStore {
    async fn migrate(&self) -> Result<(), StoreError> {
        Self::migrate(self).await
    }

    async fn backup(&self, to: &Path) -> Result<(), Failure> {
        Ok(Self::backup(self, to).await?)
    }

    async fn forget(&self) {
        self.forget_pages().await;
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}

#[async_trait]
impl Database for PgStore {
    async fn migrate(&self) -> Result<(), StoreError> {
        Self::migrate(self).await
    }

    async fn backup(&self, _: &Path) -> Result<(), Failure> {
        Err(Failure::refused("`backup` copies SQLite only: use `pg_dump` for PostgreSQL"))
    }

    async fn forget(&self) {}

    async fn close(&self) {
        Self::close(self).await;
    }
}
