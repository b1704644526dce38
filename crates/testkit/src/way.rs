//! A way to a server, on which a test lets happen what happens to networks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    Flowing,
    /// Whatever is sent arrives so much later.
    Late(Duration),
    /// Nothing arrives any more, as behind a firewall or a dead host. Nor does it later on connections that had it so.
    Swallowed,
    /// Connections are closed, the open ones and every new one.
    HungUp,
    /// The server does what it is told, but what it says to `COMMIT` is lost with the connection.
    LosingCommits,
}

/// Refuses connections, though nobody else can take its port, until it is opened.
#[derive(Debug)]
pub struct Way {
    socket: Option<TcpSocket>,
    server: String,
    url: String,
    traffic: Arc<watch::Sender<Traffic>>,
}

impl Way {
    /// To the server in a URL of the form `scheme://credentials@host:port/path`.
    pub fn closed(url: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let (credentials, rest) = url.rsplit_once('@').expect("credentials");
        let (server, path) = rest.split_once('/').expect("a path");
        let url = format!("{credentials}@{}/{path}", socket.local_addr().expect("an address"));
        let traffic = Arc::new(watch::Sender::new(Traffic::Flowing));
        Self { socket: Some(socket), server: server.to_owned(), url, traffic }
    }

    pub fn opened(url: &str) -> Self {
        let mut way = Self::closed(url);
        way.open();
        way
    }

    /// The same URL by this way.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn open(&mut self) {
        let listener = self.socket.take().expect("closed").listen(64).expect("a listener");
        let (server, traffic) = (self.server.clone(), Arc::clone(&self.traffic));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server answers");
                tokio::spawn(carry(client, server, traffic.subscribe()));
            }
        });
    }

    pub fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
    }
}

/// Until either end closes.
async fn carry(client: TcpStream, server: TcpStream, mut traffic: watch::Receiver<Traffic>) {
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let committed = AtomicBool::new(false);
    let asked = pass(from_client, to_server, traffic.clone(), |bytes, traffic| {
        if traffic == Traffic::LosingCommits && bytes.windows(6).any(|word| word == b"COMMIT") {
            committed.store(true, Ordering::SeqCst);
        }
        true
    });
    let answered = pass(from_server, to_client, traffic.clone(), |_, _| !committed.load(Ordering::SeqCst));
    tokio::select! {
        () = asked => {}
        () = answered => {}
        _ = traffic.wait_for(|traffic| *traffic == Traffic::HungUp) => {}
    }
}

/// As long as `lets` them through.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut traffic: watch::Receiver<Traffic>,
    lets: impl Fn(&[u8], Traffic) -> bool,
) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let now = *traffic.borrow_and_update();
        match now {
            Traffic::Swallowed => std::future::pending().await,
            // What is late arrives at once when the trouble is over.
            Traffic::Late(delay) => drop(tokio::time::timeout(delay, traffic.changed()).await),
            _ => {}
        }
        if !lets(&buffer[..read], now) || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
