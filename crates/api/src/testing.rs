//! A state for tests of what needs no store: this one is out of reach, as after a power cut.

mod out_of_reach;

use crate::{AppState, HttpSettings};
use out_of_reach::OutOfReach;
use serde_json::Value;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use vestibule_domain::clock::Timestamp;
use vestibule_domain::credential::{PasswordPolicy, PasswordSettings};
use vestibule_domain::feed::Snapshots;
use vestibule_domain::{Ports, Services, Settings};

pub(crate) fn state() -> AppState {
    state_with(HttpSettings::default())
}

pub(crate) fn state_with(http: HttpSettings) -> AppState {
    build(http, Settings::default(), OutOfReach::Refuses)
}

pub(crate) fn state_set(settings: Settings) -> AppState {
    build(HttpSettings::default(), settings, OutOfReach::Refuses)
}

/// With a store that says neither whether it is well nor what has ended, as behind a network that swallows packets.
pub(crate) fn state_of_silence() -> AppState {
    build(HttpSettings::default(), Settings::default(), OutOfReach::IsSilent)
}

/// With a store that answers nothing but what its clock shows; this process's stands still at the epoch.
pub(crate) fn state_beside(clock: Timestamp) -> AppState {
    build(HttpSettings::default(), Settings::default(), OutOfReach::Tells(clock))
}

/// With a store that answers nothing but what its feed has: one change.
pub(crate) fn state_with_news() -> AppState {
    build(HttpSettings::default(), Settings::default(), OutOfReach::HasNews)
}

/// What is logged on this thread, down to the least important, while it lives.
#[derive(Debug, Default, Clone)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn start(&self) -> tracing::subscriber::DefaultGuard {
        // While there is one subscriber alone, `tracing` lets the thread that comes to an event first decide for good
        // whether anybody wants it; another test's thread does not.
        static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));
        LazyLock::force(&SECOND);
        let writer = self.clone();
        let lines = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
        tracing::subscriber::set_default(lines.with_writer(move || writer.clone()).finish())
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn build(http: HttpSettings, settings: Settings, store: OutOfReach) -> AppState {
    let ports = Ports {
        store: Arc::new(store),
        clock: Arc::new(OutOfReach::Refuses),
        rng: Arc::new(OutOfReach::Refuses),
        hasher: Arc::new(OutOfReach::Refuses),
        breached: Arc::new(OutOfReach::Refuses),
        codec: Arc::new(OutOfReach::Refuses),
        sealer: Arc::new(OutOfReach::Refuses),
        key_generator: Arc::new(OutOfReach::Refuses),
        keyed_hash: Arc::new(OutOfReach::Refuses),
        snapshots: Arc::new(Snapshots::default()),
        drift: Arc::default(),
        tally: Arc::default(),
    };
    AppState::new(Services::new(ports, settings), http)
}

/// By which no password is breached.
pub(crate) fn password_policy() -> PasswordPolicy {
    PasswordPolicy { settings: PasswordSettings::default(), breached: Arc::new(OutOfReach::Refuses) }
}
