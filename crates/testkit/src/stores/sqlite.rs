//! A SQLite file for each test.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use vestibule_domain::Store;
use vestibule_sqlite::{Access, SqliteStore};

#[derive(Debug)]
pub struct SqliteFile {
    directory: TempDir,
    /// Whether the one process that serves has taken the file.
    served: AtomicBool,
}

impl SqliteFile {
    pub(super) async fn create() -> Self {
        let directory = tempfile::Builder::new().prefix("vestibule-test-").tempdir().expect("a temporary directory");
        let file = Self { directory, served: AtomicBool::new(false) };
        let store = SqliteStore::open(&file.path(), Access::Command).await.expect("the file can be made");
        store.migrate().await.expect("the migrations run on an empty file");
        store.close().await;
        file
    }

    /// The first handle is the one that serves; the others work beside it, as commands do.
    pub(super) async fn open(&self) -> Arc<dyn Store> {
        let access = if self.served.swap(true, Ordering::Relaxed) { Access::Command } else { Access::Serve };
        Arc::new(SqliteStore::open(&self.path(), access).await.expect("the file can be opened"))
    }

    pub(super) fn url(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    pub(super) async fn dump(&self, table: &str) -> Vec<String> {
        let columns = self.column(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid")).await;
        let text = |column: &String| {
            format!("'{column}', CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE {column} END")
        };
        let fields: Vec<_> = columns.iter().map(text).collect();
        self.column(&format!("SELECT json_object({}) FROM {table}", fields.join(", "))).await
    }

    pub(super) async fn number(&self, sql: &str) -> Result<i64, sqlx::Error> {
        let mut connection = self.connect().await;
        let number = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await;
        connection.close().await?;
        number
    }

    pub(super) async fn column(&self, sql: &str) -> Vec<String> {
        let mut connection = self.connect().await;
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.expect(sql);
        connection.close().await.expect("the connection closes");
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(super) async fn execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let mut connection = self.connect().await;
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
        connection.close().await?;
        Ok(done?.rows_affected())
    }

    pub(super) async fn hold(&self, sql: &str) -> SqliteConnection {
        let mut connection = self.connect().await;
        connection.execute(AssertSqlSafe(format!("BEGIN IMMEDIATE; {sql}"))).await.expect(sql);
        connection
    }

    async fn connect(&self) -> SqliteConnection {
        let options =
            SqliteConnectOptions::new().filename(self.path()).foreign_keys(true).busy_timeout(Duration::from_secs(5));
        SqliteConnection::connect_with(&options).await.expect("the file can be opened")
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("vestibule.db")
    }
}
