//! More logins than the processors can hash.

use crate::process::{ALICE, PASSWORD, Process, log_in, over_http1, register, say};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use vestibule_testkit::{StoreKind, TestStore, both_stores};

both_stores!(
    j136_of_500_logins_at_once_as_many_are_hashed_as_there_are_threads_and_nothing_else_waits,
    j137_logins_of_clients_that_have_left_are_not_hashed,
    j138_a_flood_of_everything_takes_no_more_memory_than_there_is_in_256_mib,
);

const THREADS: usize = 2;
/// What each thread keeps to hash in.
const ARENA_KIB: usize = 19 * 1_024;

async fn flooded(store: &TestStore, queue_wait: &str, log_level: &str) -> Process {
    let threads = THREADS.to_string();
    let settings =
        [("PASSWORDS__QUEUE_WAIT", queue_wait), ("PASSWORDS__HASH_THREADS", &threads), ("LOG__LEVEL", log_level)];
    let process = Process::start_on(&store.url(), &settings).await;
    assert_eq!(register(&over_http1(), process.public, ALICE).await, Some(201));
    process
}

fn hashing_threads(process: &Process) -> usize {
    let tasks = fs::read_dir(process.proc("task")).expect("the threads").flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("argon2-")).count()
}

/// The most memory that it ever had.
fn peak_kib(process: &Process) -> usize {
    let status = fs::read_to_string(process.proc("status")).expect("the status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")?.trim().parse().ok());
    peak.expect("the peak")
}

async fn j136_of_500_logins_at_once_as_many_are_hashed_as_there_are_threads_and_nothing_else_waits(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let process = flooded(&store, "2s", "info").await;
    // Not one of those who log in: the oldest sessions beyond a hundred end.
    assert_eq!(register(&over_http1(), process.public, "bob@example.com").await, Some(201));
    let tokens = process.tokens("bob@example.com").await;
    let bearer = tokens["access_token"].as_str().expect("an access token");
    let http = over_http1();
    let me = async || {
        let asked = http.get(format!("http://{}/users/me", process.public)).bearer_auth(bearer).send().await;
        asked.expect("an answer").status()
    };
    // Answered when the feed, which has the logins so far, was followed for a second: from here on the session is
    // remembered, as long as nothing keeps the process from the feed.
    assert_eq!(process.get(&http, "/.well-known/revocations?wait=1").await.status(), 200);
    assert_eq!(me().await, 200);
    let before = peak_kib(&process);
    let mut logins = JoinSet::new();
    for _ in 0..500 {
        let request = over_http1().post(format!("http://{}/login", process.public));
        let request = request.json(&json!({"email": ALICE, "password": PASSWORD}));
        logins.spawn(async move {
            let answer = request.send().await.expect("an answer");
            (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
        });
    }
    let mut looks = Vec::new();
    while !logins.is_empty() {
        let began = Instant::now();
        assert_eq!(process.get(&http, "/health/live").await.status(), 200);
        assert_eq!(me().await, 200);
        looks.push(began.elapsed());
        while let Some(login) = logins.try_join_next() {
            assert!(matches!(login.expect("an answer"), (200, _) | (503, true)));
        }
    }
    looks.sort_unstable();
    let median = looks.get(looks.len() / 2).expect("looks");
    // Whoever waited for a hash would wait for all that came before.
    assert!(*median < Duration::from_millis(500), "{median:?} of {}", looks.len());
    assert!(process.logged("the request was refused") > 0, "nobody was shed");
    assert_eq!(hashing_threads(&process), THREADS);
    assert!(peak_kib(&process) < before + THREADS * ARENA_KIB + 64 * 1_024, "{} KiB", peak_kib(&process));
    assert_eq!(log_in(&http, process.public, ALICE).await, 200);
}

async fn j137_logins_of_clients_that_have_left_are_not_hashed(kind: StoreKind) {
    const CLIENTS: usize = 400;
    let store = TestStore::create(kind).await;
    let process = flooded(&store, "1m", "vestibule=trace").await;
    let before = peak_kib(&process);
    let body = json!({"email": ALICE, "password": PASSWORD}).to_string();
    let request = format!(
        "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut leaving = Vec::new();
    for _ in 0..CLIENTS {
        leaving.push(say(process.public, &request).await);
    }
    // Some were hashed while others still arrived.
    let hashed_before = process.logged("\"hashed\"");
    drop(leaving);
    // Behind all of them, if they still counted.
    assert_eq!(log_in(&over_http1(), process.public, ALICE).await, 200);
    let hashed = process.logged("\"hashed\"") - hashed_before;
    assert!(hashed < CLIENTS / 2, "{hashed} were hashed");
    assert_eq!(hashing_threads(&process), THREADS);
    assert!(peak_kib(&process) < before + THREADS * ARENA_KIB + 64 * 1_024, "{} KiB", peak_kib(&process));
}

/// Heads and bodies that do not end, beside requests as large as they may be.
async fn j138_a_flood_of_everything_takes_no_more_memory_than_there_is_in_256_mib(kind: StoreKind) {
    const CLIENTS: usize = 100;
    const LARGEST: usize = 64 * 1_024;
    let store = TestStore::create(kind).await;
    let process = flooded(&store, "2s", "info").await;
    let before = peak_kib(&process);
    let filled = |text: String| " ".repeat(LARGEST - text.len()) + &text;
    let head = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx:{}", " ".repeat(LARGEST));
    let body = format!(
        "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {LARGEST}\r\n\r\n{}",
        " ".repeat(LARGEST - 1)
    );
    let mut connections = Vec::new();
    for _ in 0..CLIENTS {
        connections.push(say(process.public, &head).await);
        connections.push(say(process.public, &body).await);
    }
    let mut requests = JoinSet::new();
    let mut send = |path: &str, body: &Value| {
        let request = over_http1().post(format!("http://{}{path}", process.public));
        let request = request.header("content-type", "application/json").body(filled(body.to_string()));
        requests.spawn(async move { request.send().await.expect("an answer").status().as_u16() });
    };
    for n in 0..CLIENTS {
        send("/login", &json!({"email": ALICE, "password": PASSWORD}));
        send("/users", &json!({"email": format!("user{n}@example.com"), "password": PASSWORD, "name": "Somebody"}));
    }
    for status in requests.join_all().await {
        assert!(matches!(status, 200 | 201 | 503), "{status}");
    }
    assert_eq!(log_in(&over_http1(), process.public, ALICE).await, 200);
    let (peak, most) = (peak_kib(&process), before + THREADS * ARENA_KIB + 64 * 1_024);
    assert!(peak < most && most < 256 * 1_024, "{before} KiB, then {peak} KiB");
    drop(connections);
}
