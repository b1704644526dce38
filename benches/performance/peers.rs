//! What people use instead, on the same core and in turn with the service. `PEERS=1`, where there are Node and npm.

use crate::compare::CONNECTIONS;
use crate::floors::announced;
use crate::operations::{Kind, LOGIN, ME, Register, USERS, load, log_in, me, registration};
use crate::rounds::in_turn;
use crate::service::{PEOPLE, Service, email, text_in};
use crate::settings::Settings;
use crate::stores::Database;
use serde_json::Value;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;
use vestibule_benches::load::{Load, Operation, Pace, ask};
use vestibule_benches::place::{Memory, Process, SERVICE_CORE, pause};
use vestibule_testkit::StoreKind;

/// better-auth, whose passwords are hashed at the same cost by the fastest implementation that Node has. It rotates no
/// refresh tokens, and looks a session up in its store each time.
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
}

pub(crate) struct Footprint {
    /// Until it is ready, on an existing store.
    pub(crate) start: Duration,
    /// Before it is asked anything.
    pub(crate) idle: Memory,
    /// After everything; hashes are among it.
    pub(crate) after: Memory,
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/better-auth");
const SESSION: &str = "/api/auth/get-session";
const SIGN_IN: &str = "/api/auth/sign-in/email";
const SIGN_UP: &str = "/api/auth/sign-up/email";

/// Each has a database of its own on the same server, and the same people in it.
pub(crate) fn measure(settings: &Settings) -> BetterAuth {
    let (own, others) = (Database::create(StoreKind::Postgres), Database::create(StoreKind::Postgres));
    let (service, start, people) = Service::start_measured(&own);
    Running::start(&others).process.stop().expect("an end");
    let peer = Running::start(&others);
    pause(Duration::from_secs(2));
    let memory = || [&service.process, &peer.process].map(|process| process.memory().expect("it runs"));
    let idle = memory();
    let tokens = peer.sign_everyone_up();
    let contest = |kind, of_service, of_peer| Contest { kind, of_service, of_peer };
    let contests = [
        contest(Kind::Me, Box::new(me(ME, &people.access_tokens)), Box::new(me(SESSION, &tokens))),
        contest(Kind::Login, Box::new(log_in(LOGIN)), Box::new(log_in(SIGN_IN))),
        contest(Kind::Register, Box::new(Register::at(USERS)), Box::new(Register::at(SIGN_UP))),
    ];
    let addresses = [service.address, peer.address];
    let rows = contests.into_iter().flat_map(|contest| contest.rows(addresses, settings)).collect();
    let after = memory();
    let [of_service, of_peer] = [(start.existing, idle[0], after[0]), (peer.took, idle[1], after[1])]
        .map(|(start, idle, after)| Footprint { start, idle, after });
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
        let (turns, slice) = settings.turns(self.kind.hashes());
        CONNECTIONS.map(|connections| {
            let closed = |address, operation: &mut dyn Operation| {
                let load = load(address, connections, Pace::AtOnce, settings);
                let outcome = Load { warm_up: slice / 2, measured: slice, ..load }.run(operation);
                outcome.expect("a server that answers").per_second()
            };
            let mut by_service = |_| closed(service, &mut *self.of_service);
            let mut by_peer = |_| closed(peer, &mut *self.of_peer);
            let [service, peer] = in_turn(turns, [&mut by_service, &mut by_peer]);
            println!("{:16} c={connections:<2} {service:>9.1}/s  better-auth {peer:>9.1}/s", self.kind.name());
            PeerRow { kind: self.kind, connections, service, peer }
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
        command.env("NODE_ENV", "production").env("DATABASE_URL", database.url());
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
            text_in(&serde_json::from_str::<Value>(&body).expect("JSON"), "token")
        };
        (0..PEOPLE).map(sign_up).collect()
    }
}
