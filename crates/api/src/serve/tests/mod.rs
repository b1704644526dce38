//! The accept loop, over real sockets.
//!
//! A paused clock leaps to the next timer whenever the server waits, even if only for a packet, so a test pauses it
//! where nothing but a deadline is left to happen.

mod deadlines;
mod framing;
mod http2;
mod pipelining;
mod shutdown;
mod socket;
mod unread;

use super::connection::Connections;
use super::listener::Door;
use super::{Readiness, ServeSettings, run};
use crate::App;
use crate::testing::state;
use bytes::Bytes;
use http::StatusCode;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What a busy machine may take before a test pauses the clock; less than any two deadlines are apart.
const SLACK: Duration = Duration::from_secs(2);

struct Served {
    address: SocketAddr,
    readiness: Readiness,
    shutdown: CancellationToken,
    force: CancellationToken,
    running: JoinHandle<()>,
    /// Lets `GET /slow` answer.
    slow: Arc<Notify>,
    /// Told when `/slow` or `/stuck` has begun, and has the body.
    begun: Arc<Notify>,
}

async fn serve_with(settings: ServeSettings) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (slow, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let app = app(Arc::clone(&slow), Arc::clone(&begun));
    let door = Door { listener, app, most: settings.max_connections, queue: 8 };
    let (shutdown, force) = (CancellationToken::new(), CancellationToken::new());
    let readiness = Readiness::default();
    let running = tokio::spawn({
        let (readiness, shutdown, force) = (readiness.clone(), shutdown.clone(), force.clone());
        async move { run(vec![door], readiness, &settings, shutdown, force).await }
    });
    Served { address, readiness, shutdown, force, running, slow, begun }
}

async fn serve() -> Served {
    serve_with(ServeSettings { drain: Duration::ZERO, ..ServeSettings::default() }).await
}

fn app(slow: Arc<Notify>, begun: Arc<Notify>) -> App {
    let also_begun = Arc::clone(&begun);
    let slow = move || async move {
        begun.notify_one();
        slow.notified().await;
        "done"
    };
    let stuck = move || async move {
        also_begun.notify_one();
        pending::<StatusCode>().await
    };
    let endpoints = crate::routes::routes()
        .at("GET", "/", async || "hello")
        .at("GET", "/slow", slow)
        .at("GET", "/heads", async || Bytes::from("HTTP/1.1".repeat(4 << 20)))
        .at("GET", "/large", async || Bytes::from(vec![b'x'; 64 << 20]))
        .at("POST", "/body", async |body: Bytes| body.len().to_string())
        .at("GET", "/stuck", stuck.clone())
        .at("POST", "/stuck", async move |_: Bytes| stuck().await);
    App::new(endpoints, state())
}

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.address).await.unwrap()
}

async fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Everything until the connection ends, however it ends.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

/// One answer with a body that ends in `end`.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1, "the connection ended after {text:?}");
        text.push(char::from(byte[0]));
    }
    text
}

/// As many are in memory as clients are connected.
#[tokio::test]
async fn a_connection_takes_little_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, accepted) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let (stream, peer) = accepted.unwrap();
    let bytes = size_of_val(&Connections::new(Readiness::default()).serve(stream, peer, crate::app(state())));
    assert!(bytes <= 1024, "{bytes} beside {client:?}");
}
