//! A migration that fails beside a service.

use crate::process::{ALICE, Process, log_in, over_http1, register};
use vestibule_testkit::{StoreKind, TestStore, both_stores};

both_stores!(j139_a_step_that_fails_leaves_nothing_and_is_taken_later_while_the_service_goes_on);

async fn j139_a_step_that_fails_leaves_nothing_and_is_taken_later_while_the_service_goes_on(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let process = Process::start(&store).await;
    assert_eq!(register(&over_http1(), process.public, ALICE).await, Some(201));
    // Two steps are missing; the second makes a table, and then an index whose name is taken.
    for sql in [
        "DELETE FROM _sqlx_migrations WHERE version BETWEEN 20261123000900 AND 20261123001000",
        "DROP TABLE clients",
        "DROP TABLE idempotency_keys",
        "CREATE INDEX idempotency_keys_created_at_idx ON users (created_at)",
    ] {
        store.execute(sql).await.expect(sql);
    }
    for _ in 0..2 {
        let failed = process.beside(&["migrate"]).await;
        assert_eq!(failed.status.code(), Some(1), "{failed:?}");
        assert!(String::from_utf8_lossy(&failed.stderr).contains("idempotency_keys_created_at_idx"), "{failed:?}");
        let has = async |table: &str| store.tables().await.iter().any(|name| name == table);
        assert!(!has("idempotency_keys").await, "half a step was left");
        // PostgreSQL is migrated step by step, for no lock to be held longer; a file as a whole.
        assert_eq!(has("clients").await, kind == StoreKind::Postgres);
        assert_eq!(log_in(&over_http1(), process.public, ALICE).await, 200);
    }
    store.execute("DROP INDEX idempotency_keys_created_at_idx").await.expect("the way is free");
    let (one, other) = tokio::join!(process.beside(&["migrate"]), process.beside(&["migrate"]));
    assert!(one.status.success() && other.status.success(), "{one:?} {other:?}");
    assert_eq!(process.get(&over_http1(), "/health/ready").await.status(), 200);
    assert_eq!(log_in(&over_http1(), process.public, ALICE).await, 200);
}
