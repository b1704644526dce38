//! From the configuration to the use cases, by way of the adapters.

use crate::config::{Config, StoreUrl};
use crate::database::Database;
use crate::master_key::{self, MasterKeyFileError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vestibule_domain::credential::PasswordSettings;
use vestibule_domain::session::SessionSettings;
use vestibule_domain::throttle::{Lockout, Spread, ThrottleSettings};
use vestibule_domain::token::KeyError;
use vestibule_domain::{Clock, Ports, Rng, Services, Settings, Store, StoreError};
use vestibule_infrastructure::breach::{FilterError, FilterFile, KnownPasswords};
use vestibule_infrastructure::crypto::{
    AeadSealer, Argon2Cost, Argon2Error, Argon2Hasher, Argon2Settings, HmacKeyedHash, HmacSecret, JwsCodec,
    JwsSettings, KeyForge, MasterKey, Peppers,
};
use vestibule_infrastructure::postgres::{PgSettings, PgStore};
use vestibule_infrastructure::system::{SystemClock, SystemRng};
use vestibule_sqlite::{Access, OpenError, SqliteStore};

/// What the process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The one process that serves a SQLite file.
    Serve,
    /// Does one thing, perhaps beside a process that serves.
    Command,
}

/// The use cases, and the database beneath them.
pub(crate) struct Wired {
    pub(crate) services: Services,
    pub(crate) database: Arc<dyn Database>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error(transparent)]
    Sqlite(#[from] OpenError),
    #[error("store.url cannot be used")]
    Postgres(#[source] StoreError),
    #[error(transparent)]
    MasterKey(#[from] MasterKeyFileError),
    #[error("tokens.master_key is not set")]
    NoMasterKey,
    #[error("the master key cannot be used")]
    Key(#[from] KeyError),
    #[error("passwords.breach_filter: {}", path.display())]
    BreachFilter { path: PathBuf, source: FilterError },
    #[error("the filter of common passwords in this binary")]
    CommonPasswords(#[source] FilterError),
    #[error("password hashing cannot start")]
    Hashing(#[from] Argon2Error),
}

/// A store of either kind.
struct OpenStore {
    store: Arc<dyn Store>,
    database: Arc<dyn Database>,
}

impl OpenStore {
    fn new<S: Store + Database + 'static>(store: S) -> Self {
        let store = Arc::new(store);
        Self { store: Arc::<S>::clone(&store), database: store }
    }
}

/// Opens the store and puts everything together. With PostgreSQL it succeeds while the server is down.
pub(crate) async fn wire(config: &mut Config, purpose: Purpose) -> Result<Wired, WireError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let secrets = config.take_secrets();
    let breached = known_passwords(config, purpose)?;
    let opened = open_store(config, purpose).await?;
    let master_key = master_key(config, secrets.master_key, &*rng)?;
    let keyed_hash = Arc::new(HmacKeyedHash::derive(&master_key)?);
    let forge = Arc::new(KeyForge::new(master_key));
    let codec = JwsCodec::new(jws_settings(config, secrets.hmac), Arc::clone(&forge), Arc::clone(&clock));
    let hashing = argon2_settings(config, secrets.peppers, purpose);
    let ports = Ports {
        store: opened.store,
        hasher: Arc::new(Argon2Hasher::start(hashing, Arc::clone(&rng))?),
        breached: Arc::new(breached),
        codec: Arc::new(codec),
        sealer: Arc::new(AeadSealer),
        key_generator: forge,
        keyed_hash,
        snapshots: Arc::default(),
        drift: Arc::default(),
        tally: Arc::default(),
        clock,
        rng,
    };
    Ok(Wired { services: Services::new(ports, settings(config)), database: opened.database })
}

/// A command, which asks once, does not read the whole file to find out whether it was damaged.
fn known_passwords(config: &Config, purpose: Purpose) -> Result<KnownPasswords, WireError> {
    let known = KnownPasswords::shipped().map_err(WireError::CommonPasswords)?;
    Ok(match breach_filter(config, purpose == Purpose::Serve)? {
        Some(filter) => known.and(filter),
        None => known,
    })
}

/// The one that the configuration names.
pub(crate) fn breach_filter(config: &Config, verified: bool) -> Result<Option<FilterFile>, WireError> {
    let Some(path) = &config.passwords.breach_filter else { return Ok(None) };
    let open = || {
        let filter = FilterFile::open(path)?;
        if verified {
            filter.verify()?;
        }
        Ok(filter)
    };
    open().map(Some).map_err(|source| WireError::BreachFilter { path: path.clone(), source })
}

async fn open_store(config: &Config, purpose: Purpose) -> Result<OpenStore, WireError> {
    match &config.store.url {
        StoreUrl::Sqlite(path) => open_sqlite(path, purpose).await,
        StoreUrl::Postgres(url) => {
            let settings = PgSettings { url: url.reveal().to_owned(), max_connections: config.store.max_connections };
            PgStore::connect(&settings).map(OpenStore::new).map_err(WireError::Postgres)
        }
    }
}

async fn open_sqlite(path: &Path, purpose: Purpose) -> Result<OpenStore, WireError> {
    let access = match purpose {
        Purpose::Serve => Access::Serve,
        Purpose::Command => Access::Command,
    };
    Ok(OpenStore::new(SqliteStore::open(path, access).await?))
}

/// The configured one; with SQLite else the one beside the database, made with the first use.
fn master_key(config: &Config, configured: Option<MasterKey>, rng: &dyn Rng) -> Result<MasterKey, WireError> {
    match (configured, &config.store.url) {
        (Some(key), _) => Ok(key),
        (None, StoreUrl::Sqlite(path)) => Ok(master_key::read_or_make(&master_key::path_beside(path), rng)?),
        (None, StoreUrl::Postgres(_)) => Err(WireError::NoMasterKey),
    }
}

fn jws_settings(config: &Config, secret: Option<HmacSecret>) -> JwsSettings {
    JwsSettings {
        algorithm: config.tokens.algorithm,
        issuer: config.issuer(),
        audience: config.tokens.audience.clone(),
        secret,
    }
}

/// A command hashes one password at most.
fn argon2_settings(config: &Config, peppers: Peppers, purpose: Purpose) -> Argon2Settings {
    let passwords = &config.passwords;
    Argon2Settings {
        hashing: passwords.hashing,
        cost: cost(config),
        peppers,
        threads: if purpose == Purpose::Serve { passwords.hash_threads } else { 1 },
        queue_wait: passwords.queue_wait,
    }
}

/// Of new hashes.
pub(crate) fn cost(config: &Config) -> Argon2Cost {
    let passwords = &config.passwords;
    Argon2Cost {
        memory_kib: passwords.memory_kib,
        iterations: passwords.iterations,
        parallelism: passwords.parallelism,
    }
}

fn limits(config: &Config) -> ThrottleSettings {
    let limits = &config.limits;
    ThrottleSettings {
        enabled: limits.enabled,
        login: limits.login,
        spread: Spread { most: limits.accounts },
        account: Lockout { free: limits.free_failures, most: limits.most_failures },
        device: limits.device,
        devices: limits.devices,
        registration: limits.registration,
        idempotency: limits.idempotency,
        taken: limits.taken,
        refresh: limits.refresh,
    }
}

fn settings(config: &Config) -> Settings {
    let tokens = &config.tokens;
    Settings {
        registration: config.registration.mode,
        roles: config.roles.clone(),
        sessions: SessionSettings {
            access_ttl: tokens.access_ttl,
            refresh_idle: tokens.refresh_idle,
            refresh_absolute: tokens.refresh_absolute,
            refresh_grace: tokens.refresh_grace,
            email_claim: tokens.email_claim,
        },
        passwords: PasswordSettings { min_length: config.passwords.min_length },
        algorithm: tokens.algorithm,
        limits: limits(config),
    }
}
