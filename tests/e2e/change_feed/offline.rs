//! The service of `docs/checking-tokens.md`, which checks tokens without asking anyone for each.

use super::offline_service::{Gate, serve};
use super::until;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::RwLock;
use vestibule_domain::Clock;
use vestibule_testkit::app::{ALICE, Client, PASSWORD, PUBLIC_URL, Scene, TestApp};
use vestibule_testkit::scenes;

scenes!(
    an_ended_session_is_refused_within_a_second,
    who_is_gone_is_refused_within_a_second,
    who_hears_nothing_lets_nobody_in
);

/// Tokens of now: the service of the documentation has no clock that a test could move.
fn set_clock(app: &TestApp) {
    #[expect(clippy::disallowed_methods, reason = "the service of the documentation reads the system's clock")]
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let start = u64::try_from(app.clock().now().as_millis()).expect("after 1970");
    app.clock().advance(now.checked_sub(Duration::from_millis(start)).expect("the clocks of tests begin earlier"));
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("an HTTP client")
}

/// The service, at this address.
async fn start(vestibule: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let (vestibule, issuer) = (format!("http://{vestibule}"), PUBLIC_URL.to_owned());
    tokio::spawn(serve(listener, Arc::new(Gate { vestibule, issuer, http: http(), known: RwLock::default() })));
    address
}

async fn status(service: SocketAddr, token: &str) -> u16 {
    let response = http().get(format!("http://{service}/")).bearer_auth(token).send().await.expect("an answer");
    response.status().as_u16()
}

async fn admits(service: SocketAddr, client: &Client) -> bool {
    status(service, client.access_token()).await == 200
}

/// Once it has heard of the service for the first time.
async fn ready(service: SocketAddr, client: &Client) {
    let began = Instant::now();
    while !admits(service, client).await {
        assert!(began.elapsed() < Duration::from_secs(10), "it never began");
    }
}

async fn an_ended_session_is_refused_within_a_second(Scene { app, anonymous, .. }: &Scene) {
    set_clock(app);
    let replica = app.replica().await;
    let (here, there) = (start(app.address).await, start(replica.address).await);
    let [first, second] = [anonymous.log_in(ALICE, PASSWORD).await, anonymous.log_in(ALICE, PASSWORD).await];
    for service in [here, there] {
        ready(service, &first).await;
        assert!(admits(service, &second).await);
        for bad in ["", "nonsense", &first.access_token().replace("ey", "ez"), first.refresh_token()] {
            assert_eq!(status(service, bad).await, 401, "{bad}");
        }
    }
    assert_eq!(first.post("/logout", json!({})).await.status, 204);
    until(async || !admits(here, &first).await && !admits(there, &first).await).await;
    assert!(admits(here, &second).await && admits(there, &second).await);
    // One that starts only now knows as well.
    let late = start(app.address).await;
    ready(late, &second).await;
    assert!(!admits(late, &first).await);
    replica.stop().await;
}

async fn who_is_gone_is_refused_within_a_second(Scene { app, anonymous, .. }: &Scene) {
    set_clock(app);
    let alice = anonymous.log_in(ALICE, PASSWORD).await;
    let service = start(app.address).await;
    ready(service, &alice).await;
    assert_eq!(alice.delete("/users/me").await.status, 204);
    until(async || !admits(service, &alice).await).await;
}

async fn who_hears_nothing_lets_nobody_in(Scene { app, anonymous, .. }: &Scene) {
    set_clock(app);
    let alice = anonymous.log_in(ALICE, PASSWORD).await;
    // The operators' listener has no such paths.
    assert!(!admits(start(app.ops_address).await, &alice).await);
}

#[test]
fn the_documentation_shows_the_service_that_is_tested() {
    let documentation = include_str!("../../../docs/checking-tokens.md");
    let shown = documentation.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(shown, Some(include_str!("offline_service.rs")));
}
