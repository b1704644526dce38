//! A fresh store for each test.

mod postgres;
mod sqlite;

use postgres::PgDatabase;
use sqlite::SqliteFile;
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use std::sync::Arc;
use vestibule_domain::Store;

/// On which store a test runs. Every test runs on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    Postgres,
    Sqlite,
}

/// A migrated, empty store that nobody else uses. Gone when it is dropped, also by a panic.
#[derive(Debug)]
pub enum TestStore {
    Postgres(PgDatabase),
    Sqlite(SqliteFile),
}

impl TestStore {
    pub async fn create(kind: StoreKind) -> Self {
        match kind {
            StoreKind::Postgres => Self::Postgres(PgDatabase::create().await),
            StoreKind::Sqlite => Self::Sqlite(SqliteFile::create().await),
        }
    }

    pub fn kind(&self) -> StoreKind {
        match self {
            Self::Postgres(_) => StoreKind::Postgres,
            Self::Sqlite(_) => StoreKind::Sqlite,
        }
    }

    /// Another handle, as another process would have it: with a pool, locks and caches of its own.
    pub async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Postgres(database) => database.open(),
            Self::Sqlite(file) => file.open().await,
        }
    }

    /// How many can write at once over one handle; others wait for a connection.
    pub fn writers(&self) -> usize {
        match self {
            Self::Postgres(_) => postgres::CONNECTIONS as usize,
            Self::Sqlite(_) => 1,
        }
    }

    /// As `store.url` in the configuration.
    pub fn url(&self) -> String {
        match self {
            Self::Postgres(database) => database.url(),
            Self::Sqlite(file) => file.url(),
        }
    }

    /// The names of all tables.
    pub async fn tables(&self) -> Vec<String> {
        self.column(match self {
            Self::Postgres(_) => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() \
                 AND tablename <> '_sqlx_migrations' ORDER BY 1"
            }
            Self::Sqlite(_) => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                 AND name <> '_sqlx_migrations' ORDER BY 1"
            }
        })
        .await
    }

    /// One line of text for each row of a table. Bytes are in hexadecimal.
    pub async fn dump(&self, table: &str) -> Vec<String> {
        match self {
            Self::Postgres(database) => database.dump(table).await,
            Self::Sqlite(file) => file.dump(table).await,
        }
    }

    /// The one number that `sql` asks for, past the port: for what no use case may do or see.
    pub async fn number(&self, sql: &str) -> i64 {
        self.try_number(sql).await.unwrap_or_else(|error| panic!("{sql}\n{error}"))
    }

    pub async fn try_number(&self, sql: &str) -> Result<i64, sqlx::Error> {
        match self {
            Self::Postgres(database) => database.number(sql).await,
            Self::Sqlite(file) => file.number(sql).await,
        }
    }

    /// The one column of text that `sql` asks for.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Postgres(database) => database.column(sql).await,
            Self::Sqlite(file) => file.column(sql).await,
        }
    }

    /// Runs `sql` past the port; how many rows it touched.
    pub async fn execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        match self {
            Self::Postgres(database) => database.execute(sql).await,
            Self::Sqlite(file) => file.execute(sql).await,
        }
    }

    /// Begins a transaction past the port, which writes, and runs `sql` in it.
    pub async fn hold(&self, sql: &str) -> HeldTransaction {
        match self {
            Self::Postgres(database) => HeldTransaction::Postgres(database.hold(sql).await),
            Self::Sqlite(file) => HeldTransaction::Sqlite(file.hold(sql).await),
        }
    }
}

/// A transaction that others wait for, until it is released.
#[derive(Debug)]
pub enum HeldTransaction {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl HeldTransaction {
    /// Rolls back.
    pub async fn release(self) {
        match self {
            Self::Postgres(connection) => connection.close().await,
            Self::Sqlite(connection) => connection.close().await,
        }
        .expect("the connection closes");
    }
}
