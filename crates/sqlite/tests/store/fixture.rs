//! A real file in a directory of its own.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use uuid::Uuid;
use vestibule_domain::credential::PasswordHash;
use vestibule_domain::id::UserId;
use vestibule_domain::user::{Email, Name, Status, User};
use vestibule_domain::{Store, StoreError, Timestamp};
use vestibule_sqlite::{Access, SqliteStore};

pub(crate) struct Directory(TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("vestibule.db")
    }

    pub(crate) async fn open(&self, access: Access) -> SqliteStore {
        SqliteStore::open(&self.database(), access).await.expect("the file opens")
    }

    /// With the schema.
    pub(crate) async fn serve(&self) -> SqliteStore {
        let store = self.open(Access::Serve).await;
        store.migrate().await.expect("the migrations run");
        store
    }

    /// Past the store, as somebody with the `sqlite3` shell.
    pub(crate) async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.database()).foreign_keys(true);
        SqliteConnection::connect_with(&options).await.expect("the file opens")
    }

    pub(crate) async fn execute(&self, sql: &'static str) -> Result<u64, sqlx::Error> {
        Ok(self.connect().await.execute(sql).await?.rows_affected())
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.connect().await).await.expect(sql)
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    path.metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

/// The n-th user.
pub(crate) fn user(n: u32) -> User {
    let now = Timestamp::from_millis(1_767_225_600_000).expect("a date within the calendar");
    User {
        id: UserId::from(Uuid::from_u128(n.into())),
        email: Email::parse(&format!("user{n}@example.com")).expect("a valid address"),
        email_verified: false,
        name: Name::parse("Alice Example").expect("a valid name"),
        status: Status::Active,
        roles: BTreeSet::new(),
        created_at: now,
        updated_at: now,
        last_login_at: None,
        version: 1,
        epoch: 1,
    }
}

pub(crate) fn hash() -> PasswordHash {
    PasswordHash::from_phc("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA".to_owned())
}

/// As a registration does it.
pub(crate) async fn insert(store: &SqliteStore, user: &User) -> Result<bool, StoreError> {
    let mut work = store.begin().await?;
    let inserted = work.insert_user(user, Some(&hash())).await?;
    work.commit().await?;
    Ok(inserted)
}
