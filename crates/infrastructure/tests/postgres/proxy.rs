//! A way to the server that can be made to swallow everything, as a firewall or a dead host does, and that counts what
//! the server is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) struct Proxy {
    pub(crate) port: u16,
    silent: Arc<watch::Sender<bool>>,
    asked: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn to(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let silent = Arc::new(watch::Sender::new(false));
        let asked = Arc::<AtomicUsize>::default();
        let (target, flag, count) = ((host.to_owned(), port), Arc::clone(&silent), Arc::clone(&asked));
        let proxy = Self { port: listener.local_addr().expect("an address").port(), silent, asked };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(target.clone()).await.expect("the server answers");
                let (client_read, client_write) = client.into_split();
                let (server_read, server_write) = server.into_split();
                let count = Arc::clone(&count);
                let count = move || {
                    count.fetch_add(1, Ordering::SeqCst);
                };
                tokio::spawn(forward(client_read, server_write, flag.subscribe(), count));
                tokio::spawn(forward(server_read, client_write, flag.subscribe(), || ()));
            }
        });
        proxy
    }

    /// How often the server was asked for something, by whoever waits for each answer.
    pub(crate) fn round_trips(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Connections that are open when it begins never hear anything again.
    pub(crate) fn set_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }
}

async fn forward(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut silent: watch::Receiver<bool>,
    passes: impl Fn(),
) {
    let mut buffer = [0; 4096];
    loop {
        tokio::select! {
            biased;
            () = begins(&mut silent) => std::future::pending().await,
            read = from.read(&mut buffer) => match read {
                Ok(n @ 1..) => {
                    passes();
                    if to.write_all(&buffer[..n]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}

async fn begins(silent: &mut watch::Receiver<bool>) {
    let _ = silent.wait_for(|silent| *silent).await;
}
