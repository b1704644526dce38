//! The released binary, as an operator starts it.

use crate::figures::Start;
use crate::operations::{LOGIN, USERS, log_in_as, registration};
use crate::stores::Database;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use vestibule_benches::load::{ask, request};
use vestibule_benches::place::{Memory, Process, SERVICE_CORE};

pub(crate) const PASSWORD: &str = "Tr0ub4dor&3-horse";
/// One for each connection.
pub(crate) const PEOPLE: usize = 64;

/// What differs from the defaults, which is told in the document.
pub(crate) const CONFIGURATION: [(&str, &str); 3] = [
    // One client logs in as often as it can.
    ("VESTIBULE_LIMITS__ENABLED", "false"),
    // 64 connections wait for one hashing thread.
    ("VESTIBULE_PASSWORDS__QUEUE_WAIT", "10s"),
    // Tokens last for the whole run.
    ("VESTIBULE_TOKENS__ACCESS_TTL", "30m"),
];
const MASTER_KEY: &str = "Bz+7jQx0m1sR8o5yPpyb0zqv2J1Y4m3n0rVw8kqTtEU=";

pub(crate) struct Service {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    store: String,
}

/// Who uses the service, one for each connection.
pub(crate) struct People {
    pub(crate) access_tokens: Vec<String>,
    pub(crate) refresh_tokens: Vec<String>,
    /// Credentials of another service, as in `Authorization: Basic`.
    pub(crate) client: String,
}

pub(crate) fn email(n: usize) -> String {
    format!("ada.{n}@example.com")
}

fn binary() -> PathBuf {
    PathBuf::from(std::env::var_os("VESTIBULE_BINARY").expect("VESTIBULE_BINARY: started by `make bench`"))
}

pub(crate) fn binary_size() -> u64 {
    binary().metadata().expect("the binary").len()
}

fn command(store: &str) -> Command {
    let mut command = Command::new(binary());
    command
        .env_clear()
        .envs(CONFIGURATION)
        .current_dir(std::env::temp_dir())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.env("VESTIBULE_STORE__URL", store).env("VESTIBULE_TOKENS__MASTER_KEY", MASTER_KEY);
    command
}

/// Nobody listens there; another process would have to be quick to.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket")
}

impl Service {
    /// Starts on the cores and returns when it is ready, with how long that took.
    pub(crate) fn start(store: &str, cores: &[usize], arguments: &[(&str, &str)]) -> (Self, Duration) {
        let (address, ops) = (free_port(), free_port());
        let mut started = command(store);
        started.args(["serve", "--migrate", "--listen", &address.to_string(), "--ops-listen", &ops.to_string()]);
        started.envs(arguments.iter().copied());
        let process = Process::start(&mut started, cores).expect("the binary starts");
        let ready = request("GET", "/health/ready", "", "");
        while !ask(ops, &ready).is_ok_and(|(status, _)| status == 200) {
            assert!(process.started.elapsed() < Duration::from_secs(30), "the service did not become ready on {store}");
        }
        let took = process.started.elapsed();
        (Self { process, address, store: store.to_owned() }, took)
    }

    /// On an empty store, then again and again on what that left; the last one, which has hashed nothing, goes on.
    pub(crate) fn start_measured(database: &Database) -> (Self, Start, People) {
        let (store, cores) = (database.url(), [SERVICE_CORE]);
        let (service, empty) = Self::start(&store, &cores, &[]);
        let people = service.register_everyone();
        service.process.stop().expect("an end");
        let mut times = Vec::new();
        for _ in 0..4 {
            let (service, took) = Self::start(&store, &cores, &[]);
            times.push(took);
            service.process.stop().expect("an end");
        }
        let (service, took) = Self::start(&store, &cores, &[]);
        times.push(took);
        times.sort_unstable();
        let existing = times.get(times.len() / 2).copied().expect("five starts");
        (service, Start { empty, existing }, people)
    }

    fn register_everyone(&self) -> People {
        for n in 0..PEOPLE {
            let (status, body) = ask(self.address, &registration(USERS, &email(n))).expect("an answer");
            assert_eq!(status, 201, "{body}");
        }
        let mut create = command(&self.store);
        create.args(["clients", "create", "bench", "--json"]).stdout(Stdio::piped());
        let output = create.output().expect("the binary runs").stdout;
        let client = serde_json::from_slice(&output).expect("a client");
        let client = STANDARD.encode(format!("{}:{}", text_in(&client, "id"), text_in(&client, "secret")));
        let (access_tokens, refresh_tokens) = (0..PEOPLE).map(|n| log_in(self.address, n)).unzip();
        People { access_tokens, refresh_tokens, client }
    }

    /// Since the last time.
    pub(crate) fn take_peak(&self) -> Memory {
        let memory = self.process.memory().expect("a running service");
        self.process.forget_peak().expect("the kernel lets us");
        memory
    }
}

/// The access and the refresh token of somebody.
pub(crate) fn log_in(address: SocketAddr, n: usize) -> (String, String) {
    let (status, body) = ask(address, &log_in_as(LOGIN, n)).expect("an answer");
    assert_eq!(status, 200, "{body}");
    let tokens = serde_json::from_str(&body).expect("JSON");
    (text_in(&tokens, "access_token"), text_in(&tokens, "refresh_token"))
}

pub(crate) fn text_in(object: &Value, member: &str) -> String {
    object.get(member).and_then(Value::as_str).expect("a text").to_owned()
}
