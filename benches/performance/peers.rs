//! What people use instead, on the same core and in turn with the service, if `PEERS=1`.

use crate::compare::CONNECTIONS;
use crate::floors::announced;
use crate::operations::{Kind, Register, load, log_in, log_in_as, me, registration};
use crate::rounds::in_turn;
use crate::service::{PEOPLE, Service, email, text_in};
use crate::settings::Settings;
use crate::stores::Database;
use std::cell::Cell;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;
use vestibule_benches::load::{Load, Operation, Pace, ask};
use vestibule_benches::place::{Memory, Process, SERVICE_CORE, pause};
use vestibule_testkit::StoreKind;

/// better-auth, with passwords hashed at the same cost. It rotates no refresh tokens, and looks a session up in its store
/// each time.
pub(crate) struct BetterAuth {
    pub(crate) versions: String,
    pub(crate) rows: Vec<PeerRow>,
    pub(crate) of_service: Footprint,
    pub(crate) of_peer: Footprint,
}

/// Answers a second.
pub(crate) struct PeerRow {
    pub(crate) kind: Kind,
    pub(crate) connections: usize,
    pub(crate) service: f64,
    pub(crate) peer: f64,
    /// Of both.
    pub(crate) failed: u64,
}

pub(crate) struct Footprint {
    /// Until it is ready, on an existing store.
    pub(crate) start: Duration,
    /// Resident before it is asked anything, in KiB.
    pub(crate) idle: u64,
    /// The most that was resident, hashes among it.
    pub(crate) most: u64,
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/better-auth");
const SESSION: &str = "/api/auth/get-session";
const SIGN_IN: &str = "/api/auth/sign-in/email";
const SIGN_UP: &str = "/api/auth/sign-up/email";

/// A database with its tables. Before anything is measured, so that a run without Node ends at once.
pub(crate) fn prepare() -> Database {
    let database = Database::create(StoreKind::Postgres);
    Running::start(&database).process.stop().expect("an end");
    database
}

/// Each has a database of its own on the same server, and the same people in it.
pub(crate) fn measure(prepared: &Database, settings: &Settings) -> BetterAuth {
    let own = Database::create(StoreKind::Postgres);
    let (service, start, people) = Service::start_measured(&own);
    let peer = Running::start(prepared);
    pause(Duration::from_secs(2));
    let memory = || [&service.process, &peer.process].map(|process| process.memory().expect("it runs"));
    let idle = memory();
    let tokens = peer.sign_everyone_up();
    let contest = |kind: Kind, of_peer| Contest { kind, of_service: kind.of_service(&people), of_peer };
    let contests: [Contest; 3] = [
        contest(Kind::Me, Box::new(me(SESSION, &tokens))),
        contest(Kind::Login, Box::new(log_in(SIGN_IN))),
        contest(Kind::Register, Box::new(Register::at(SIGN_UP))),
    ];
    let addresses = [service.address, peer.address];
    let rows = contests.into_iter().flat_map(|contest| contest.rows(addresses, settings)).collect();
    let after = memory();
    let footprint = |start, idle: Memory, after: Memory| Footprint { start, idle: idle.now, most: after.peak };
    let of_service = footprint(start.existing, idle[0], after[0]);
    let of_peer = footprint(peer.took, idle[1], after[1]);
    BetterAuth { versions: peer.versions, rows, of_service, of_peer }
}

/// The same request, as each of them wants it.
struct Contest {
    kind: Kind,
    of_service: Box<dyn Operation>,
    of_peer: Box<dyn Operation>,
}

impl Contest {
    fn rows(mut self, [service, peer]: [SocketAddr; 2], settings: &Settings) -> [PeerRow; 3] {
        // Node's one thread also signs cookies, after all passwords that came before: of 64 clients that log in at once
        // none is answered before all have been hashed. So turns have to last for more than that.
        let (turns, slice) = if self.kind.hashes() { (2, 3 * settings.measured) } else { settings.turns(false) };
        CONNECTIONS.map(|connections| {
            let failed = Cell::new(0);
            let of = |address, operation: &mut dyn Operation| {
                let load = load(address, connections, Pace::AtOnce, settings);
                let load = Load { warm_up: slice / 2, measured: slice, ..load };
                let outcome = load.run(operation).expect("a server that answers");
                failed.set(failed.get() + outcome.failed);
                outcome.per_second()
            };
            let mut by_service = |_| of(service, &mut *self.of_service);
            let mut by_peer = |_| of(peer, &mut *self.of_peer);
            let [service, peer] = in_turn(turns, [&mut by_service, &mut by_peer]);
            println!("{:16} c={connections:<2} {service:>9.1}/s  better-auth {peer:>9.1}/s", self.kind.name());
            PeerRow { kind: self.kind, connections, service, peer, failed: failed.into_inner() }
        })
    }
}

struct Running {
    process: Process,
    address: SocketAddr,
    versions: String,
    took: Duration,
}

impl Running {
    fn start(database: &Database) -> Self {
        let mut command = Command::new("node");
        command.arg("server.mjs").current_dir(FOLDER).stdout(Stdio::piped());
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("NODE_ENV", "production").env("DATABASE_URL", database.url());
        // One core, one thread that hashes: with four, as by default, it hashes less in a second.
        command.env("UV_THREADPOOL_SIZE", "1");
        let mut process = Process::start(&mut command, &[SERVICE_CORE]).expect("Node");
        let line = announced(&mut process);
        let took = process.started.elapsed();
        let address = text_in(&line, "address").parse().expect("an address");
        Self { process, address, versions: text_in(&line, "versions"), took }
    }

    /// The tokens of their sessions.
    fn sign_everyone_up(&self) -> Vec<String> {
        let sign_up = |n| {
            let (status, body) = ask(self.address, &registration(SIGN_UP, &email(n))).expect("an answer");
            assert_eq!(status, 200, "{body}");
            let (status, body) = ask(self.address, &log_in_as(SIGN_IN, n)).expect("an answer");
            assert_eq!(status, 200, "{body}");
            text_in(&serde_json::from_str(&body).expect("JSON"), "token")
        };
        (0..PEOPLE).map(sign_up).collect()
    }
}
