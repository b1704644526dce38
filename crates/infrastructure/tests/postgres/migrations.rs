//! Empty, half migrated and newer databases.

use crate::database::Database;
use sqlx::Executor;
use std::time::Duration;
use tokio::time::timeout;
use vestibule_domain::{Store, StoreError};

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
