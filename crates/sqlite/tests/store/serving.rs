//! One process serves a file; commands work beside it.

use crate::fixture::{Directory, insert, user};
use std::os::unix::fs::symlink;
use std::path::Path;
use vestibule_domain::Store;
use vestibule_domain::feed::store::FeedReads;
use vestibule_domain::feed::{Change, Recorded};
use vestibule_domain::user::store::UserReads;
use vestibule_sqlite::{Access, OpenError, SqliteStore};

async fn assert_in_use(path: &Path) {
    let refused = SqliteStore::open(path, Access::Serve).await;
    assert!(matches!(refused, Err(OpenError::InUse { .. })), "{}: {refused:?}", path.display());
}

#[tokio::test]
async fn j130_a_second_one_is_refused_and_told_what_to_do() {
    let directory = Directory::new();
    let _serving = directory.serve().await;
    let refused = SqliteStore::open(&directory.database(), Access::Serve).await.unwrap_err();
    let file = directory.database().canonicalize().unwrap();
    assert_eq!(
        refused.to_string(),
        format!(
            "{} is being served by another process. Stop that one first, or give this one a file of its own in \
             `store.url`; only commands work beside a running service",
            file.display()
        )
    );
}

#[tokio::test]
async fn all_names_of_a_file_have_one_lock() {
    let directory = Directory::new();
    let _serving = directory.serve().await;
    let link = directory.path().join("link.db");
    symlink(directory.database(), &link).unwrap();
    assert_in_use(&link).await;
    let linked_directory = directory.path().join("elsewhere");
    symlink(directory.path(), &linked_directory).unwrap();
    assert_in_use(&linked_directory.join("vestibule.db")).await;
    assert_in_use(&linked_directory.join("../").join(directory.path()).join("./vestibule.db")).await;
}

#[tokio::test]
async fn the_file_is_free_when_the_store_is_gone() {
    let directory = Directory::new();
    let serving = directory.serve().await;
    insert(&serving, &user(1)).await.unwrap();
    drop(serving);
    let again = directory.serve().await;
    assert!(again.user(user(1).id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_command_beside_it_sees_and_makes_changes() {
    let directory = Directory::new();
    let serving = directory.serve().await;
    insert(&serving, &user(1)).await.unwrap();

    let command = directory.open(Access::Command).await;
    assert!(command.user(user(1).id).await.unwrap().is_some());
    insert(&command, &user(2)).await.unwrap();
    let mut work = command.begin().await.unwrap();
    work.append_changes(&[Change::UserChanged(user(2).id)], user(2).created_at).await.unwrap();
    work.commit().await.unwrap();
    command.close().await;

    assert!(serving.user(user(2).id).await.unwrap().is_some());
    let seen = Recorded { number: 1, at: user(2).created_at, change: Some(Change::UserChanged(user(2).id)) };
    assert_eq!(serving.changes(0, &[], 10).await.unwrap(), [seen]);
    insert(&serving, &user(3)).await.unwrap();
}

#[tokio::test]
async fn a_command_leaves_the_lock_alone() {
    let directory = Directory::new();
    let command = directory.open(Access::Command).await;
    let serving = directory.serve().await;
    drop(command);
    assert_in_use(&directory.database()).await;
    assert_eq!(serving.check().await.unwrap().pending_migrations, 0);
}
