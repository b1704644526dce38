//! What the schema keeps out, and what the store says of rows that got in nevertheless.

use crate::database::{Database, alice, insert};
use sqlx::{AssertSqlSafe, Executor};
use vestibule_domain::StoreError;
use vestibule_domain::user::store::UserReads;

#[tokio::test]
async fn a_row_that_fits_no_state_is_named() {
    let database = Database::migrated().await;
    let store = database.store(1);
    insert(&store, &alice()).await;
    database.execute("UPDATE users SET name = E'two\\nlines'").await;
    let error = store.user(alice().id).await.expect_err("no such name");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("row {} of users has no valid name", alice().id));
}

#[tokio::test]
async fn the_audit_trail_is_append_only() {
    let database = Database::migrated().await;
    database
        .execute("INSERT INTO audit_events (id, at, kind, actor) VALUES (gen_random_uuid(), now(), 'k', 'service')")
        .await;
    let mut connection = database.connect().await;
    for sql in ["UPDATE audit_events SET kind = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"] {
        let error = connection.execute(AssertSqlSafe(sql)).await.expect_err(sql);
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
}
