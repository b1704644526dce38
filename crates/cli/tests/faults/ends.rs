//! The ends of the process: told to go under load, and killed amid its work.

use crate::process::{ALICE, PASSWORD, Process, log_in, over_http1, over_http2, register, say, status};
use rustix::process::Signal;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use vestibule_testkit::{StoreKind, TestStore, both_stores, invariants};

both_stores!(j132_sigterm_under_load_fails_no_request, j129_sigkill_while_registering_loses_no_acknowledged_user);

/// Soon, unless those who count have failed.
async fn reaches(count: &AtomicUsize, goal: usize) {
    let (mut looks, began) = (tokio::time::interval(Duration::from_millis(5)), Instant::now());
    while count.load(Ordering::SeqCst) < goal {
        assert!(began.elapsed() < Duration::from_mins(1), "{count:?} of {goal}");
        looks.tick().await;
    }
}

/// Clients that say nothing, or never finish what they say (slowloris).
async fn hold_open(to: SocketAddr) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for _ in 0..8 {
        for text in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            held.push(say(to, text).await);
        }
        held.push(say(to, "POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{").await);
    }
    held
}

/// Clients go on until the load balancer, which looks at the readiness, would send them elsewhere; what they have
/// sent until then is answered, and what they have begun to send as well.
async fn j132_sigterm_under_load_fails_no_request(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let mut process = Process::start(&store).await;
    let (public, ops) = (process.public, process.ops);
    assert_eq!(register(&over_http1(), public, ALICE).await, Some(201));

    let (draining, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for n in 0..4 {
        let (draining, answered) = (Arc::clone(&draining), Arc::clone(&answered));
        let http = if n % 2 == 0 { over_http1() } else { over_http2() };
        load.spawn(async move {
            while !draining.load(Ordering::SeqCst) {
                assert_eq!(log_in(&http, public, ALICE).await, 200);
                let page = http.get(format!("http://{public}/.well-known/jwks.json")).send().await;
                assert_eq!(page.expect("an answer").status(), 200);
                answered.fetch_add(2, Ordering::SeqCst);
            }
        });
    }
    reaches(&answered, 20).await;
    let _held = hold_open(public).await;
    process.signal(Signal::TERM);
    let body = json!({"email": ALICE, "password": PASSWORD}).to_string();
    let (begin, rest) = body.split_at(body.len() / 2);
    let head = "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length";
    let mut late = say(public, &format!("{head}: {}\r\n\r\n{begin}", body.len())).await;
    let balancer = over_http1();
    let is_ready = async || {
        let looked = balancer.get(format!("http://{ops}/health/ready")).send().await;
        looked.expect("an answer").status() == 200
    };
    while is_ready().await {}
    let before = answered.load(Ordering::SeqCst);
    // The balancer takes its time: the process serves on although it is not ready.
    reaches(&answered, before + 20).await;
    draining.store(true, Ordering::SeqCst);
    while let Some(client) = load.join_next().await {
        client.expect("no request failed");
    }
    process.logs("no longer accepting").await;
    late.write_all(rest.as_bytes()).await.expect("room in the kernel");
    assert_eq!(status(late).await, Some(200));
    let ended = tokio::time::timeout(Duration::from_secs(30), process.wait()).await;
    assert_eq!(ended.expect("within 30 seconds").code(), Some(0));
    assert_eq!(process.logged("breaking off what is left"), 0, "it waited for those who say nothing");
}

/// How often it is killed: a few times, or as often as whoever searches says.
fn rounds() -> usize {
    std::env::var("ROUNDS").map_or(10, |rounds| rounds.parse().expect("ROUNDS is a number"))
}

/// Kills it once clients have so many answers; whom it acknowledged.
async fn register_until_killed(process: Process, round: usize) -> Vec<String> {
    let (public, acknowledged) = (process.public, Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for client in 0..4 {
        let (http, total) = (over_http1(), Arc::clone(&acknowledged));
        clients.spawn(async move {
            let mut mine = Vec::new();
            for n in 0.. {
                let email = format!("user{round}.{client}.{n}@example.com");
                match register(&http, public, &email).await {
                    Some(201) => mine.push(email),
                    // Killed: whether this one was written nobody was told.
                    None => break,
                    Some(status) => assert_eq!(status, 201),
                }
                total.fetch_add(1, Ordering::SeqCst);
            }
            mine
        });
    }
    // Another moment in each round.
    reaches(&acknowledged, 1 + round % 7).await;
    assert!(!process.end(Signal::KILL).await.success());
    clients.join_all().await.into_iter().flatten().collect()
}

async fn j129_sigkill_while_registering_loses_no_acknowledged_user(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let mut users = Vec::new();
    for round in 0..rounds() {
        users.extend(register_until_killed(Process::start(&store).await, round).await);
        if kind == StoreKind::Sqlite {
            assert_eq!(store.column("PRAGMA integrity_check").await, ["ok"], "round {round}");
        }
    }
    let process = Process::start(&store).await;
    let mut logins = JoinSet::new();
    for user in users {
        let (http, public) = (over_http1(), process.public);
        logins.spawn(async move { (log_in(&http, public, &user).await, user) });
    }
    for (status, user) in logins.join_all().await {
        assert_eq!(status, 200, "{user} was acknowledged");
    }
    assert_eq!(process.end(Signal::TERM).await.code(), Some(0));
    invariants::check_rows(&store).await;
}
