//! The floors of the same run.

use crate::figures::Statements;
use crate::operations::{USERS, registration};
use crate::service::{PEOPLE, email, log_in, text_in};
use crate::settings::Settings;
use crate::stores::Database;
use serde_json::Value;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use vestibule_benches::load::ask;
use vestibule_benches::place::{LOAD_CORE, Process, SERVICE_CORE, pin};
use vestibule_infrastructure::crypto::{Argon2Cost, Argon2Implementation, Argon2Trial, Hashing};

pub(crate) struct Floors {
    /// With everyone registered.
    pub(crate) axum: Floor,
    /// Without a store.
    pub(crate) actix: Floor,
}

pub(crate) struct Floor {
    _process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    /// One for each connection, if the floor has a store.
    pub(crate) refresh_tokens: Vec<String>,
}

fn command(arguments: &[&str]) -> Command {
    let binary = std::env::var_os("FLOOR_BINARY").expect("FLOOR_BINARY: started by `make bench`");
    let mut command = Command::new(binary);
    command.args(arguments).stdout(Stdio::piped());
    command
}

/// What a floor prints that does not serve.
fn printed(arguments: &[&str]) -> Value {
    announced(&mut Process::start(&mut command(arguments), &[SERVICE_CORE]).expect("the floor starts"))
}

/// The line that a process prints when it is ready.
pub(crate) fn announced(process: &mut Process) -> Value {
    serde_json::from_str(&process.first_line().expect("a line")).expect("JSON")
}

impl Floors {
    pub(crate) fn start(store: &str) -> Self {
        let (mut axum, actix) = (Floor::start(&["axum", store]), Floor::start(&["actix"]));
        for n in 0..PEOPLE {
            let (status, body) = ask(axum.address, &registration(USERS, &email(n))).expect("an answer");
            assert_eq!(status, 201, "{body}");
        }
        axum.refresh_tokens = axum.log_in_everyone();
        Self { axum, actix }
    }
}

impl Floor {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Process::start(&mut command(arguments), &[SERVICE_CORE]).expect("the floor starts");
        let line = announced(&mut process);
        let text = |name| text_in(&line, name);
        let address = text("address").parse().expect("an address");
        Self { _process: process, address, token: text("token"), refresh_tokens: Vec::new() }
    }

    pub(crate) fn log_in_everyone(&self) -> Vec<String> {
        (0..PEOPLE).map(|n| log_in(self.address, n).1).collect()
    }
}

pub(crate) fn statements(database: &Database, settings: &Settings) -> Statements {
    let seconds = settings.measured.as_secs_f64().to_string();
    let printed = printed(&["statements", &database.url(), &seconds]);
    let figure = |name| printed.get(name).and_then(Value::as_f64).expect("a number");
    Statements { selects: figure("selects"), commits: figure("commits") }
}

/// A second, by a crate.
pub(crate) fn hashes_by(crate_name: &str, time: Duration) -> f64 {
    let seconds = time.as_secs_f64().to_string();
    printed(&["hash", crate_name, &seconds]).as_f64().expect("a number")
}

pub(crate) fn reference_hashes(settings: &Settings) -> f64 {
    hashes_by("argon2", settings.measured)
}

/// A second, where the service runs.
pub(crate) fn own_hashes(time: Duration) -> f64 {
    pin(&[SERVICE_CORE]).expect("two cores");
    let cost = Argon2Cost::MINIMUM;
    let choice = Argon2Implementation::choose(Hashing::Fastest, cost).expect("a hash");
    let mut trial = Argon2Trial::new(choice.implementation, cost);
    trial.hash().expect("a hash");
    let (start, mut done) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        trial.hash().expect("a hash");
        done += 1;
    }
    pin(&[LOAD_CORE]).expect("two cores");
    f64::from(done) / start.elapsed().as_secs_f64()
}
