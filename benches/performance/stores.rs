//! Empty databases, durable as in production.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use vestibule_testkit::StoreKind;

pub(crate) enum Database {
    /// On the server at `TEST_DATABASE_URL`, which is gone after the run.
    Postgres(String),
    Sqlite(TempDir),
}

impl Database {
    pub(crate) fn create(kind: StoreKind) -> Self {
        match kind {
            StoreKind::Postgres => Self::Postgres(wait_for(create_postgres())),
            StoreKind::Sqlite => Self::Sqlite(tempfile::tempdir().expect("a folder")),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres(url) => url.clone(),
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("bench.db").display()),
        }
    }

    /// Now, so that PostgreSQL does it not by itself while something else is measured.
    pub(crate) fn clean_up(&self) {
        let Self::Postgres(url) = self else { return };
        wait_for(async {
            let mut connection = PgConnection::connect(url).await.expect("a server");
            connection.execute("VACUUM ANALYZE").await.expect("a clean database");
        });
    }
}

async fn create_postgres() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("bench_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let (mut connection, options) = connect().await;
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a new database");
    options.database(&name).to_url_lossy().into()
}

async fn connect() -> (PgConnection, PgConnectOptions) {
    let url = std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL: started by `make bench`");
    let options = PgConnectOptions::from_str(&url).expect("a URL");
    (PgConnection::connect_with(&options).await.expect("a server"), options)
}

/// What the server says of itself. One that loses what it acknowledged would be compared with one that does not.
pub(crate) fn postgres_version() -> String {
    wait_for(async {
        let (mut connection, _) = connect().await;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let show = AssertSqlSafe(format!("SHOW {setting}"));
            let value: String = sqlx::query_scalar(show).fetch_one(&mut connection).await.expect("a setting");
            assert_eq!(value, "on", "{setting} of the server at TEST_DATABASE_URL");
        }
        sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await.expect("a version")
    })
}

pub(crate) fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
