//! Empty, half migrated and newer databases.

use crate::database::{Database, alice, child, rotation, session, token};
use sqlx::Executor;
use sqlx::migrate::Migrator;
use std::time::Duration;
use tokio::time::timeout;
use vestibule_domain::session::store::{SessionReads, SessionRotation};
use vestibule_domain::user::store::UserReads;
use vestibule_domain::{Store, StoreError, Timestamp};

async fn pending(database: &Database) -> usize {
    database.store(1).check().await.expect("health").pending_migrations
}

#[tokio::test]
async fn an_empty_database_lacks_every_step_and_a_migrated_one_none() {
    let database = Database::empty().await;
    let all = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres"));
    assert_eq!(pending(&database).await, all.expect("the migrations").count());
    database.store(1).migrate().await.expect("the steps apply");
    assert_eq!(pending(&database).await, 0);
    database.store(1).migrate().await.expect("nothing is left to do");
}

#[tokio::test]
async fn j139_several_processes_may_migrate_at_once() {
    let database = Database::empty().await;
    let (a, b, c) = (database.store(1), database.store(1), database.store(1));
    let (a, b, c) = tokio::join!(a.migrate(), b.migrate(), c.migrate());
    for outcome in [a, b, c] {
        outcome.expect("one migrates, the others wait for it");
    }
    assert_eq!(pending(&database).await, 0);
}

#[tokio::test]
async fn j139_it_waits_longer_than_a_request_would_for_whoever_is_in_the_way() {
    let database = Database::empty().await;
    let mut held = database.connect().await;
    held.execute("BEGIN; CREATE TABLE users ()").await.expect("a transaction");
    let store = database.store(1);
    let mut migrating = tokio::spawn(async move { store.migrate().await });
    timeout(Duration::from_secs(3), &mut migrating).await.expect_err("it waits");
    held.execute("ROLLBACK").await.expect("the way is free");
    migrating.await.expect("no panic").expect("the steps apply");
}

#[tokio::test]
async fn j139_the_database_of_the_next_version_will_do() {
    let database = Database::migrated().await;
    database
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (99991231235959, 'of the next version', true, '\\x01', 1)",
        )
        .await;
    assert_eq!(pending(&database).await, 0);
    database.store(1).migrate().await.expect("nothing is left to do");
}

#[tokio::test]
async fn a_step_that_was_rewritten_is_refused() {
    let database = Database::migrated().await;
    database.execute("UPDATE _sqlx_migrations SET checksum = '\\x01' WHERE version = 20261123000100").await;
    let store = database.store(1);
    assert!(matches!(store.check().await, Err(StoreError::Unexpected { .. })));
    assert!(matches!(store.migrate().await, Err(StoreError::Unexpected { .. })));
}

/// Nothing else is lost with the sessions whose tokens name none.
#[tokio::test]
async fn the_step_to_tokens_that_name_their_session_leaves_users_who_log_in_once_more() {
    let database = Database::empty().await;
    let all = sqlx::migrate!("../../migrations/postgres");
    let before = all.iter().filter(|step| step.version < 20_261_130_000_200).cloned();
    let before = Migrator::with_migrations(before.collect());
    before.run_direct(None, &mut database.connect().await, false).await.expect("the steps before");
    database
        .execute(
            "INSERT INTO users (id, email_canonical, email_written, email_verified, name, name_folded, created_at,
                                updated_at, version, epoch)
             VALUES ('00000000-0000-0000-0000-000000000007', 'alice@example.com', 'alice@example.com', false, 'Alice',
                     'alice', 'epoch', 'epoch', 1, 1);
             INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at,
                                   idle_expires_at, amr, refresh_hash, refresh_parent_hash, refresh_replaced_at,
                                   refresh_sealed_child)
             VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000007', 'epoch', 'epoch',
                     'epoch', '2100-01-01Z', '2100-01-01Z', 'pwd', sha256('b'), sha256('a'), 'epoch', 'sealed');
             INSERT INTO spent_refresh_tokens
             VALUES (sha256('a'), '00000000-0000-0000-0000-000000000001', '2100-01-01Z')",
        )
        .await;
    let store = database.store(1);
    store.migrate().await.expect("the step applies");
    assert_eq!(store.user(alice().id).await.expect("an answer"), Some(alice()));
    assert_eq!(store.sessions(alice().id, Timestamp::EPOCH).await.expect("an answer"), []);
    let token = token(&session(1));
    let mut work = store.begin().await.expect("a transaction");
    work.insert_session(&session(1), &token.hash()).await.expect("the same id again");
    work.commit().await.expect("a commit");
    assert!(store.rotate_refresh(&rotation(&token)).await.expect("an answer").is_some());
    assert!(store.rotate_refresh(&rotation(&child(&token))).await.expect("an answer").is_some());
}
