//! Accepting connections, and ending in good order.
//!
//! `axum::serve` has no timers and waits for connections that never end; this has a deadline for everything a client
//! can be slow at: its headers, its body, reading the answer, and doing nothing.

mod activity;
mod connection;
mod exchange;
mod line_ends;
mod listener;
mod socket;
#[cfg(test)]
mod tests;
mod timed;
mod unread;

use crate::background::Background;
use crate::{AppState, Readiness, app, ops_app};
use connection::Connections;
use listener::Door;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Connections of the operators' listener.
const OPS_CONNECTIONS: usize = 256;
/// Clients that wait to be accepted at most, unless the kernel was told otherwise (`net.core.somaxconn`).
const QUEUE: usize = 4096;
/// How long connections that were told to break off may take to do so.
const BREAKING_OFF: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// Public connections at once; further clients wait to be accepted. Lowered to what the limit of open files
    /// (`RLIMIT_NOFILE`) leaves room for.
    pub max_connections: usize,
    /// How long to go on as before once told to stop, but not ready: a load balancer needs that long to notice.
    pub drain: Duration,
    /// How long running requests may take after that. Whatever is left then is broken off.
    pub finish: Duration,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self { max_connections: 10_000, drain: Duration::from_secs(5), finish: Duration::from_secs(20) }
    }
}

/// Serves until `shutdown`, and then only as long as it takes to leave nobody without an answer: not ready, then no
/// longer accepting, then gone. `force` breaks everything off at once.
///
/// # Errors
/// If a listener does not know its own address: it is none; or if the system gives no thread.
pub async fn serve(
    public: TcpListener,
    ops: Option<TcpListener>,
    state: AppState,
    settings: ServeSettings,
    shutdown: CancellationToken,
    force: CancellationToken,
) -> io::Result<()> {
    let mut doors = vec![Door {
        listener: public,
        app: app(state.clone()),
        most: listener::affordable(settings.max_connections, OPS_CONNECTIONS),
        queue: QUEUE,
    }];
    let ops_app = ops_app(state.clone());
    doors.extend(ops.map(|listener| Door { listener, app: ops_app, most: OPS_CONNECTIONS, queue: QUEUE }));
    for door in &doors {
        tracing::info!(address = %door.listener.local_addr()?, connections = door.most, "listening");
    }
    let background = Background::start(&state)?;
    run(doors, state.readiness.clone(), &settings, shutdown, force).await;
    background.stop().await;
    Ok(())
}

async fn run(
    doors: Vec<Door>,
    readiness: Readiness,
    settings: &ServeSettings,
    shutdown: CancellationToken,
    force: CancellationToken,
) {
    let connections = Arc::new(Connections::new(readiness.clone()));
    for door in doors {
        connections.spawn(door.keep_open(Arc::clone(&connections)));
    }
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = force.cancelled() => {}
    }
    readiness.drain();
    tracing::info!(drain = ?settings.drain, "shutting down: not ready any more");
    let _ = timeout(settings.drain, force.cancelled()).await;
    connections.stop();
    tracing::info!("no longer accepting");
    let finished = tokio::select! {
        done = timeout(settings.finish, connections.finished()) => done.is_ok(),
        () = force.cancelled() => false,
    };
    if !finished {
        tracing::warn!(open = connections.len(), "breaking off what is left");
        connections.break_off();
        let _ = timeout(BREAKING_OFF, connections.finished()).await;
    }
}
