//! How the store's part of the work grows with the number of users.
//!
//! Through the use cases, without HTTP and with a hasher that costs nothing: beside a hash nobody would see it.

use crate::settings::Settings;
use crate::stores::wait_for;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;
use vestibule_domain::access::Authority;
use vestibule_domain::credential::{HashingError, NewPassword, PasswordAttempt, PasswordHash, PasswordHasher, Verdict};
use vestibule_domain::page::{Cursor, PageRequest};
use vestibule_domain::session::{Login, RefreshToken};
use vestibule_domain::throttle::Network;
use vestibule_domain::user::Email;
use vestibule_domain::user::store::UserFilter;
use vestibule_domain::{Ports, RequestContext, Services, Settings as DomainSettings};
use vestibule_testkit::app::{Setup, TestApp};
use vestibule_testkit::{StoreKind, TestStore};

const FEW: u64 = 1_000;
const MANY: [u64; 2] = [1_000_000, 5_000_000];
/// How often few users and many are measured in turn, and how long each is asked for then.
const TURNS: usize = 10;
const EACH: Duration = Duration::from_millis(300);
/// How many are refreshed in turn.
const SESSIONS: usize = 200;

pub(crate) struct Growth {
    pub(crate) few: Times,
    pub(crate) many: Times,
}

/// Means of medians, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) users: u64,
    pub(crate) login: f64,
    pub(crate) refresh: f64,
    pub(crate) first_page: f64,
    pub(crate) deep_page: f64,
}

#[derive(Debug)]
struct NoHash;

#[async_trait]
impl PasswordHasher for NoHash {
    async fn hash(&self, _: NewPassword, _: Option<Network>) -> Result<PasswordHash, HashingError> {
        Err(HashingError::Stopped)
    }

    async fn verify(
        &self,
        _: PasswordAttempt,
        _: Option<&PasswordHash>,
        _: Option<Network>,
    ) -> Result<Verdict, HashingError> {
        Ok(Verdict::Match { upgraded: None })
    }
}

pub(crate) fn measure(kind: StoreKind, settings: &Settings) -> Vec<Growth> {
    let sizes: Vec<_> = MANY.into_iter().filter(|users| *users <= settings.growth).collect();
    if sizes.is_empty() {
        return Vec::new();
    }
    wait_for(async {
        let (mut few, mut many) = (Grown::start(kind).await, Grown::start(kind).await);
        let (mut growth, mut filled) = (Vec::new(), 0);
        fill(few.app.database(), 0, FEW).await;
        for users in sizes {
            fill(many.app.database(), filled, users).await;
            filled = users;
            let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
            for _ in 0..TURNS {
                of_few.push(few.times(FEW).await);
                of_many.push(many.times(users).await);
            }
            let [few, many] = [Times::mean(&of_few), Times::mean(&of_many)];
            for Times { users, login, refresh, first_page, deep_page } in [few, many] {
                println!(
                    "{kind:?} with {users} users: login {login:.0} µs, refresh {refresh:.0} µs, first page \
                     {first_page:.0} µs, deep page {deep_page:.0} µs"
                );
            }
            growth.push(Growth { few, many });
        }
        growth
    })
}

/// A service and its store.
struct Grown {
    app: TestApp,
    services: Services,
    /// Who logged in last.
    last: u64,
}

impl Grown {
    async fn start(kind: StoreKind) -> Self {
        let app = Box::pin(TestApp::start(kind, Setup::default())).await.app;
        let services = without_hashes(&app.services);
        Self { app, services, last: 0 }
    }

    async fn log_in(&mut self, users: u64) -> RefreshToken {
        // A prime that is far from all sizes: everyone's turn comes, in no order that a cache would like.
        self.last = (self.last + 7_368_787) % users;
        let email = Email::parse(&format!("grown.{}@example.com", self.last)).expect("an address");
        let password = PasswordAttempt::parse("any will do").expect("a password");
        let login = Login { email, password, device_token: None };
        let done = self.services.sessions.login(login, &RequestContext::default()).await;
        done.outcome.expect("a session").refresh_token
    }

    async fn times(&mut self, users: u64) -> Times {
        let login = median(async || drop(self.log_in(users).await)).await;
        let mut tokens = Vec::new();
        for _ in 0..SESSIONS {
            tokens.push(self.log_in(users).await);
        }
        let (services, context) = (&self.services, RequestContext::default());
        let mut turn = 0;
        let refresh = median(async || {
            turn = (turn + 1) % tokens.len();
            let held = tokens.get_mut(turn).expect("a session");
            let presented = RefreshToken::parse(held.reveal().as_str()).expect("a refresh token");
            *held =
                services.sessions.refresh(Some(presented), &context).await.outcome.expect("a session").refresh_token;
        })
        .await;
        let page = async |after| {
            let request = PageRequest { after, ..PageRequest::default() };
            let filter = UserFilter::default();
            services.users.list(Authority::Operator, &filter, request).await.expect("a page");
        };
        let first_page = median(async || page(None).await).await;
        let deep_page = median(async || page(Some(Cursor::after(id(users - 100)))).await).await;
        Times { users, login, refresh, first_page, deep_page }
    }
}

