//! What the schema keeps out, and what the store says of rows that got in nevertheless.

use crate::database::{Database, alice, insert};
use sqlx::{AssertSqlSafe, Executor};
use vestibule_domain::feed::store::FeedReads;
use vestibule_domain::session::store::SessionUpkeep;
use vestibule_domain::token::store::KeyReads;
use vestibule_domain::user::store::UserReads;
use vestibule_domain::{StoreError, Timestamp};

#[tokio::test]
async fn rows_that_fit_no_state_are_named() {
    let database = Database::migrated().await;
    let store = database.store(1);
    insert(&store, &alice()).await;
    database.execute("UPDATE users SET name = E'two\\nlines'").await;
    database.execute("INSERT INTO changes (kind, at) VALUES ('weather', now())").await;
    database
        .execute(
            "INSERT INTO signing_keys (id, algorithm, generation, public_key, sealed_private_key, created_at, activates_at)
             VALUES ('00000000-0000-0000-0000-000000000009', 'none', 1, '', '', now(), now())",
        )
        .await;
    let errors: Vec<StoreError> = vec![
        store.user(alice().id).await.expect_err("no such name"),
        store.changes(0, &[], 10).await.expect_err("no such change"),
        store.signing_keys().await.expect_err("no such algorithm"),
    ];
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            format!("row {} of users has no valid name", alice().id),
            "row 1 of changes has no valid kind".to_owned(),
            "row 00000000-0000-0000-0000-000000000009 of signing_keys has no valid algorithm".to_owned(),
        ]
    );
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

#[tokio::test]
async fn sessions_with_many_tokens_are_purged_few_at_once() {
    let database = Database::migrated().await;
    let store = database.store(1);
    insert(&store, &alice()).await;
    let session = |n: u8| {
        format!(
            "INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at,
                                   idle_expires_at, amr, refresh_hash)
             SELECT '00000000-0000-0000-0000-00000000000{n}', id, at, at, at, at, at, 'pwd', sha256('{n}')
             FROM users, (VALUES ('2000-01-0{n}'::timestamptz)) AS times (at);
             INSERT INTO spent_refresh_tokens (hash, session_id)
             SELECT sha256(convert_to('{n}.' || i, 'UTF8')), '00000000-0000-0000-0000-00000000000{n}'
             FROM generate_series(1, 9000) AS i"
        )
    };
    for n in 1..=3 {
        database.execute(&session(n)).await;
    }
    let before = Timestamp::from_millis(978_307_200_000).expect("the year 2001");
    assert_eq!(store.purge_sessions(before, 100).await.expect("a count"), 2);
    assert_eq!(store.purge_sessions(before, 100).await.expect("a count"), 1);
    assert_eq!(store.purge_sessions(before, 100).await.expect("a count"), 0);
}
