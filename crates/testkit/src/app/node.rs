//! One serving process.

use super::{Client, CountingHasher, Setup, secrets::Secrets};
use crate::counting::CountingStore;
use crate::{MovableClock, SeededRng, TestStore};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vestibule_api::AppState;
use vestibule_api::serve::{ServeSettings, serve};
use vestibule_domain::credential::PasswordHasher;
use vestibule_domain::feed::Snapshots;
use vestibule_domain::token::Algorithm;
use vestibule_domain::{Clock, Ports, Rng, Services, Store};
use vestibule_infrastructure::breach::KnownPasswords;
use vestibule_infrastructure::crypto::{
    AeadSealer, Argon2Cost, Argon2Hasher, Argon2Settings, Hashing, HmacKeyedHash, HmacSecret, JwsCodec, JwsSettings,
    KeyForge, MasterKey, Peppers,
};

/// What all processes of one test have in common.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) setup: Setup,
    pub(super) clock: MovableClock,
    pub(super) rng: SeededRng,
    pub(super) secrets: Arc<Secrets>,
    forge: Arc<KeyForge>,
    keyed_hash: Arc<HmacKeyedHash>,
    breached: Arc<KnownPasswords>,
}

impl Fleet {
    pub(super) fn new(setup: Setup) -> Self {
        let rng = SeededRng::default();
        let master_key = MasterKey::generate(&rng);
        let keyed_hash = Arc::new(HmacKeyedHash::derive(&master_key).expect("a key"));
        let forge = Arc::new(KeyForge::new(master_key));
        let breached = Arc::new(KnownPasswords::shipped().expect("the filter in the binary"));
        Self { setup, clock: MovableClock::default(), rng, secrets: Arc::default(), forge, keyed_hash, breached }
    }
}

/// A process: its handle on the store, its memory and its listeners.
#[derive(Debug)]
pub struct Node {
    pub store: Arc<CountingStore>,
    pub hasher: Arc<CountingHasher>,
    /// As the command line uses them.
    pub services: Services,
    pub address: SocketAddr,
    pub ops_address: SocketAddr,
    secrets: Arc<Secrets>,
    shutdown: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

/// Argon2 at the least that is legal; with time enough for many tests at once on a small machine.
static HASHER: LazyLock<Arc<Argon2Hasher>> = LazyLock::new(|| {
    let settings = Argon2Settings {
        hashing: Hashing::Fastest,
        cost: Argon2Cost::MINIMUM,
        peppers: Peppers::NONE,
        threads: 2,
        queue_wait: Duration::from_mins(1),
    };
    // Randomness of its own: salts must not shift the ids of the tests.
    Arc::new(Argon2Hasher::start(settings, Arc::new(SeededRng::from_seed(1))).expect("hashing threads"))
});

pub(super) async fn open_node(database: &TestStore, fleet: &Fleet) -> Node {
    let store = Arc::new(CountingStore::new(database.open().await));
    let hasher = Arc::new(CountingHasher::new(Arc::clone(&*HASHER) as Arc<_>));
    let services = services(Arc::clone(&store) as Arc<dyn Store>, Arc::clone(&hasher) as Arc<_>, fleet);
    services.keys.ensure().await.expect("a signing key");
    let (public, ops) = (listener().await, listener().await);
    let address = public.local_addr().expect("a bound socket");
    let ops_address = ops.local_addr().expect("a bound socket");
    let state = AppState::new(services.clone(), fleet.setup.http.clone());
    let shutdown = CancellationToken::new();
    let (graceful, force) = (shutdown.clone(), CancellationToken::new());
    let serving = tokio::spawn(serve(public, Some(ops), state, serve_settings(), graceful, force));
    Node { store, hasher, services, address, ops_address, secrets: Arc::clone(&fleet.secrets), shutdown, serving }
}

async fn listener() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port")
}

/// Nobody balances the load between tests, so nothing is gained by serving on after the signal.
fn serve_settings() -> ServeSettings {
    ServeSettings { drain: Duration::ZERO, ..ServeSettings::default() }
}

fn services(store: Arc<dyn Store>, hasher: Arc<dyn PasswordHasher>, fleet: &Fleet) -> Services {
    let setup = &fleet.setup;
    let clock: Arc<dyn Clock> = Arc::new(fleet.clock.clone());
    let rng: Arc<dyn Rng> = Arc::new(fleet.rng.clone());
    let secret = (setup.domain.algorithm == Algorithm::Hs256)
        .then(|| HmacSecret::from_base64(super::HMAC_SECRET).expect("a good secret"));
    let jws = JwsSettings {
        algorithm: setup.domain.algorithm,
        issuer: setup.issuer.clone(),
        audience: setup.audience.clone(),
        secret,
    };
    let ports = Ports {
        store,
        rng,
        hasher,
        breached: Arc::clone(&fleet.breached) as Arc<_>,
        codec: Arc::new(JwsCodec::new(jws, Arc::clone(&fleet.forge), Arc::clone(&clock))),
        sealer: Arc::new(AeadSealer),
        key_generator: Arc::clone(&fleet.forge) as Arc<_>,
        keyed_hash: Arc::clone(&fleet.keyed_hash) as Arc<_>,
        snapshots: Arc::new(Snapshots::default()),
        drift: Arc::default(),
        tally: Arc::default(),
        clock,
    };
    Services::new(ports, setup.domain.clone())
}

impl Node {
    /// Somebody without a token, on connections of their own.
    pub fn anonymous(&self) -> Client {
        Client::new(self.address, Arc::clone(&self.secrets))
    }

    /// Whoever reaches the operators' listener.
    pub fn operator(&self) -> Client {
        Client::new(self.ops_address, Arc::clone(&self.secrets))
    }

    /// Ends the process as SIGTERM would.
    pub async fn stop(self) {
        self.shutdown.cancel();
        let served = self.serving.await.expect("serving does not panic");
        served.expect("serving ends without an error");
    }
}
