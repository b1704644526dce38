//! `make bench`: the released binary on either store beside its floors, in one run. Writes `docs/performance.md` and
//! `docs/performance.svg`.
//!
//! `LOAD_SECONDS=1` is a third of the time for which each load is measured; `GROWTH=1000000` how many users a store is
//! filled with at most, and less for none; `QUICK=1` stands for 0.3 seconds, no growth and no quiet minute; `PEERS=1`
//! measures better-auth too.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench that cannot be set up has to stop, and reports; its figures are far below 2^53"
)]

#[path = "../allocations.rs"]
mod allocations;
mod compare;
mod document;
mod figures;
mod floors;
mod goals;
mod growth;
mod isolation;
mod machine;
#[path = "../one_thread.rs"]
mod one_thread;
mod operations;
mod peers;
mod rounds;
mod service;
mod settings;
mod stores;

use figures::{Figures, StoreFigures};
use floors::Floors;
use settings::Settings;
use std::time::Duration;
use stores::Database;
use vestibule_benches::place::{LOAD_CORE, SERVICE_CORE, pause, pin};
use vestibule_testkit::StoreKind;

/// After which the hashers' memory has been given back.
const QUIET: Duration = Duration::from_secs(65);

fn main() {
    let settings = Settings::read();
    pin(&[LOAD_CORE]).expect("two cores");
    println!("measuring {:?} for each load, with up to {} users", settings.measured, settings.growth);
    let peer = settings.peers.then(peers::prepare);
    let figures = Figures {
        machine: machine::describe(),
        binary_bytes: service::binary_size(),
        allocations: allocations::per_request(),
        reference_hashes: floors::reference_hashes(&settings),
        stores: [StoreKind::Postgres, StoreKind::Sqlite].map(|kind| on(kind, &settings)).into(),
        better_auth: peer.map(|prepared| peers::measure(&prepared, &settings)),
    };
    document::write(&figures, &settings).expect("docs can be written");
}

fn on(kind: StoreKind, settings: &Settings) -> StoreFigures {
    let (database, floor_database) = (Database::create(kind), Database::create(kind));
    let statements = floors::statements(&floor_database, settings);
    let floors = Floors::start(&floor_database.url());
    let (service, start, people) = service::Service::start_measured(&database);
    pause(Duration::from_secs(2));
    let idle = service.take_peak();
    let mut memory = Vec::new();
    let mut rows = Vec::new();
    for operation in operations::Kind::ALL {
        rows.extend(compare::rows(operation, &service, &people, &floors, settings));
        memory.push((operation, service.take_peak()));
    }
    drop(floors);
    let isolation = isolation::measure(&service, &database, settings);
    let quiet_since = std::time::Instant::now();
    database.clean_up();
    floor_database.clean_up();
    pin(&[SERVICE_CORE]).expect("two cores");
    let growth = growth::measure(kind, settings);
    pin(&[LOAD_CORE]).expect("two cores");
    let after = settings.waits.then(|| {
        pause(QUIET.saturating_sub(quiet_since.elapsed()));
        service.process.memory().expect("a running service")
    });
    service.process.stop().expect("an end");
    StoreFigures { kind, statements, start, idle, memory, after, rows, isolation, growth }
}
