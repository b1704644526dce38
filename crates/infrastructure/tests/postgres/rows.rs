//! What the schema keeps out, and what the store says of rows that got in nevertheless.

use crate::database::{Database, alice, insert, opening, session};
use sqlx::{AssertSqlSafe, Executor, Row};
use vestibule_domain::feed::store::FeedReads;
use vestibule_domain::throttle::BucketKey;
use vestibule_domain::throttle::store::ThrottleStore;
use vestibule_domain::token::store::KeyReads;
use vestibule_domain::user::store::UserReads;
use vestibule_domain::{RequestContext, Store, StoreError};

#[tokio::test]
async fn a_row_that_fits_no_state_is_named() {
    let database = Database::migrated().await;
    let store = database.store(1);
    insert(&store, &alice()).await;
    database.execute("UPDATE users SET name = E'two\\nlines'").await;
    database
        .execute(
            "INSERT INTO throttles VALUES (decode(repeat('5a', 32), 'hex'), now(), 0, now(),
                                           decode('00000000000000007fffffffffffffff0000000000000000', 'hex'), 0, now(),
                                           false, now())",
        )
        .await;
    let bucket = [BucketKey::from_bytes([0x5a; 32])];
    let errors = [
        store.user(alice().id).await.expect_err("no such name"),
        store.change_buckets(&bucket, &mut |_| ()).await.expect_err("no such time"),
    ];
    assert!(errors.iter().all(|error| matches!(error, StoreError::Corrupt { .. })), "{errors:?}");
    let expected = [
        format!("row {} of users has no valid name", alice().id),
        "row BucketKey[5a5a5a5a5a5a5a5a] of throttles has no valid tried".to_owned(),
    ];
    assert_eq!(errors.map(|error| error.to_string()), expected);
}

/// chrono has no such dates, and the driver panics at them.
#[tokio::test]
async fn a_time_that_is_in_no_calendar_is_an_error() {
    let database = Database::migrated().await;
    let store = database.store(1);
    insert(&store, &alice()).await;
    database
        .execute(
            "INSERT INTO changes (kind, at) VALUES ('keys_changed', now());
                  INSERT INTO signing_keys (id, algorithm, generation, public_key, sealed_private_key, created_at,
                                            activates_at) VALUES (gen_random_uuid(), 'EdDSA', 1, '', '', now(), now())",
        )
        .await;
    for time in ["infinity", "-infinity", "294276-12-31"] {
        for column in [("users", "created_at"), ("signing_keys", "retires_at"), ("changes", "at")] {
            let (table, column) = column;
            database.execute(&format!("UPDATE {table} SET {column} = '{time}'")).await;
        }
        let errors = [
            ("user", store.user(alice().id).await.expect_err(time)),
            ("signing_keys", store.signing_keys().await.expect_err(time)),
            ("changes", store.changes(0, &[], 10).await.expect_err(time)),
        ];
        for (step, error) in errors {
            assert!(matches!(error, StoreError::Unexpected { context, .. } if context == step), "{time}: {error:?}");
            let source = std::error::Error::source(&error).expect("a cause").to_string();
            assert!(source.starts_with("the driver cannot read the answer: "), "{source}");
        }
    }
    database.execute("UPDATE users SET created_at = now()").await;
    assert_eq!(store.user(alice().id).await.expect("an answer").expect("a user").id, alice().id);
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

/// Else each login writes to all indexes of `users`.
#[tokio::test]
async fn a_login_leaves_the_row_of_its_user_in_its_page() {
    let database = Database::migrated().await;
    let store = database.store(1);
    insert(&store, &alice()).await;
    // To fill the page that Alice is in.
    database
        .execute(
            "INSERT INTO users SELECT id, id || '@a', id || '@a', true, 'A', 'a', NULL, now(), now(), NULL, 1, 1
             FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 100)) AS made",
        )
        .await;
    let mut connection = database.connect().await;
    // `ctid` is the page, and the place in it.
    let mut page = async || {
        let query = "SELECT (ctid::text::point)[0]::bigint FROM users WHERE name = 'Alice'";
        connection.fetch_one(query).await.expect("Alice").get::<i64, _>(0)
    };
    let before = page().await;
    let (session, context) = (session(1), RequestContext::default());
    store.open_session(&opening(&session, &context)).await.expect("an answer").expect("a session");
    assert_eq!(page().await, before);
}

#[tokio::test]
async fn the_schema_keeps_out_sessions_that_housekeeping_would_not_find() {
    let database = Database::migrated().await;
    let store = database.store(1);
    insert(&store, &alice()).await;
    let (session, context) = (session(1), RequestContext::default());
    assert!(store.open_session(&opening(&session, &context)).await.expect("an answer").is_some());
    let mut connection = database.connect().await;
    for (change, constraint) in [
        ("refresh_family_hash = '\\x01'", "sha256_hash_check"),
        ("refresh_hash = '\\x01'", "sha256_hash_check"),
        ("refresh_parent_hash = '\\x01', refresh_replaced_at = now()", "sha256_hash_check"),
        ("refresh_parent_hash = refresh_hash", "sessions_refresh_parent_check"),
        (
            "refresh_parent_hash = refresh_hash, refresh_replaced_at = now(), refresh_sealed_child = 'sealed'",
            "sessions_refresh_parent_check",
        ),
        ("refresh_is_sealed = true", "sessions_refresh_parent_check"),
        ("idle_expires_day = idle_expires_at", "sessions_idle_expires_at_check"),
        ("idle_expires_at = expires_at + INTERVAL '1 ms'", "sessions_idle_expires_at_check"),
    ] {
        let sql = format!("UPDATE sessions SET {change}");
        let error = connection.execute(AssertSqlSafe(sql)).await.expect_err(change);
        let refused = error.as_database_error().and_then(|error| error.constraint());
        assert_eq!(refused, Some(constraint), "{change}");
    }
}
