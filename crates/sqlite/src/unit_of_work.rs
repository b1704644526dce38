//! One transaction on the one writer.

use crate::audit;
use crate::error::{bounded, exactly_one};
use crate::migration;
use crate::open::SqliteStore;
use crate::space;
use crate::turn::Turn;
use async_trait::async_trait;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use std::sync::atomic::Ordering;
use vestibule_domain::audit::AuditRecord;
use vestibule_domain::session::store::{Opened, Opening};
use vestibule_domain::store::StoreHealth;
use vestibule_domain::{Store, StoreError, Timestamp, UnitOfWork};

/// Holds the turn, the writer and the file's only write lock until it is committed or dropped. Dropping queues the
/// rollback on the writer's own thread, before anything that the next one asks of it; attempts that come next may wait for
/// it at the file's lock.
#[derive(Debug)]
pub(crate) struct SqliteUnitOfWork {
    transaction: Transaction<'static, Sqlite>,
    // After the transaction: whoever is next must find the file free.
    turn: Turn,
}

impl SqliteUnitOfWork {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

#[async_trait]
impl UnitOfWork for SqliteUnitOfWork {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { transaction, turn } = *self;
        turn.commit("commit", transaction.commit(), |()| true).await
    }
}

impl SqliteStore {
    /// IMMEDIATE: the lock is taken now, where waiting for it is safe, and not at the first write, where a
    /// transaction that has read what another one changed since could only fail.
    pub(crate) async fn begin_work(&self) -> Result<SqliteUnitOfWork, StoreError> {
        let turn = self.turn().await?;
        let transaction = bounded("begin", turn.writer().begin_with("BEGIN IMMEDIATE")).await?;
        Ok(SqliteUnitOfWork { transaction, turn })
    }

    /// Fails on a disk that is full, and on a file or file system that became read-only.
    async fn check_writing(&self) -> Result<(), StoreError> {
        space::check(self.path(), self.reserve)
            .map_err(|short| StoreError::Unavailable { context: "check", source: Some(Box::new(short)) })?;
        let mut work = self.begin_work().await?;
        if self.disk.has_failed.load(Ordering::Relaxed) {
            // Quotas, and disks that fail, show only to those who write; what is written here is what was there.
            bounded("check", sqlx::query("PRAGMA user_version = 0").execute(work.connection())).await?;
            Box::new(work).commit().await?;
        }
        // Else rolled back, which writes nothing.
        Ok(())
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(self.begin_work().await?))
    }

    async fn open_session(&self, opening: &Opening<'_>) -> Result<Option<Opened>, StoreError> {
        self.open_at_once(opening).await
    }

    async fn record(&self, record: &AuditRecord<'_>) -> Result<(), StoreError> {
        exactly_one("record", &self.execute("record", audit::insertion(record)).await?)
    }

    async fn check(&self) -> Result<StoreHealth, StoreError> {
        self.check_writing().await?;
        Ok(StoreHealth { pending_migrations: migration::pending(self.readers()).await? })
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Access;
    use std::pin::Pin;
    use std::task::{Context, Waker};
    use vestibule_domain::throttle::store::{Swap, ThrottleStore};
    use vestibule_domain::throttle::{Bucket, BucketKey, Tried};

    #[tokio::test]
    async fn j127_a_disk_that_is_nearly_full_is_named_until_there_is_room_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        store.check().await.unwrap();
        let reserve = std::mem::replace(&mut store.reserve, u64::MAX);
        let StoreError::Unavailable { source: Some(why), .. } = store.check().await.unwrap_err() else {
            panic!("a full disk is unavailability")
        };
        let file = directory.path().canonicalize().unwrap().join("a.db");
        assert!(why.to_string().starts_with(&format!("the disk of {} is full: ", file.display())), "{why}");
        store.reserve = reserve;
        store.check().await.unwrap();
    }

    #[tokio::test]
    async fn j127_what_a_full_disk_refuses_is_unavailability_and_the_next_one_finds_a_sound_writer() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        sqlx::query("CREATE TABLE t (x)").execute(&store.writer).await.unwrap();
        // SQLITE_FULL, as on a disk without room.
        sqlx::query("PRAGMA max_page_count = 2").execute(&store.writer).await.unwrap();
        let mut work = store.begin_work().await.unwrap();
        let more = sqlx::query("INSERT INTO t VALUES (zeroblob(100000))");
        let refused = bounded("more", more.execute(work.connection())).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable { context: "more", .. }), "{refused:?}");
        drop(work);
        let mut work = store.begin_work().await.unwrap();
        bounded("less", sqlx::query("INSERT INTO t VALUES (1)").execute(work.connection())).await.unwrap();
        Box::new(work).commit().await.unwrap();
    }

    #[tokio::test]
    async fn j128_a_commit_comes_to_its_end_whoever_goes_and_leaves_no_doubt_of_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        let mut work = store.begin_work().await.unwrap();
        bounded("table", sqlx::query("CREATE TABLE t (x)").execute(work.connection())).await.unwrap();
        let leave = async |mut committing: Pin<Box<dyn Future<Output = Result<(), StoreError>> + '_>>| {
            assert!(committing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert!(store.disk.is_in_doubt(), "from the moment on at which it cannot be taken back");
            drop(committing);
            let turn = store.attempts.lock().await;
            assert!(!store.disk.is_in_doubt());
            drop(turn);
        };
        leave(Box::new(work).commit()).await;
        let statement = store.execute("insert", sqlx::query("INSERT INTO t VALUES (1)"));
        leave(Box::pin(async { statement.await.map(drop) })).await;
        let inserted: i64 = sqlx::query_scalar("SELECT x FROM t").fetch_one(store.readers()).await.unwrap();
        assert_eq!(inserted, 1);
    }

    #[tokio::test]
    async fn j127_attempts_that_a_full_disk_does_not_take_are_remembered_until_something_is_flushed() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("a.db"), Access::Serve).await.unwrap();
        store.migrate().await.unwrap();
        let at = Timestamp::EPOCH;
        let tried = Tried { account: 1, at, running: 1, has_failed: false };
        let (old, new) = ([Bucket::default()], [Bucket { tried: vec![tried; 5_000], ..Bucket::default() }]);
        let swap = async || store.swap_buckets(&[BucketKey::from_bytes([1; 32])], &old, &new).await;
        let no_room = sqlx::query("PRAGMA max_page_count = 1");
        let limit = async |attempts: &mut SqliteConnection| bounded("limit", no_room.execute(attempts)).await;
        store.turn().await.unwrap().count(store.path(), limit).await.unwrap();
        swap().await.unwrap_err();
        assert!(store.disk.has_failed.load(Ordering::Relaxed));
        assert!(!store.disk.is_in_doubt(), "no flush has failed");
        assert_eq!(swap().await.unwrap(), Swap::Done, "by another connection, for which there is room");
        assert!(store.disk.has_failed.load(Ordering::Relaxed), "what is not flushed tells nothing of the disk");
        store.check().await.unwrap();
        assert!(!store.disk.has_failed.load(Ordering::Relaxed));
    }
}
