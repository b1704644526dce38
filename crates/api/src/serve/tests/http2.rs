//! Clients that speak HTTP/2.

use super::{SLACK, Served, connect, serve};
use axum::body::{Body, to_bytes};
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, pause, timeout};

struct Client {
    requests: SendRequest<Body>,
    /// Which also answers pings.
    connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn connect(served: &Served) -> Self {
        let (requests, connection) =
            handshake(TokioExecutor::new(), TokioIo::new(connect(served).await)).await.unwrap();
        Self { requests, connection: tokio::spawn(connection) }
    }

    async fn get(&mut self, served: &Served, path: &str) -> Response<Incoming> {
        let url = format!("http://{}{path}", served.address);
        self.requests.send_request(Request::get(url).body(Body::empty()).unwrap()).await.unwrap()
    }

    /// How long the server goes on with it if nothing but a deadline can end that.
    async fn lasts(self) -> Duration {
        let began = Instant::now();
        pause();
        let ended = timeout(Duration::from_mins(10), self.connection).await;
        assert!(ended.is_ok(), "it never ended");
        began.elapsed()
    }
}

#[tokio::test]
async fn http2_is_spoken_to_whoever_begins_with_it() {
    let served = serve().await;
    let mut client = Client::connect(&served).await;
    let answers = [client.get(&served, "/").await, client.get(&served, "/").await];
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::OK));
    assert!(answers.iter().all(|answer| answer.version() == Version::HTTP_2));
    served.shutdown.cancel();
    served.running.await.unwrap();
    assert!(client.connection.await.unwrap().is_ok(), "told to go away, not cut off");
}

/// A window that is full stops an answer without stopping the socket, on which pings are answered.
#[tokio::test]
async fn an_answer_that_a_client_does_not_take_keeps_no_connection() {
    let served = serve().await;
    let mut client = Client::connect(&served).await;
    let untaken = client.get(&served, "/large").await;
    let lasts = client.lasts().await;
    assert!(lasts <= Duration::from_secs(75) + SLACK, "{lasts:?}");
    drop(untaken);
}

#[tokio::test]
async fn pings_keep_no_idle_connection() {
    let served = serve().await;
    let mut client = Client::connect(&served).await;
    let answer = client.get(&served, "/").await;
    assert_eq!(to_bytes(Body::new(answer.into_body()), 8).await.unwrap(), "hello");
    let lasts = client.lasts().await;
    assert!(lasts <= Duration::from_secs(75) + SLACK, "{lasts:?}");
}
