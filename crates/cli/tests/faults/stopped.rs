//! A process that the system stops for a while, as a laptop that sleeps or a machine that is moved.

use crate::process::{ALICE, Process, log_in, over_http1, register, say, status};
use rustix::process::Signal;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use vestibule_testkit::{StoreKind, TestStore, both_stores};

both_stores!(j133_a_process_that_stood_still_does_not_trust_its_memory);

async fn j133_a_process_that_stood_still_does_not_trust_its_memory(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let process = Process::start(&store).await;
    let http = over_http1();
    assert_eq!(register(&http, process.public, ALICE).await, Some(201));
    let token = process.tokens(ALICE).await;
    let token = token["access_token"].as_str().expect("an access token");
    let request = format!(
        "GET /users/me HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    assert_eq!(status(say(process.public, &request).await).await, Some(200), "and it is remembered");

    process.signal(Signal::STOP);
    let disabled = process.beside(&["users", "disable", ALICE]).await;
    assert!(disabled.status.success(), "{disabled:?}");
    // Who answers rightly because the feed told in time proves nothing here.
    let unread = match kind {
        StoreKind::Postgres => Some(store.hold("LOCK TABLE changes").await),
        StoreKind::Sqlite => None,
    };
    let mut answers = JoinSet::new();
    for _ in 0..16 {
        answers.spawn(status(say(process.public, &request).await));
    }
    let early = timeout(Duration::from_secs(1), answers.join_next()).await;
    assert!(early.is_err(), "it does not stand still: {early:?}");
    process.signal(Signal::CONT);
    for answer in answers.join_all().await {
        assert_eq!(answer, Some(401), "the account was disabled a second ago");
    }
    if let Some(unread) = unread {
        unread.release().await;
    }
    assert_eq!(log_in(&http, process.public, ALICE).await, 401);
    assert_eq!(process.end(Signal::TERM).await.code(), Some(0));
}
