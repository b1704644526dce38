//! Accepting connections.

use super::connection::Connections;
use crate::App;
use rustix::process::{Resource, getrlimit};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// Files that are no connections of clients: the store's, logs, libraries.
const OTHER_FILES: usize = 128;
/// How long to wait when the process is out of files or memory: trying at once would only burn the processor.
const BACK_OFF: Duration = Duration::from_millis(200);

/// How many of `wanted` connections the limit of open files has room for, beside `others`.
pub(super) fn affordable(wanted: usize, others: usize) -> usize {
    let limit =
        getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    // Under a very low limit the clients still get their share.
    let room = limit.saturating_sub(others + OTHER_FILES).max(limit / 4);
    if room < wanted {
        tracing::warn!(limit, connections = room, "the limit of open files allows fewer connections than configured");
    }
    wanted.min(room)
}

/// A listener and what is behind it.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) app: App,
    /// Connections at once; further clients wait in the kernel's queue.
    pub(super) most: usize,
    /// Clients that can wait there.
    pub(super) queue: usize,
}

/// A client with a place of its own.
type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

impl Door {
    /// Until the service stops.
    pub(super) async fn keep_open(self, connections: Arc<Connections>) {
        let slots = Arc::new(Semaphore::new(self.most));
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&slots) => accepted,
                () = connections.stopped() => break,
            };
            match accepted {
                Ok(accepted) => let_in(accepted, &self.app, &connections),
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections");
                    sleep(BACK_OFF).await;
                }
            }
        }
        if let Err(error) = self.empty_queue(&slots, &connections).await {
            tracing::warn!(%error, "clients that were waiting to be accepted are lost");
        }
    }

    /// The next client that is still there when its turn comes.
    async fn accept(&self, slots: &Arc<Semaphore>) -> io::Result<Accepted> {
        let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return Ok((stream, peer, slot)),
                Err(error) if is_of_one_client(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes everybody out of the kernel's queue: they believe to be connected, and would be reset with the listener.
    /// Not those who come later: they could hold up the end for as long as they like.
    async fn empty_queue(self, slots: &Arc<Semaphore>, connections: &Arc<Connections>) -> io::Result<()> {
        // The kernel knows who is there; the runtime learns it only later.
        let listener = self.listener.into_std()?;
        for _ in 0..self.queue {
            let (stream, peer) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if is_of_one_client(&error) => continue,
                Err(error) => return Err(error),
            };
            stream.set_nonblocking(true)?;
            let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
            let_in((TcpStream::from_std(stream)?, peer, slot), &self.app, connections);
        }
        Ok(())
    }
}

fn let_in((stream, peer, slot): Accepted, app: &App, connections: &Arc<Connections>) {
    // Answers are written whole: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let (app, each) = (app.clone(), Arc::clone(connections));
    connections.spawn(async move {
        each.serve(stream, peer, app).await;
        drop(slot);
    });
}

/// The client went before it was accepted (accept(2)): no reason to keep the next one waiting.
fn is_of_one_client(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
