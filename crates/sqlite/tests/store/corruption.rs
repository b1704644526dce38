//! Rows that fit no state, and files that are damaged.

use crate::fixture::{Directory, insert, user};
use std::fs;
use vestibule_domain::throttle::store::ThrottleStore;
use vestibule_domain::throttle::{Bucket, BucketKey};
use vestibule_domain::token::store::KeyReads;
use vestibule_domain::user::store::UserReads;
use vestibule_domain::{Store, StoreError};
use vestibule_sqlite::{Access, OpenError, SqliteStore};

#[tokio::test]
async fn a_row_is_named_by_table_column_and_id() {
    for (sql, table, column) in [
        ("UPDATE users SET email_written = 'nobody'", "users", "email_written"),
        ("UPDATE users SET email_written = 'other@example.com'", "users", "email_canonical"),
        ("UPDATE users SET name = char(8238)", "users", "name"),
        ("UPDATE users SET created_at = 9223372036854775807", "users", "created_at"),
        ("UPDATE users SET last_login_at = -9223372036854775808", "users", "last_login_at"),
        ("INSERT INTO user_roles SELECT id, 'ROOT' FROM users", "user_roles", "role"),
    ] {
        let directory = Directory::new();
        let store = directory.serve().await;
        insert(&store, &user(1)).await.unwrap();
        assert_eq!(directory.execute(sql).await.unwrap(), 1);
        let error = store.user(user(1).id).await.expect_err(sql);
        let expected = format!("row {} of {table} has no valid {column}", user(1).id);
        assert!(matches!(error, StoreError::Corrupt { .. }), "{sql}: {error:?}");
        assert_eq!(error.to_string(), expected, "{sql}");
    }
}

#[tokio::test]
async fn a_bucket_is_named_by_the_beginning_of_its_key() {
    for (sql, column) in [
        ("UPDATE throttles SET full_at = 9223372036854775807", "full_at"),
        ("UPDATE throttles SET closed_until = -9223372036854775808", "closed_until"),
        ("UPDATE throttles SET tried = x'00000000000000007fffffffffffffff0000000000000000'", "tried"),
        ("UPDATE throttles SET running_until = 9223372036854775807", "running_until"),
        ("UPDATE throttles SET expires_at = 9223372036854775807", "expires_at"),
    ] {
        let directory = Directory::new();
        let store = directory.serve().await;
        let keys = [BucketKey::from_bytes([0x5a; 32])];
        let mut fail = |buckets: &mut [Bucket]| buckets[0].failures = 1;
        store.change_buckets(&keys, &mut fail).await.unwrap();
        assert_eq!(directory.execute(sql).await.unwrap(), 1);
        let error = store.change_buckets(&keys, &mut fail).await.expect_err(sql);
        let expected = format!("row BucketKey[5a5a5a5a5a5a5a5a] of throttles has no valid {column}");
        assert_eq!(error.to_string(), expected, "{sql}");
    }
}

#[tokio::test]
async fn a_key_that_fits_no_state_is_no_key_of_a_later_version() {
    let directory = Directory::new();
    let store = directory.serve().await;
    let sql =
        "INSERT INTO signing_keys VALUES (zeroblob(16), 'EdDSA', 1, x'', x'', 9223372036854775807, 0, NULL, NULL)";
    directory.execute(sql).await.unwrap();
    let error = store.signing_keys().await.expect_err("no such time").to_string();
    assert_eq!(error, "row 00000000-0000-0000-0000-000000000000 of signing_keys has no valid created_at");
}

#[tokio::test]
async fn the_schema_refuses_what_no_version_writes() {
    let directory = Directory::new();
    let store = directory.serve().await;
    insert(&store, &user(1)).await.unwrap();
    for impossible in [
        "UPDATE users SET id = x'00'",
        "UPDATE users SET version = 0",
        "UPDATE users SET email_verified = 2",
        "UPDATE users SET created_at = 'yesterday'",
        "UPDATE password_credentials SET phc = 'correct horse battery staple'",
        "INSERT INTO password_credentials VALUES (x'00', '$argon2id$', 0)",
        "INSERT INTO user_roles SELECT id, 'two roles' FROM users",
        "INSERT INTO throttles VALUES (zeroblob(31), 0, 0, 0, x'', 0, 0, 0, 0)",
        "INSERT INTO throttles VALUES (zeroblob(32), 0, -1, 0, x'', 0, 0, 0, 0)",
        "INSERT INTO throttles VALUES (zeroblob(32), 0, 4294967296, 0, x'', 0, 0, 0, 0)",
        "INSERT INTO throttles VALUES (zeroblob(32), 0, 0, 0, zeroblob(16), 0, 0, 0, 0)",
        "INSERT INTO throttles VALUES (zeroblob(32), 0, 0, 0, x'', -1, 0, 0, 0)",
        "INSERT INTO throttles VALUES (zeroblob(32), 0, 0, 0, x'', 0, 0, 2, 0)",
    ] {
        assert!(directory.execute(impossible).await.is_err(), "{impossible}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_not_served() {
    let directory = Directory::new();
    let store = directory.serve().await;
    insert(&store, &user(1)).await.unwrap();
    store.close().await;
    drop(store);
    let root = directory.number("SELECT rootpage FROM sqlite_schema WHERE name = 'users'").await;
    let mut bytes = fs::read(directory.database()).unwrap();
    let page = usize::try_from(root - 1).unwrap() * 4096;
    // The number of cells on the page, and where they are.
    bytes[page + 3..page + 40].fill(0xff);
    fs::write(directory.database(), bytes).unwrap();
    let refused = SqliteStore::open(&directory.database(), Access::Serve).await;
    assert!(matches!(refused, Err(OpenError::Damaged { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_schema_that_is_not_migrated_yet_makes_the_store_unavailable_and_a_check_tells_of_it() {
    let directory = Directory::new();
    let store = directory.open(Access::Serve).await;
    let error = store.user(user(1).id).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { context: "user", .. }), "{error:?}");
    let steps = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite")).unwrap().count();
    assert_eq!(store.check().await.unwrap().pending_migrations, steps);
}
