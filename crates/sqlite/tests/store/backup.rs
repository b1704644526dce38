//! Copies made while the store is in use.

use crate::fixture::{Directory, insert, mode, user};
use std::fs;
use vestibule_domain::Store;
use vestibule_domain::user::store::UserReads;
use vestibule_sqlite::{Access, BackupError, SqliteStore};

#[tokio::test]
async fn it_holds_what_was_committed_and_can_be_served() {
    let directory = Directory::new();
    let store = directory.serve().await;
    insert(&store, &user(1)).await.unwrap();
    let mut unfinished = store.begin().await.unwrap();
    unfinished.insert_user(&user(2), None).await.unwrap();

    let to = directory.path().join("copy.db");
    store.backup(&to).await.unwrap();
    unfinished.commit().await.unwrap();

    assert_eq!(mode(&to), 0o600);
    let copy = SqliteStore::open(&to, Access::Serve).await.unwrap();
    assert_eq!(copy.check().await.unwrap().pending_migrations, 0);
    assert!(copy.user(user(1).id).await.unwrap().is_some());
    assert!(copy.user(user(2).id).await.unwrap().is_none(), "an unfinished registration is in the copy");
    assert!(store.user(user(2).id).await.unwrap().is_some());
}

#[tokio::test]
async fn it_overwrites_nothing_and_leaves_no_draft() {
    let directory = Directory::new();
    let store = directory.serve().await;
    let to = directory.path().join("copy.db");
    fs::write(&to, "precious").unwrap();
    let refused = store.backup(&to).await;
    assert!(matches!(refused, Err(BackupError::Exists { .. })), "{refused:?}");
    assert_eq!(fs::read_to_string(&to).unwrap(), "precious");
    store.backup(&directory.path().join("other.db")).await.unwrap();
    store.backup(&directory.path().join("nowhere/copy.db")).await.unwrap_err();
    assert!(!directory.path().join("other.db.part").exists());
}
