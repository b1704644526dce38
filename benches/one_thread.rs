//! A service and its client on one thread: what is counted or timed there is all that a request costs.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use vestibule_benches::load::request;
use vestibule_testkit::StoreKind;
use vestibule_testkit::app::{Scene, Setup, TestApp};

pub(crate) struct OneThread {
    pub(crate) runtime: Runtime,
    pub(crate) scene: Scene,
    /// Bare Axum.
    hello: SocketAddr,
}

/// Allocates nothing when it asks.
pub(crate) struct Connected {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl OneThread {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (scene, hello) = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let hello = listener.local_addr().expect("a bound socket");
            let routes = axum::Router::new().route("/hello", axum::routing::get(async || "hello"));
            tokio::spawn(async move { axum::serve(listener, routes).await });
            (Box::pin(TestApp::start(StoreKind::Sqlite, Setup::default())).await, hello)
        });
        Self { runtime, scene, hello }
    }

    pub(crate) fn me(&self) -> Connected {
        let bearer = format!("authorization: Bearer {}\r\n", self.scene.alice.access_token());
        self.connected(self.scene.app.address, request("GET", "/users/me", &bearer, ""))
    }

    pub(crate) fn hello(&self) -> Connected {
        self.connected(self.hello, request("GET", "/hello", "", ""))
    }

    /// And warm.
    fn connected(&self, address: SocketAddr, request: Vec<u8>) -> Connected {
        self.runtime.block_on(async {
            let stream = TcpStream::connect(address).await.expect("a service");
            stream.set_nodelay(true).expect("a socket");
            let mut connected = Connected { stream, request, answer: vec![0; 64 * 1024] };
            for _ in 0..100 {
                connected.ask().await;
            }
            connected
        })
    }
}

impl Connected {
    pub(crate) async fn ask(&mut self) {
        self.stream.write_all(&self.request).await.expect("a service");
        let n = self.stream.read(&mut self.answer).await.expect("an answer");
        let status = self.answer.get(9..12).filter(|_| n > 12);
        assert_eq!(status, Some(b"200".as_slice()), "not an answer in one piece");
    }
}
