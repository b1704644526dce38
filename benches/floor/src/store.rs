//! The statements that the work cannot do without, durable as Vestibule's: PostgreSQL as it comes, SQLite with
//! `synchronous=FULL`.

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor};
use std::str::FromStr;

/// About as many for each core of the database are best.
const CONNECTIONS: u32 = 4;

#[derive(Debug, Clone)]
pub(crate) enum Store {
    Postgres(PgPool),
    /// SQLite has one writer at a time; waiting for it in a queue costs less than in a lock.
    Sqlite(SqlitePool),
}

/// The same statement on either store.
macro_rules! on {
    ($store:expr, $pool:ident => $work:expr) => {
        match $store {
            Store::Postgres($pool) => $work,
            Store::Sqlite($pool) => $work,
        }
    };
}

const TABLES: [&str; 2] = [
    "CREATE TABLE floor_users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, phc TEXT NOT NULL)",
    "CREATE TABLE floor_sessions (id TEXT PRIMARY KEY, email TEXT NOT NULL, refresh_hash BYTES NOT NULL)",
];

impl Store {
    /// On an empty database, or one on which a floor was laid before.
    pub(crate) async fn open(url: &str) -> Self {
        let (store, bytes) = match url.strip_prefix("sqlite://") {
            Some(path) => (Self::Sqlite(sqlite(path).await), "BLOB"),
            None => (Self::Postgres(postgres(url).await), "BYTEA"),
        };
        for table in TABLES {
            let table = table.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS").replace("BYTES", bytes);
            let table = sqlx::AssertSqlSafe(table);
            on!(&store, pool => pool.execute(table).await.map(drop)).expect("a table");
        }
        store
    }

    pub(crate) async fn insert_user(&self, id: &str, email: &str, phc: &str) {
        const INSERT: &str = "INSERT INTO floor_users (id, email, phc) VALUES ($1, $2, $3)";
        on!(self, pool => sqlx::query(INSERT).bind(id).bind(email).bind(phc).execute(pool).await.map(drop))
            .expect("a new user");
    }

    pub(crate) async fn hash_of(&self, email: &str) -> Option<String> {
        const SELECT: &str = "SELECT phc FROM floor_users WHERE email = $1";
        on!(self, pool => sqlx::query_scalar(SELECT).bind(email).fetch_optional(pool).await).expect("an answer")
    }

    pub(crate) async fn insert_session(&self, id: &str, email: &str, refresh_hash: &[u8]) {
        const INSERT: &str = "INSERT INTO floor_sessions (id, email, refresh_hash) VALUES ($1, $2, $3)";
        on!(self, pool => sqlx::query(INSERT).bind(id).bind(email).bind(refresh_hash).execute(pool).await.map(drop))
            .expect("a new session");
    }

    /// Whose session it is, if the token was good.
    pub(crate) async fn rotate(&self, id: &str, presented: &[u8], child: &[u8]) -> Option<String> {
        const UPDATE: &str =
            "UPDATE floor_sessions SET refresh_hash = $3 WHERE id = $1 AND refresh_hash = $2 RETURNING email";
        on!(self, pool => sqlx::query_scalar(UPDATE).bind(id).bind(presented).bind(child).fetch_optional(pool).await)
            .expect("an answer")
    }

    pub(crate) async fn session(&self, id: &str, refresh_hash: &[u8]) -> Option<(String, String)> {
        const SELECT: &str = "SELECT id, email FROM floor_sessions WHERE id = $1 AND refresh_hash = $2";
        on!(self, pool => sqlx::query_as(SELECT).bind(id).bind(refresh_hash).fetch_optional(pool).await)
            .expect("an answer")
    }
}

async fn sqlite(path: &str) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
    pool.connect_with(options).await.expect("a file")
}

async fn postgres(url: &str) -> PgPool {
    let options = PgConnectOptions::from_str(url).expect("a URL").disable_statement_logging();
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
    pool.connect_with(options).await.expect("a server")
}
