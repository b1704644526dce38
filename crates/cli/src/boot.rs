//! From a wired service to one that serves: the schema, the keys, the listeners.

use crate::config::Config;
use crate::failure::{Failure, with_causes};
use crate::process::Shutdown;
use crate::wire::Wired;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval, timeout};
use vestibule_api::serve::{ServeSettings, serve};
use vestibule_api::{AppState, HttpSettings};

/// What to do about steps that the schema lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Migrations {
    Apply,
    /// Leave that to `vestibule migrate`, and do not serve before.
    Refuse,
}

/// How long the start waits for the store before it serves what needs none.
const FIRST_LOOK: Duration = Duration::from_millis(500);
const NEXT_LOOK: Duration = Duration::from_millis(500);
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
    let Some(is_prepared) = shutdown.graceful.run_until_cancelled(first_look(wired, migrations)).await else {
        close(wired).await;
        return Ok(());
    };
    let is_prepared = is_prepared?;
    tracing::info!(
        listen = %listeners.public_address()?,
        ops_listen = listeners.ops_address()?.map(tracing::field::display),
        "serving"
    );
    let state = AppState::new(wired.services.clone(), http_settings(config));
    let serving =
        serve(listeners.public, listeners.ops, state, settings, shutdown.graceful.clone(), shutdown.force.clone());
    let (served, prepared) = tokio::join!(
        async {
            let served = serving.await;
            // Whatever ended it, nobody needs the store any more.
            shutdown.graceful.cancel();
            served
        },
        async { if is_prepared { Ok(()) } else { prepare_when_up(wired, migrations, &shutdown).await } },
    );
    close(wired).await;
    prepared?;
    Ok(served?)
}

/// What is acknowledged is on disk already: closing only tidies up.
async fn close(wired: &Wired) {
    let _ = timeout(CLOSING, wired.database.close()).await;
}

/// `false` if the store cannot be reached, or takes its time to say so.
async fn first_look(wired: &Wired, migrations: Migrations) -> Result<bool, Failure> {
    match timeout(FIRST_LOOK, wired.services.ports.store.check()).await {
        Ok(Ok(_)) => attempt(wired, migrations).await,
        Ok(Err(error)) => {
            tracing::warn!(error = with_causes(&error), "the store fails its first look");
            Ok(false)
        }
        Err(_) => Ok(false),
    }
}

async fn prepare_when_up(wired: &Wired, migrations: Migrations, shutdown: &Shutdown) -> Result<(), Failure> {
    tracing::warn!("the store cannot be reached: answering 503 until it can");
    let mut looks = interval(NEXT_LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let look = async {
            looks.tick().await;
            attempt(wired, migrations).await
        };
        match shutdown.graceful.run_until_cancelled(look).await {
            None => return Ok(()),
            Some(Ok(true)) => {
                tracing::info!("the store is there");
                return Ok(());
            }
            Some(Ok(false)) => {}
            Some(Err(failure)) => {
                // There is nothing to finish: nobody could be served.
                shutdown.graceful.cancel();
                shutdown.force.cancel();
                return Err(failure);
            }
        }
    }
}

/// `false` if the store cannot be reached.
async fn attempt(wired: &Wired, migrations: Migrations) -> Result<bool, Failure> {
    match prepare(wired, migrations).await {
        Ok(()) => Ok(true),
        Err(failure) if failure.is_outage() => {
            tracing::debug!(error = with_causes(&failure), "the store cannot be reached");
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

/// Sees to it that the schema is this version's and that there is a key to sign with.
pub(crate) async fn prepare(wired: &Wired, migrations: Migrations) -> Result<(), Failure> {
    let pending = wired.services.ports.store.check().await?.pending_migrations;
    match migrations {
        _ if pending == 0 => {}
        Migrations::Apply => {
            wired.database.migrate().await?;
            tracing::info!(steps = pending, "migrated");
        }
        Migrations::Refuse => return Err(Failure::refused(pending_steps(pending))),
    }
    Ok(wired.services.keys.ensure().await?)
}

/// What is wrong with so many steps pending, and what to do.
pub(crate) fn pending_steps(pending: usize) -> String {
    let steps = if pending == 1 { "step is" } else { "steps are" };
    format!(
        "the database lacks what this version needs: {pending} migration {steps} pending\n  \
         apply with `vestibule migrate`, or start with `vestibule serve --migrate`"
    )
}

fn http_settings(config: &Config) -> HttpSettings {
    let http = &config.http;
    HttpSettings {
        public_url: http.public_url.as_str().to_owned(),
        trusted_proxies: http.trusted_proxies.clone(),
        forwarded_header: http.forwarded_header.clone(),
        // An origin is ASCII without controls: each is a valid value.
        cors_origins: http.cors_origins.iter().filter_map(|origin| origin.as_str().parse().ok()).collect(),
    }
}
