//! What waits for the store: SQLite, beside bare statements on a file of their own.

use crate::one_thread::OneThread;
use criterion::Criterion;
use sqlx::Executor;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use tokio::runtime::Runtime;
use vestibule_domain::RequestContext;
use vestibule_domain::id::SessionId;
use vestibule_domain::session::RefreshToken;
use vestibule_domain::throttle::BucketKey;
use vestibule_domain::throttle::store::Swap;
use vestibule_domain::user::Email;
use vestibule_testkit::app::ALICE;

pub(crate) fn statements(c: &mut Criterion, all: &OneThread) {
    floors(c, &all.runtime);
    reads(c, all);
    writes(c, all);
}

fn floors(c: &mut Criterion, runtime: &Runtime) {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = runtime.block_on(open(&folder.path().join("floor.db")));
    c.bench_function("floor/select", |b| {
        let select =
            async || sqlx::query_scalar::<_, i64>("SELECT n FROM t WHERE k = ?").bind(1).fetch_one(&pool).await;
        b.iter(|| runtime.block_on(select()).expect("a row"));
    });
    c.bench_function("floor/commit", |b| {
        let insert = async || sqlx::query("INSERT INTO t (n) VALUES (?)").bind(7).execute(&pool).await;
        b.iter(|| runtime.block_on(insert()).expect("a row"));
    });
}

async fn open(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = pool.connect_with(options).await.expect("a file");
    pool.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t (n) VALUES (7)").await.expect("SQL");
    pool
}

fn reads(c: &mut Criterion, all: &OneThread) {
    let store = &all.scene.app.services.ports.store;
    let email = Email::parse(ALICE).expect("an address");
    let session = SessionId::parse(all.scene.alice.session_id()).expect("a session");
    c.bench_function("read/login candidate", |b| {
        b.iter(|| all.runtime.block_on(store.login_candidate(&email)).expect("an answer"));
    });
    c.bench_function("read/principal", |b| {
        b.iter(|| all.runtime.block_on(store.principal(session)).expect("an answer"));
    });
}

fn writes(c: &mut Criterion, all: &OneThread) {
    let (services, context) = (&all.scene.app.services, RequestContext::default());
    let mut held = all.scene.alice.refresh_token().to_owned();
    c.bench_function("write/refresh", |b| {
        b.iter(|| {
            let presented = RefreshToken::parse(&held).expect("a refresh token");
            let refreshed = all.runtime.block_on(services.sessions.refresh(Some(presented), &context));
            held = refreshed.outcome.expect("a session").refresh_token.reveal().to_string();
        });
    });
    let keyed_hash = &*services.ports.keyed_hash;
    let mut keys = ["a", "b", "c"].map(|name| BucketKey::new(keyed_hash, "bench", name.as_bytes()));
    keys.sort_unstable();
    c.bench_function("write/throttle", |b| {
        let store = &services.ports.store;
        let charge = || {
            all.runtime.block_on(async {
                let old = store.buckets(&keys).await?;
                let mut new = old.clone();
                for bucket in &mut new {
                    bucket.failures = bucket.failures.wrapping_add(1);
                }
                store.swap_buckets(&keys, &old, &new).await
            })
        };
        b.iter(|| assert_eq!(charge().expect("an answer"), Swap::Done));
    });
}
