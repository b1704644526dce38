//! What becomes of units of work that do not end well: the writer must serve the next one.

use crate::fixture::{self, Directory, hash, insert, user};
use sqlx::Executor;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use vestibule_domain::user::store::UserReads;
use vestibule_domain::{Store, StoreError};

#[tokio::test]
async fn a_dropped_one_leaves_nothing_behind() {
    let directory = Directory::new();
    let store = directory.serve().await;
    let mut work = store.begin().await.unwrap();
    assert!(work.insert_user(&user(1), None).await.unwrap());
    drop(work);
    assert!(insert(&store, &user(1)).await.unwrap(), "the address is free again");
}

/// A future that is given up after so many polls, as a request is whose client has gone.
struct GivenUp<F> {
    future: Pin<Box<F>>,
    polls: u32,
}

impl<F: Future> Future for GivenUp<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match self.future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[tokio::test]
async fn one_given_up_at_any_point_is_whole_or_absent_and_the_writer_goes_on() {
    let directory = Directory::new();
    let store = directory.serve().await;
    let mut given_up = 0;
    // Where a number of polls leads to depends on the writer's thread, so each is tried some times.
    for n in 0..100 {
        let user = user(n);
        let registration = GivenUp { future: Box::pin(insert(&store, &user)), polls: n % 20 + 1 };
        given_up += u32::from(registration.await.is_none());
        assert!(
            insert(&store, &fixture::user(1_000 + n)).await.unwrap(),
            "the writer is stuck after {} polls",
            n % 20 + 1
        );
    }
    assert!(given_up >= 5, "only {given_up} were given up");
    let halves = "SELECT count(*) FROM users WHERE id NOT IN (SELECT user_id FROM password_credentials)";
    assert_eq!(directory.number(halves).await, 0);
}

/// What a full disk does: the statement fails, and the whole transaction is gone.
const FULL_DISK: &str = "CREATE TRIGGER full BEFORE INSERT ON password_credentials
    BEGIN SELECT RAISE(ROLLBACK, 'as if the disk were full'); END";

#[tokio::test]
async fn one_that_sqlite_itself_ended_does_not_spoil_the_writer() {
    let directory = Directory::new();
    let store = directory.serve().await;
    directory.execute(FULL_DISK).await.unwrap();
    assert!(insert(&store, &user(1)).await.is_err());
    directory.execute("DROP TRIGGER full").await.unwrap();
    assert!(insert(&store, &user(1)).await.unwrap());
}

#[tokio::test]
async fn one_that_sqlite_itself_ended_cannot_be_committed() {
    let directory = Directory::new();
    let store = directory.serve().await;
    directory.execute(FULL_DISK).await.unwrap();
    let mut work = store.begin().await.unwrap();
    work.insert_user(&user(1), None).await.unwrap();
    work.set_password(user(1).id, &hash(), user(1).created_at).await.unwrap_err();
    work.commit().await.unwrap_err();
    assert!(store.user(user(1).id).await.unwrap().is_none());
}

#[tokio::test]
async fn j130_a_lock_that_another_process_keeps_is_unavailability_and_passes() {
    let directory = Directory::new();
    let store = directory.serve().await;
    let mut other = directory.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    // Nothing but the deadline can wake the test now, so the clock goes there at once.
    tokio::time::pause();
    let refused = store.begin().await.err();
    tokio::time::resume();
    assert!(matches!(refused, Some(StoreError::Unavailable { context: "begin", .. })), "{refused:?}");
    assert!(store.user(user(1).id).await.unwrap().is_none(), "reading goes on");
    other.execute("ROLLBACK").await.unwrap();
    assert!(insert(&store, &user(1)).await.unwrap());
}

#[tokio::test]
async fn those_of_one_process_queue() {
    let directory = Directory::new();
    let store = directory.serve().await;
    let first = store.begin().await.unwrap();
    let mut second = pin!(store.begin());
    let waits = std::future::poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx).is_pending())).await;
    assert!(waits, "two units of work at once");
    drop(first);
    second.await.unwrap();
}
