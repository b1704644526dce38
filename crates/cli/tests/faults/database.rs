//! A PostgreSQL that goes, slows down, falls silent or forgets to answer, while the service runs.

use crate::process::{ALICE, PASSWORD, Process, log_in, over_http1, register};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use vestibule_testkit::{StoreKind, TestStore, Traffic, Way, both_stores};

both_stores!(j125_one_connection_is_enough_for_everything);

/// What a request may take that waits for the store in vain, first to be counted and then for a connection; and what a
/// busy machine adds.
const IN_VAIN: Duration = Duration::from_secs(3 + 1 + 1);
const RECOVERY: Duration = Duration::from_secs(10);

struct Scene {
    /// Gone when it is dropped.
    _store: TestStore,
    way: Way,
    process: Process,
    tokens: Value,
}

async fn scene(settings: &[(&str, &str)]) -> Scene {
    let store = TestStore::create(StoreKind::Postgres).await;
    let way = Way::opened(&store.url());
    let process = Process::start_on(way.url(), settings).await;
    assert_eq!(register(&over_http1(), process.public, ALICE).await, Some(201));
    let tokens = process.tokens(ALICE).await;
    Scene { _store: store, way, process, tokens }
}

/// Three of each kind at once: together more than there are connections.
async fn everybody_is_told_to_come_back(process: &Process, tokens: &Value) {
    let mut requests = JoinSet::new();
    for email in [ALICE, "bob@example.com", "eve@example.com"] {
        for (path, body) in [
            // One attempt for each account: more at once would have to wait for each other's verdicts.
            ("/login", json!({"email": email, "password": PASSWORD})),
            ("/refresh", json!({"refresh_token": tokens["refresh_token"]})),
            ("/users", json!({"email": "new@example.com", "password": PASSWORD, "name": "New"})),
        ] {
            let request = over_http1().post(format!("http://{}{path}", process.public)).json(&body);
            requests.spawn(async move {
                let began = Instant::now();
                let answer = request.send().await.expect("an answer");
                let (status, retry_after) = (answer.status(), answer.headers().get("retry-after").cloned());
                (path, status.as_u16(), retry_after, answer.text().await.expect("a body"), began.elapsed())
            });
        }
    }
    for (path, status, retry_after, body, took) in requests.join_all().await {
        assert_eq!((status, body.contains("\"code\":\"unavailable\"")), (503, true), "{path}: {body}");
        let seconds = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse::<u8>().ok());
        assert!(seconds.is_some_and(|seconds| seconds <= 2), "{path}: Retry-After: {seconds:?}");
        assert!(took < IN_VAIN, "{path}: {took:?}");
    }
}

async fn the_process_lives_and_is_not_ready(process: &Process) {
    let http = over_http1();
    for (path, expected) in [("/health/live", 200), ("/.well-known/jwks.json", 200), ("/health/ready", 503)] {
        let began = Instant::now();
        assert_eq!(process.get(&http, path).await.status(), expected, "{path}");
        assert!(began.elapsed() < Duration::from_secs(2), "{path}: {:?}", began.elapsed());
    }
}

/// Nothing was charged, nothing is left half done, and all connections can be used.
async fn everything_works_again(process: &Process, tokens: &Value) {
    process.is_ready_within(RECOVERY).await;
    assert_eq!(log_in(&over_http1(), process.public, ALICE).await, 200);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(process.post(&over_http1(), "/refresh", &refresh).await.status(), 200);
    let mut readers = JoinSet::new();
    for _ in 0..16 {
        let request = over_http1().get(format!("http://{}/users/me/sessions", process.public));
        let request = request.bearer_auth(tokens["access_token"].as_str().expect("an access token"));
        readers.spawn(async move { request.send().await.expect("an answer").status().as_u16() });
    }
    assert_eq!(readers.join_all().await, [200; 16]);
}

async fn outage(traffic: Traffic) {
    let Scene { _store, way, process, tokens } = scene(&[("LIMITS__ENABLED", "true")]).await;
    way.set(traffic);
    everybody_is_told_to_come_back(&process, &tokens).await;
    the_process_lives_and_is_not_ready(&process).await;
    everybody_is_told_to_come_back(&process, &tokens).await;
    way.set(Traffic::Flowing);
    everything_works_again(&process, &tokens).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j119_a_database_that_goes_makes_nobody_wrong_and_costs_nobody_an_attempt() {
    outage(Traffic::HungUp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j120_a_slow_database_is_waited_for_no_longer_than_seconds() {
    outage(Traffic::Late(Duration::from_secs(5))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j121_of_a_silent_database_the_connections_are_given_up() {
    outage(Traffic::Swallowed).await;
}

/// Nobody knows then whether it was written, the client least of all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j124_a_registration_whose_commit_was_not_answered_is_repeated_under_its_key() {
    let Scene { _store: store, way, process, .. } = scene(&[]).await;
    let http = over_http1();
    let register = async || {
        let body = json!({"email": "bob@example.com", "password": PASSWORD, "name": "Bob"});
        let request = http.post(format!("http://{}/users", process.public)).header("idempotency-key", "\"once\"");
        let answer = request.json(&body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    way.set(Traffic::LosingCommits);
    assert_eq!(register().await.0, 503);
    way.set(Traffic::Flowing);
    let bobs = "SELECT count(*) FROM users WHERE email_canonical = 'bob@example.com'";
    assert_eq!(store.number(bobs).await, 1, "it was written");
    let (status, first) = register().await;
    assert_eq!((status, register().await), (201, (201, first)));
    assert_eq!(store.number(bobs).await, 1);
}

/// Whoever held one and waited for another would wait for itself.
async fn j125_one_connection_is_enough_for_everything(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let process = Process::start_on(&store.url(), &[("STORE__MAX_CONNECTIONS", "1")]).await;
    process.is_ready_within(RECOVERY).await;
    let http = over_http1();
    assert_eq!(register(&http, process.public, ALICE).await, Some(201));
    let (other, tokens) = (process.tokens(ALICE).await, process.tokens(ALICE).await);
    let refreshed = process.post(&http, "/refresh", &json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!(refreshed.status(), 200);
    assert_eq!(log_in(&http, process.public, "nobody@example.com").await, 401);
    let bearer = tokens["access_token"].as_str().expect("an access token");
    let url = |path: &str| format!("http://{}{path}", process.public);
    let sessions = url("/users/me/sessions");
    let passwords = json!({"current_password": PASSWORD, "new_password": "nine green lanterns"});
    for (request, expected) in [
        (http.get(url("/users/me")), 200),
        (http.get(&sessions), 200),
        (http.patch(url("/users/me")).json(&json!({"name": "Alicia"})), 200),
        (http.delete(format!("{sessions}/{}", other["session_id"].as_str().expect("an id"))), 204),
        (http.put(url("/users/me/password")).json(&passwords), 204),
        (http.delete(url("/users/me")), 204),
    ] {
        let answer = request.bearer_auth(bearer).send().await.expect("an answer");
        assert_eq!(answer.status(), expected, "{answer:?}");
    }
}