fn without_hashes(services: &Services) -> Services {
    let ports = &services.ports;
    let ports = Ports {
        store: Arc::clone(&ports.store),
        clock: Arc::clone(&ports.clock),
        rng: Arc::clone(&ports.rng),
        hasher: Arc::new(NoHash),
        breached: Arc::clone(&ports.breached),
        codec: Arc::clone(&ports.codec),
        sealer: Arc::clone(&ports.sealer),
        key_generator: Arc::clone(&ports.key_generator),
        keyed_hash: Arc::clone(&ports.keyed_hash),
        snapshots: Arc::clone(&ports.snapshots),
        drift: Arc::clone(&ports.drift),
        tally: Arc::clone(&ports.tally),
    };
    Services::new(ports, DomainSettings::default())
}

async fn median(mut work: impl AsyncFnMut()) -> f64 {
    for _ in 0..50 {
        work().await;
    }
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < EACH {
        let began = Instant::now();
        work().await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times.get(times.len() / 2).expect("some").as_secs_f64() * 1e6
}

/// As the statements below make them: in the order of registration.
fn id(n: u64) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(n))
}

/// Users from `from` to below `to`, each with a password, a role and a session, as if they had come by themselves.
async fn fill(store: &TestStore, from: u64, to: u64) {
    let statements = match store {
        TestStore::Postgres(_) => FILL_POSTGRES,
        TestStore::Sqlite(_) => FILL_SQLITE,
    };
    for statement in statements {
        let statement = statement.replace("FROM_N", &from.to_string()).replace("TO_N", &to.to_string());
        store.execute(&statement).await.unwrap_or_else(|error| panic!("{statement}\n{error}"));
    }
}

const FILL_POSTGRES: &[&str] = &[
    "INSERT INTO users (id, email_canonical, email_written, email_verified, name, name_folded, created_at, updated_at,
                        version, epoch)
     SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'grown.' || n || '@example.com',
            'grown.' || n || '@example.com', false, 'Grown ' || n, 'grown ' || n, now(), now(), 1, 1
     FROM generate_series(FROM_N, TO_N - 1) AS n",
    "INSERT INTO user_roles (user_id, role)
     SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user'
     FROM generate_series(FROM_N, TO_N - 1) AS n",
    "INSERT INTO password_credentials (user_id, phc, changed_at)
     SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
            '$argon2id$v=19$m=19456,t=2,p=1$' || md5(n::text) || '$' || md5(n::text || 'x') || md5(n::text), now()
     FROM generate_series(FROM_N, TO_N - 1) AS n",
    "INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at, idle_expires_at,
                           idle_expires_day, amr, refresh_family_hash, refresh_hash)
     SELECT gen_random_uuid(), ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, now(), now(), now(),
            now() + interval '30 days', now() + interval '14 days', now() + interval '15 days', 'pwd',
            sha256(n::text::bytea), sha256(n::text::bytea)
     FROM generate_series(FROM_N, TO_N - 1) AS n",
    "VACUUM ANALYZE",
    // Else it comes while something is measured.
    "CHECKPOINT",
];

/// In steps of their own, as a recursive table cannot be shared between statements. Not analysed, as the service never
/// does: with samples of the values SQLite makes a new plan for a list each time it is asked for.
const FILL_SQLITE: &[&str] = &[
    "WITH RECURSIVE s (n) AS (VALUES (FROM_N) UNION ALL SELECT n + 1 FROM s WHERE n + 1 < TO_N)
     INSERT INTO users (id, email_canonical, email_written, email_verified, name, name_folded, created_at, updated_at,
                        version, epoch)
     SELECT unhex('01900000000070008000' || printf('%012x', n)), 'grown.' || n || '@example.com',
            'grown.' || n || '@example.com', 0, 'Grown ' || n, 'grown ' || n, 1767225600000, 1767225600000, 1, 1 FROM s",
    "WITH RECURSIVE s (n) AS (VALUES (FROM_N) UNION ALL SELECT n + 1 FROM s WHERE n + 1 < TO_N)
     INSERT INTO user_roles (user_id, role) SELECT unhex('01900000000070008000' || printf('%012x', n)), 'user' FROM s",
    "WITH RECURSIVE s (n) AS (VALUES (FROM_N) UNION ALL SELECT n + 1 FROM s WHERE n + 1 < TO_N)
     INSERT INTO password_credentials (user_id, phc, changed_at)
     SELECT unhex('01900000000070008000' || printf('%012x', n)),
            '$argon2id$v=19$m=19456,t=2,p=1$' || hex(randomblob(16)) || '$' || hex(randomblob(32)), 1767225600000 FROM s",
    "WITH RECURSIVE s (n) AS (VALUES (FROM_N) UNION ALL SELECT n + 1 FROM s WHERE n + 1 < TO_N)
     INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at, idle_expires_at,
                           idle_expires_day, amr, refresh_family_hash, refresh_hash)
     SELECT randomblob(16), unhex('01900000000070008000' || printf('%012x', n)), 1767225600000, 1767225600000,
            1767225600000, 1769817600000, 1768435200000, 1768521600000, 'pwd', randomblob(32), randomblob(32)
     FROM s",
    "PRAGMA wal_checkpoint(TRUNCATE)",
];
