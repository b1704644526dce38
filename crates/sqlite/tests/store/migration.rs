//! The schema, from nothing and beside others.

use crate::fixture::{Directory, insert, user};
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use vestibule_domain::Store;
use vestibule_sqlite::{Access, SqliteStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn j139_many_that_begin_at_once_on_no_file_make_one_schema() {
    // Some rounds, because the moment in which two can meet is short.
    for _ in 0..20 {
        let directory = Directory::new();
        let together = Arc::new(Barrier::new(8));
        let mut processes = JoinSet::new();
        for _ in 0..8 {
            let (path, together) = (directory.database(), Arc::clone(&together));
            processes.spawn(async move {
                together.wait().await;
                let store = SqliteStore::open(&path, Access::Command).await.expect("the file opens");
                store.migrate().await.expect("the migrations run");
            });
        }
        processes.join_all().await;
        let store = directory.open(Access::Serve).await;
        assert_eq!(store.check().await.unwrap().pending_migrations, 0);
        assert!(insert(&store, &user(1)).await.unwrap());
    }
}

#[tokio::test]
async fn a_second_time_changes_nothing() {
    let directory = Directory::new();
    let store = directory.serve().await;
    insert(&store, &user(1)).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(directory.number("SELECT count(*) FROM users").await, 1);
}

#[tokio::test]
async fn j139_one_that_only_a_newer_version_knows_is_no_fault() {
    let directory = Directory::new();
    let store = directory.serve().await;
    directory
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (99999999999999, 'of the future', true, x'00', 0)",
        )
        .await
        .unwrap();
    assert_eq!(store.check().await.unwrap().pending_migrations, 0);
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn one_that_was_applied_in_another_form_is_a_fault() {
    let directory = Directory::new();
    let store = directory.serve().await;
    directory.execute("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 20261123000300").await.unwrap();
    store.check().await.unwrap_err();
    store.migrate().await.unwrap_err();
}
