//! A PostgreSQL database for each test, copied from a template that is migrated once.

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use vestibule_domain::Store;
use vestibule_infrastructure::postgres::{PgSettings, PgStore};

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres");
/// Any number will do, as long as nobody else locks it.
const TEMPLATE_LOCK: i64 = 0x7665_7374;

/// Of one handle. Few, so that a run with many tests at once stays within the server's connections.
pub(super) const CONNECTIONS: u32 = 5;

#[derive(Debug)]
pub struct PgDatabase {
    server: Box<PgConnectOptions>,
    name: String,
    /// For looking past the ports: one connection, made when it is needed.
    pool: PgPool,
}

impl PgDatabase {
    pub(super) async fn create() -> Self {
        let server = server();
        let template = template(&server).await;
        let name = format!("vestibule_test_{}", unique());
        let mut admin = connect(&server).await;
        run(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(server.clone().database(&name));
        Self { server: Box::new(server), name, pool }
    }

    pub(super) fn open(&self) -> Arc<dyn Store> {
        Arc::new(store(&self.url()))
    }

    pub(super) fn url(&self) -> String {
        url(&self.server, &self.name)
    }

    pub(super) async fn dump(&self, table: &str) -> Vec<String> {
        self.column(&format!("SELECT to_jsonb(t)::text FROM {table} AS t")).await
    }

    pub(super) async fn number(&self, sql: &str) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&self.pool).await
    }

    pub(super) async fn column(&self, sql: &str) -> Vec<String> {
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&self.pool).await.expect(sql);
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(super) async fn execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        Ok(self.pool.execute(AssertSqlSafe(sql.to_owned())).await?.rows_affected())
    }

    pub(super) async fn hold(&self, sql: &str) -> PgConnection {
        let mut connection = connect(&self.server.as_ref().clone().database(&self.name)).await;
        run(&mut connection, format!("BEGIN; {sql}")).await;
        connection
    }
}

impl Drop for PgDatabase {
    /// On a thread of its own, because a test that panics drops this within its runtime.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                run(&mut connect(&server).await, format!("DROP DATABASE {name} WITH (FORCE)")).await;
            });
        });
        let dropped = dropping.join().is_ok();
        assert!(dropped || std::thread::panicking(), "the test database was not dropped");
    }
}

fn server() -> PgConnectOptions {
    let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
        panic!(
            "TEST_DATABASE_URL is not set, and no test is skipped for want of a server. Run the tests through \
             `scripts/with-postgres cargo nextest run`, or `make test`, which start a private PostgreSQL."
        );
    };
    PgConnectOptions::from_str(&url).expect("TEST_DATABASE_URL is a postgres:// URL").disable_statement_logging()
}

/// The template for the migrations as they are now; made by whichever test comes first, in whichever process.
async fn template(server: &PgConnectOptions) -> String {
    let name = format!("vestibule_template_{:016x}", fingerprint(Path::new(MIGRATIONS)));
    let mut admin = connect(server).await;
    let ready = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}' AND datistemplate");
    if count(&mut admin, &ready).await == 1 {
        return name;
    }
    run(&mut admin, format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await;
    if count(&mut admin, &ready).await == 0 {
        // What a run that was killed left half made.
        run(&mut admin, format!("DROP DATABASE IF EXISTS {name}")).await;
        run(&mut admin, format!("CREATE DATABASE {name}")).await;
        let store = store(&url(server, &name));
        store.migrate().await.expect("the migrations run on an empty database");
        store.close().await;
        run(&mut admin, format!("ALTER DATABASE {name} WITH IS_TEMPLATE true")).await;
    }
    run(&mut admin, format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})")).await;
    name
}

fn fingerprint(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).expect("the migrations are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
    paths.sort();
    let mut hasher = DefaultHasher::new();
    for path in paths {
        std::fs::read(path).expect("a readable migration").hash(&mut hasher);
    }
    hasher.finish()
}

/// Unlike that of any other test, in this process or another one, on this machine or another one.
fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

fn store(url: &str) -> PgStore {
    let settings = PgSettings { url: url.to_owned(), max_connections: CONNECTIONS };
    PgStore::connect(&settings).expect("valid settings")
}

fn url(server: &PgConnectOptions, database: &str) -> String {
    server.clone().database(database).to_url_lossy().into()
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(options).await.expect("the server at TEST_DATABASE_URL answers")
}

async fn count(connection: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await.expect("a count")
}

async fn run(connection: &mut PgConnection, sql: String) {
    if let Err(error) = connection.execute(AssertSqlSafe(sql.clone())).await {
        panic!("{sql}\n{error}");
    }
}
