//! How long others wait while every hashing thread is busy.

use crate::figures::Latency;
use crate::operations::{LOGIN, ME, load, log_in, me, run};
use crate::rounds::ROUNDS;
use crate::service::{self, Service};
use crate::settings::Settings;
use crate::stores::Database;
use std::thread;
use vestibule_benches::load::{Load, Pace};
use vestibule_benches::place::{LOAD_CORE, SERVICE_CORE};

/// Of `GET /users/me`, two hundred times a second.
pub(crate) struct Isolation {
    /// One core for all threads of the service.
    pub(crate) sharing: Latency,
    /// Two cores for the service, one of which hashes; the load generator takes what it needs of them. On PostgreSQL
    /// alone, where a second process may serve the same store.
    pub(crate) apart: Option<Latency>,
}

const PER_SECOND: f64 = 200.0;
/// More than hash at once, so that none is ever idle.
const LOGINS: usize = 4;
/// Connections that ask meanwhile.
const ASKING: usize = 2;

pub(crate) fn measure(service: &Service, database: &Database, settings: &Settings) -> Isolation {
    let sharing = beside_logins(service, settings);
    let apart = match database {
        Database::Sqlite(_) => None,
        Database::Postgres(url) => {
            let one = [("VESTIBULE_PASSWORDS__HASH_THREADS", "1")];
            let (other, _) = Service::start(url, &[SERVICE_CORE, LOAD_CORE], &one);
            Some(beside_logins(&other, settings))
        }
    };
    println!("me beside logins: p99 {:.2} ms on one core, {:?} ms on two", sharing.p99, apart.map(|apart| apart.p99));
    Isolation { sharing, apart }
}

fn beside_logins(service: &Service, settings: &Settings) -> Latency {
    // Of people who do not log in meanwhile: so many logins of one end the oldest sessions.
    let access_tokens: Vec<_> = (LOGINS..LOGINS + ASKING).map(|n| service::log_in(service.address, n).0).collect();
    let both = Load { yielding: true, ..load(service.address, LOGINS, Pace::AtOnce, settings) };
    let asking = Load { connections: ASKING, pace: Pace::PerSecond(PER_SECOND), ..both };
    let round = |_| {
        thread::scope(|scope| {
            scope.spawn(|| run(both, &mut log_in(LOGIN)));
            Latency::from(&run(asking, &mut me(ME, &access_tokens)))
        })
    };
    Latency::middle(&(0..ROUNDS).map(round).collect::<Vec<_>>())
}
