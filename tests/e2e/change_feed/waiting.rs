//! `GET /.well-known/revocations?wait=`: news to those who wait.

use super::PROMISE;
use crate::well_known::revocations::{REVOCATIONS, end, page, read};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, JoinSet};
use vestibule_testkit::app::{Client, Response, Scene};
use vestibule_testkit::counting::Reach;
use vestibule_testkit::scenes;

scenes!(
    whoever_waits_learns_of_an_end_within_a_second,
    what_is_no_end_wakes_nobody,
    at_the_end_of_the_wait_there_is_a_cursor,
    what_is_there_already_is_not_waited_for,
    whoever_waits_learns_that_the_feed_is_lost,
    whoever_would_wait_in_vain_is_told_and_others_are_answered,
    of_one_address_a_hundred_wait_and_more_are_told_so,
    whoever_waits_is_answered_when_the_service_stops,
);

/// A client that waits, once the service knows. It is told 503 if that does not follow the feed yet.
async fn waiting(client: &Client, cursor: &str) -> JoinHandle<(Response, Instant)> {
    let request = client.get(&format!("{REVOCATIONS}?after={cursor}&wait=30"));
    let waiting = tokio::spawn(async { (request.await, Instant::now()) });
    // Behind it in the queue of the service.
    end(client).await;
    waiting
}

async fn whoever_waits_learns_of_an_end_within_a_second(Scene { app, anonymous, alice, admin }: &Scene) {
    let replica = app.replica().await;
    replica.store.caught_up().await;
    let clients =
        [anonymous.clone(), anonymous.over_http2(), anonymous.at(&replica), anonymous.at(&replica).over_http2()];
    let mut cursor = end(anonymous).await;
    for ends in [alice, admin] {
        let mut all = Vec::new();
        for client in &clients {
            all.push(waiting(client, &cursor).await);
        }
        assert_eq!(ends.post("/logout", json!({})).await.status, 204);
        let began = Instant::now();
        for waiting in all {
            let (response, at) = waiting.await.expect("an answer");
            assert!(at - began < PROMISE, "{:?}", at - began);
            let (data, next) = read(&response.json);
            assert_eq!(data.iter().map(|ended| &ended["sid"]).collect::<Vec<_>>(), [ends.session_id()]);
            cursor = next;
        }
    }
    replica.stop().await;
}

async fn what_is_no_end_wakes_nobody(Scene { app, anonymous, alice, .. }: &Scene) {
    app.store.caught_up().await;
    let cursor = end(anonymous).await;
    let mut waiting = waiting(anonymous, &cursor).await;
    assert_eq!(alice.patch("/users/me", json!({"name": "Alicia"})).await.status, 200);
    app.store.caught_up().await;
    let early = tokio::time::timeout(Duration::ZERO, &mut waiting).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    let (response, _) = waiting.await.expect("an answer");
    assert_eq!(read(&response.json).0.len(), 1);
}

async fn at_the_end_of_the_wait_there_is_a_cursor(Scene { app, anonymous, alice, .. }: &Scene) {
    app.store.caught_up().await;
    let cursor = end(anonymous).await;
    let began = Instant::now();
    let response = anonymous.get(&format!("{REVOCATIONS}?after={cursor}&wait=1")).await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    let (data, next) = read(&response.json);
    assert_eq!((response.status, data), (200, Vec::<Value>::new()));
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    app.store.caught_up().await;
    assert_eq!(page(anonymous, &next).await.0.len(), 1);
}

async fn what_is_there_already_is_not_waited_for(Scene { app, anonymous, alice, .. }: &Scene) {
    let cursor = end(anonymous).await;
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    app.store.caught_up().await;
    let began = Instant::now();
    let (data, _) = read(&anonymous.get(&format!("{REVOCATIONS}?after={cursor}&wait=30")).await.json);
    assert_eq!(data.len(), 1);
    assert!(began.elapsed() < PROMISE);
}

async fn whoever_waits_learns_that_the_feed_is_lost(Scene { app, anonymous, .. }: &Scene) {
    app.store.caught_up().await;
    let waiting = waiting(anonymous, &end(anonymous).await).await;
    app.store.set_reach(Reach::NoFeed);
    app.clock().advance(Duration::from_millis(700));
    let began = Instant::now();
    let (response, at) = waiting.await.expect("an answer");
    assert_eq!((response.status, response.code()), (503, "unavailable"));
    assert!(at - began < PROMISE, "{:?}", at - began);
    app.store.set_reach(Reach::Everything);
}

/// The store answers, but this process does not hear what is new.
async fn whoever_would_wait_in_vain_is_told_and_others_are_answered(Scene { app, anonymous, .. }: &Scene) {
    let cursor = end(anonymous).await;
    app.store.set_reach(Reach::NoFeed);
    app.clock().advance(Duration::from_millis(700));
    let began = Instant::now();
    let refused = anonymous.get(&format!("{REVOCATIONS}?after={cursor}&wait=30")).await;
    assert_eq!((refused.status, refused.code()), (503, "unavailable"));
    assert!(refused.header("retry-after").is_some() && began.elapsed() < PROMISE, "{:?}", began.elapsed());
    assert_eq!(page(anonymous, &cursor).await, (Vec::new(), cursor));
    app.store.set_reach(Reach::Everything);
}

async fn of_one_address_a_hundred_wait_and_more_are_told_so(Scene { app, anonymous, alice, .. }: &Scene) {
    let cursor = end(anonymous).await;
    app.store.caught_up().await;
    let mut crowd = JoinSet::new();
    for _ in 0..101 {
        crowd.spawn(anonymous.get(&format!("{REVOCATIONS}?after={cursor}&wait=30")).into_future());
    }
    let refused = crowd.join_next().await.expect("one too many").expect("an answer");
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(page(anonymous, &cursor).await.0, Vec::<Value>::new(), "who does not wait needs no place");
    assert_eq!(alice.post("/logout", json!({})).await.status, 204);
    for answer in crowd.join_all().await {
        assert_eq!((answer.status, read(&answer.json).0.len()), (200, 1));
    }
    let (_, cursor) = page(anonymous, &cursor).await;
    assert_eq!(
        anonymous.get(&format!("{REVOCATIONS}?after={cursor}&wait=1")).await.status,
        200,
        "places are given back"
    );
}

async fn whoever_waits_is_answered_when_the_service_stops(Scene { app, anonymous, .. }: &Scene) {
    let replica = app.replica().await;
    replica.store.caught_up().await;
    let there = anonymous.at(&replica);
    let cursor = end(&there).await;
    let waiting = waiting(&there, &cursor).await;
    let began = Instant::now();
    replica.stop().await;
    let (response, at) = waiting.await.expect("an answer");
    assert_eq!((response.status, read(&response.json)), (200, (Vec::new(), cursor)));
    assert!(at - began < PROMISE, "{:?}", at - began);
}
