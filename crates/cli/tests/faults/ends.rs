//! The ends of the real process: told to go under load, and killed amid its work.

#![expect(clippy::expect_used, reason = "a step of a test that cannot be taken is a failed test")]

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use vestibule_testkit::{StoreKind, TestStore, both_stores};

both_stores!(sigterm_under_load_fails_no_request, sigkill_while_registering_loses_no_acknowledged_user);

const MASTER_KEY: &str = "qqMRjIQqD0qPfpRXSnxC0CHKiq2PnFH5QmKqSoHaR+c=";
const PASSWORD: &str = "Tr0ub4dor&3-horse";

/// `vestibule serve`, on ports of its own.
struct Process {
    child: Child,
    public: SocketAddr,
    ops: SocketAddr,
    _directory: TempDir,
}

impl Process {
    async fn start(store: &TestStore) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log-format", "json"])
            .env_clear()
            .env("VESTIBULE_STORE__URL", store.url())
            .env("VESTIBULE_TOKENS__MASTER_KEY", MASTER_KEY)
            .env("VESTIBULE_PASSWORDS__QUEUE_WAIT", "30s")
            // The load of all clients comes from one address.
            .env("VESTIBULE_LIMITS__ENABLED", "false")
            .current_dir(&directory)
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("the binary starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let mut seen = Vec::new();
        let serving = loop {
            let line = log.next_line().await.expect("a readable log");
            let line = line.unwrap_or_else(|| unreachable(&seen));
            let entry: Value = serde_json::from_str(&line).unwrap_or_default();
            seen.push(line);
            if entry.to_string().contains("\"serving\"") {
                break entry;
            }
        };
        // A full pipe would stop the process.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        let (public, ops) = (address(&serving, "listen"), address(&serving, "ops_listen"));
        Self { child, public, ops, _directory: directory }
    }

    async fn end(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.child.wait().await.expect("the process ends")
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.expect("a running process"), signal).expect("a signal is sent");
    }
}

#[expect(clippy::panic, reason = "a step of a test that cannot be taken is a failed test")]
fn unreachable(log: &[String]) -> ! {
    panic!("the process ended before it served:\n{}", log.join("\n"))
}

/// Wherever the log puts its fields.
fn address(entry: &Value, field: &str) -> SocketAddr {
    let value = entry.get(field).or_else(|| entry.get("fields")?.get(field)).and_then(Value::as_str);
    value.and_then(|text| text.parse().ok()).expect("the log tells where the process listens")
}

fn over_http1() -> Client {
    Client::builder().no_proxy().build().expect("an HTTP client")
}

fn over_http2() -> Client {
    Client::builder().no_proxy().http2_prior_knowledge().build().expect("an HTTP client")
}

async fn register(http: &Client, to: SocketAddr, email: &str) -> Option<u16> {
    let body = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
    let sent = http.post(format!("http://{to}/users")).json(&body).send().await.ok()?;
    Some(sent.status().as_u16())
}

async fn log_in(http: &Client, to: SocketAddr, email: &str) -> u16 {
    let body = json!({"email": email, "password": PASSWORD});
    let sent = http.post(format!("http://{to}/login")).json(&body).send().await;
    sent.expect("an answer").status().as_u16()
}

async fn reaches(count: &AtomicUsize, goal: usize) {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while count.load(Ordering::SeqCst) < goal {
        looks.tick().await;
    }
}

/// Clients go on until the load balancer, which looks at the readiness, would send them elsewhere; what they have
/// sent until then is answered.
async fn sigterm_under_load_fails_no_request(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let mut process = Process::start(&store).await;
    let (public, ops) = (process.public, process.ops);
    assert_eq!(register(&over_http1(), public, "alice@example.com").await, Some(201));

    let (draining, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = JoinSet::new();
    for n in 0..4 {
        let (draining, answered) = (Arc::clone(&draining), Arc::clone(&answered));
        let http = if n % 2 == 0 { over_http1() } else { over_http2() };
        load.spawn(async move {
            while !draining.load(Ordering::SeqCst) {
                assert_eq!(log_in(&http, public, "alice@example.com").await, 200);
                let page = http.get(format!("http://{public}/.well-known/jwks.json")).send().await;
                assert_eq!(page.expect("an answer").status(), 200);
                answered.fetch_add(2, Ordering::SeqCst);
            }
        });
    }
    reaches(&answered, 20).await;
    process.signal(Signal::TERM);
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
    let ended = tokio::time::timeout(Duration::from_secs(30), process.child.wait()).await;
    let status = ended.expect("within 30 seconds").expect("an exit status");
    assert_eq!(status.code(), Some(0));
}

async fn sigkill_while_registering_loses_no_acknowledged_user(kind: StoreKind) {
    let store = TestStore::create(kind).await;
    let process = Process::start(&store).await;
    let public = process.public;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for client in 0..4 {
        let (http, total) = (over_http1(), Arc::clone(&acknowledged));
        clients.spawn(async move {
            let mut mine = Vec::new();
            for n in 0.. {
                let email = format!("user{client}.{n}@example.com");
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
    reaches(&acknowledged, 24).await;
    assert!(!process.end(Signal::KILL).await.success());
    let users: Vec<_> = clients.join_all().await.into_iter().flatten().collect();
    assert!(users.len() >= 24);

    let restarted = Process::start(&store).await;
    let http = over_http1();
    for user in &users {
        assert_eq!(log_in(&http, restarted.public, user).await, 200, "{user} was acknowledged");
    }
    assert_eq!(restarted.end(Signal::TERM).await.code(), Some(0));
}
