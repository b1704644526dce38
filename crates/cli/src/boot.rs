//! From a wired service to one that serves.

use crate::config::Config;
use crate::failure::Failure;
use crate::prepare::{Migrations, first_look, prepare_when_up};
use crate::process::{self, Shutdown};
use crate::wire::Wired;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;
use vestibule_api::serve::{ServeSettings, serve};
use vestibule_api::{AppState, HttpSettings};

const CLOSING: Duration = Duration::from_secs(2);

pub(crate) struct Listeners {
    public: TcpListener,
    ops: Option<TcpListener>,
}

impl Listeners {
    pub(crate) async fn bind(config: &Config) -> Result<Self, Failure> {
        let public = listen("http.listen", "--listen", config.http.listen).await?;
        let ops = match config.http.ops_listen {
            Some(address) => Some(listen("http.ops_listen", "--ops-listen", address).await?),
            None => None,
        };
        Ok(Self { public, ops })
    }

    pub(crate) fn public_address(&self) -> io::Result<SocketAddr> {
        self.public.local_addr()
    }

    pub(crate) fn ops_address(&self) -> io::Result<Option<SocketAddr>> {
        self.ops.as_ref().map(TcpListener::local_addr).transpose()
    }
}

async fn listen(key: &str, flag: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => format!("{address} is in use by another process"),
            _ => format!("cannot listen on {address}: {error}"),
        };
        let other = SocketAddr::new(address.ip(), address.port().wrapping_add(1).max(1024));
        Failure::refused(format!("{why}\n  choose another address with `{flag} {other}` or {key}"))
    })
}

/// Serves until it is told to end. Comes up while the store is down, and looks for the store until it is there. Told to
/// end before it serves, it leaves a migration that is under way to be rolled back.
pub(crate) async fn run(
    config: &Config,
    wired: &Wired,
    listeners: Listeners,
    migrations: Migrations,
    settings: ServeSettings,
    shutdown: Shutdown,
) -> Result<(), Failure> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let Some(looked) = shutdown.graceful.run_until_cancelled(first_look(wired, migrations)).await else {
        close(wired).await;
        return Ok(());
    };
    let outage = looked?;
    tracing::info!(
        listen = %listeners.public_address()?,
        ops_listen = listeners.ops_address()?.map(tracing::field::display),
        "serving"
    );
    let state = AppState::new(wired.services.clone(), http_settings(config));
    let serving =
        serve(listeners.public, listeners.ops, state, settings, shutdown.graceful.clone(), shutdown.force.clone());
    let (served, prepared, _) = tokio::join!(
        async {
            let served = serving.await;
            // Whatever ended it, nobody needs the store any more.
            shutdown.graceful.cancel();
            served
        },
        async {
            match outage {
                Some(outage) => prepare_when_up(wired, migrations, &outage, &shutdown).await,
                None => Ok(()),
            }
        },
        // On the thread that waits for all this, where it keeps no request waiting.
        shutdown.graceful.run_until_cancelled(process::give_memory_back(async || wired.database.forget().await)),
    );
    close(wired).await;
    prepared?;
    Ok(served?)
}

/// What is acknowledged is on disk already: closing only tidies up.
async fn close(wired: &Wired) {
    let _ = timeout(CLOSING, wired.database.close()).await;
}

fn http_settings(config: &Config) -> HttpSettings {
    let http = &config.http;
    HttpSettings {
        public_url: http.public_url.as_str().to_owned(),
        trusted_proxies: http.trusted_proxies.clone(),
        forwarded_header: http.forwarded_header.clone(),
        // An origin is ASCII without controls: each is a valid value.
        cors_origins: http.cors_origins.iter().filter_map(|origin| origin.as_str().parse().ok()).collect(),
        hsts: http.hsts,
    }
}
