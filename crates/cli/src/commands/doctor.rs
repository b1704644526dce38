//! `vestibule doctor`: what is in order, what is not, and what to do about it.

use super::healthcheck::{reachable, status};
use crate::config::{Config, Inputs, StoreUrl};
use crate::failure::{Failure, with_causes};
use crate::master_key;
use crate::output;
use crate::wire::{Purpose, Wired, breach_filter, wire};
use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;
use vestibule_domain::token::KeyState;
use vestibule_infrastructure::crypto::Peppers;

/// A store that takes longer to say how it is is not well.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether anything was found that is wrong. Each finding is printed as it is made.
#[derive(Default)]
struct Findings {
    failed: bool,
}

impl Findings {
    fn bad(&mut self, what: impl Display, remedy: impl Display) -> io::Result<()> {
        self.failed = true;
        output::line(format_args!("✗ {what}\n    {remedy}"))
    }
}

fn good(what: impl Display) -> io::Result<()> {
    output::line(format_args!("✓ {what}"))
}

/// Not wrong, but to be known.
fn notable(what: impl Display) -> io::Result<()> {
    output::line(format_args!("! {what}"))
}

pub(super) async fn run(inputs: &Inputs) -> Result<(), Failure> {
    let mut findings = Findings::default();
    match Config::load(inputs) {
        Ok(config) => examine(config, &mut findings).await?,
        Err(faults) => findings.bad(faults, "put them right, and look again with `vestibule config check`")?,
    }
    if findings.failed { Err(Failure::Told) } else { Ok(()) }
}

async fn examine(mut config: Config, findings: &mut Findings) -> Result<(), Failure> {
    good("configuration: in order")?;
    for warning in &config.warnings {
        notable(warning)?;
    }
    port("http.listen", config.http.listen, findings)?;
    if let Some(address) = config.http.ops_listen {
        port("http.ops_listen", address, findings)?;
    }
    match breach_filter(&config, true) {
        Ok(None) => {}
        Ok(Some(filter)) => good(format_args!("passwords.breach_filter: in order, knows {}", filter.keys()))?,
        Err(error) => return Ok(findings.bad(with_causes(&error), "build or copy it again, or leave it out")?),
    }
    peppers(&config.passwords.peppers)?;
    if files(&config, findings)? {
        match wire(&mut config, Purpose::Command).await {
            Ok(wired) => {
                store(&wired, findings).await?;
                wired.database.close().await;
            }
            Err(error) => findings.bad(format_args!("store: {}", with_causes(&error)), "see above")?,
        }
    }
    Ok(())
}

/// Which hashes name is seen when they are checked: looking at all of them would take too long.
fn peppers(peppers: &Peppers) -> io::Result<()> {
    let known: Vec<_> = peppers.ids().collect();
    if known.is_empty() {
        return Ok(());
    }
    let (current, known) = (peppers.current_id().unwrap_or("none"), known.join(", "));
    good(format_args!(
        "passwords.peppers: new hashes have {current}; known are {known}, hashes with others do not verify"
    ))
}

/// Free, or taken by a service that answers.
fn port(key: &str, address: SocketAddr, findings: &mut Findings) -> Result<(), Failure> {
    match TcpListener::bind(address) {
        Ok(_) => good(format_args!("{key}: {address} is free"))?,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match status(reachable(address), "/health/live") {
            Ok(200) => good(format_args!("{key}: a service answers on {address}"))?,
            _ => findings.bad(
                format_args!("{key}: {address} is in use by something else"),
                format_args!("stop that, or set {key} to another port"),
            )?,
        },
        Err(error) => findings.bad(
            format_args!("{key}: cannot listen on {address}: {error}"),
            format_args!("set {key} to an address of this machine and a port above 1023"),
        )?,
    }
    Ok(())
}

/// What lies on the disk with SQLite. Whether it makes sense to look into the store.
fn files(config: &Config, findings: &mut Findings) -> Result<bool, Failure> {
    let StoreUrl::Sqlite(path) = &config.store.url else {
        return Ok(true);
    };
    if !path.exists() {
        findings.bad(format_args!("store: there is no {}", path.display()), "make it with `vestibule migrate`")?;
        return Ok(false);
    }
    let key = master_key::path_beside(path);
    if config.tokens.master_key.is_none() && !key.exists() {
        findings.bad(
            format_args!("master key: there is no {}", key.display()),
            "put it back from where it is kept: without it the keys in the database do not open",
        )?;
        return Ok(false);
    }
    let exposed: Vec<_> = companions(path).into_iter().chain([key]).filter_map(|path| exposed_mode(&path)).collect();
    for (path, mode) in &exposed {
        findings.bad(
            format_args!("files: others can use {} (mode {mode:o})", path.display()),
            format_args!("run `chmod 600 {}`", path.display()),
        )?;
    }
    if exposed.is_empty() {
        good("files: for their owner only")?;
    }
    Ok(true)
}

/// The database and what SQLite keeps beside it.
fn companions(path: &Path) -> Vec<PathBuf> {
    ["", "-wal", "-shm"].iter().map(|suffix| PathBuf::from(format!("{}{suffix}", path.display()))).collect()
}

fn exposed_mode(path: &Path) -> Option<(PathBuf, u32)> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| (path.to_owned(), mode))
}

async fn store(wired: &Wired, findings: &mut Findings) -> Result<(), Failure> {
    let remedy = "see whether the database runs, whether store.url is right, and whether this machine may connect";
    match timeout(PATIENCE, wired.services.ports.store.check()).await {
        Ok(Ok(health)) if health.pending_migrations == 0 => good("store: reachable, with the right schema")?,
        Ok(Ok(health)) => {
            let pending = health.pending_migrations;
            let what = format!("store: reachable, migration steps pending: {pending}");
            return Ok(findings.bad(what, "apply them with `vestibule migrate`")?);
        }
        Ok(Err(error)) => return Ok(findings.bad(format_args!("store: {}", with_causes(&error)), remedy)?),
        Err(_) => return Ok(findings.bad("store: no answer within 5 s", remedy)?),
    }
    keys(wired, findings).await?;
    if !wired.services.ports.store.has_administrator().await? {
        notable("users: nobody is an administrator; `vestibule users create EMAIL --role admin` makes one")?;
    }
    Ok(())
}

async fn keys(wired: &Wired, findings: &mut Findings) -> Result<(), Failure> {
    if let Err(error) = wired.services.keys.reload().await {
        let remedy = "set tokens.master_key (or put back master.key) as it was when the keys were made";
        return Ok(findings.bad(format_args!("keys: {}", with_causes(&error)), remedy)?);
    }
    let keys = wired.services.keys.list().await?;
    if keys.iter().any(|(_, state)| *state == KeyState::Active) {
        good("keys: one signs, and all open with the master key")?;
    } else {
        notable("keys: none signs; the next start of the service makes one, unless HS256 is used")?;
    }
    Ok(())
}
