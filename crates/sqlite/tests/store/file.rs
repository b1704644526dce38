//! Who may read the file.

use crate::fixture::{Directory, insert, mode, user};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use vestibule_sqlite::{Access, OpenError, SqliteStore};

#[tokio::test]
async fn everything_it_makes_is_for_the_owner_only() {
    let directory = Directory::new();
    let path = directory.path().join("var/lib/vestibule.db");
    let store = SqliteStore::open(&path, Access::Serve).await.unwrap();
    store.migrate().await.unwrap();
    for name in ["vestibule.db", "vestibule.db-wal", "vestibule.db-shm", "vestibule.db.lock"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&directory.path().join("var")), 0o700);
    assert_eq!(mode(&directory.path().join("var/lib")), 0o700);
}

#[tokio::test]
async fn a_file_that_others_can_read_is_taken_from_them() {
    let directory = Directory::new();
    directory.serve().await.close().await;
    fs::set_permissions(directory.database(), Permissions::from_mode(0o644)).unwrap();
    let store = directory.serve().await;
    insert(&store, &user(1)).await.unwrap();
    assert_eq!(mode(&directory.database()), 0o600);
    assert_eq!(mode(&directory.path().join("vestibule.db-wal")), 0o600);
}

#[tokio::test]
async fn an_existing_directory_keeps_its_permissions() {
    let directory = Directory::new();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o750)).unwrap();
    directory.serve().await;
    assert_eq!(mode(directory.path()), 0o750);
}

#[tokio::test]
async fn what_is_no_database_is_not_opened_nor_changed() {
    let directory = Directory::new();
    let text = "the diary of somebody who chose the wrong path\n".repeat(100);
    fs::write(directory.database(), &text).unwrap();
    fs::set_permissions(directory.database(), Permissions::from_mode(0o644)).unwrap();
    for access in [Access::Serve, Access::Command] {
        let refused = SqliteStore::open(&directory.database(), access).await;
        assert!(matches!(refused, Err(OpenError::Database { .. })), "{refused:?}");
    }
    assert_eq!(fs::read_to_string(directory.database()).unwrap(), text);
    assert_eq!(mode(&directory.database()), 0o644);
}

#[tokio::test]
async fn a_path_where_no_file_can_be_is_named() {
    let directory = Directory::new();
    fs::write(directory.path().join("file"), "").unwrap();
    let path = directory.path().join("file/vestibule.db");
    let refused = SqliteStore::open(&path, Access::Command).await.unwrap_err();
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
}
