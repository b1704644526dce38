//! The service beside its floors.

use crate::figures::{Beside, Hashes, Latency, Row, Sample};
use crate::floors::{Floors, hashes_by, own_hashes};
use crate::operations::{Kind, Same, hello, load, me, run};
use crate::rounds::{ROUNDS, in_turn};
use crate::service::{People, Service};
use crate::settings::Settings;
use vestibule_benches::load::{Load, Operation, Pace};

const CONNECTIONS: [usize; 3] = [1, 16, 64];

struct Comparison<'a> {
    kind: Kind,
    service: &'a Service,
    floors: &'a Floors,
    settings: &'a Settings,
    of_service: Box<dyn Operation>,
    of_floor: Box<dyn Operation>,
    hello: Same,
    of_actix: Same,
}

pub(crate) fn compare(
    kind: Kind,
    service: &Service,
    people: &People,
    floors: &Floors,
    settings: &Settings,
) -> Vec<Row> {
    let (of_service, of_floor) = (kind.of_service(people), kind.of_floor(&floors.axum));
    let (hello, of_actix) = (hello(), me(std::slice::from_ref(&floors.actix.token)));
    let mut comparison = Comparison { kind, service, floors, settings, of_service, of_floor, hello, of_actix };
    CONNECTIONS.map(|connections| comparison.at(connections)).into()
}

impl Comparison<'_> {
    fn at(&mut self, connections: usize) -> Row {
        let row = self.row(connections);
        println!(
            "{:16} c={connections:<2} {:>9.1}/s  floor {:>9.1}/s  ratio {:.2}  p99 {:.2} ms  failed {}",
            row.operation,
            row.service.per_second,
            row.floor,
            row.service.per_second / row.floor,
            row.service.latency.p99,
            row.service.failed
        );
        row
    }

    /// Throughputs in turn; after them, at parts of these, latencies in turn.
    fn row(&mut self, connections: usize) -> Row {
        let (turns, slice) = self.settings.turns(self.kind.hashes());
        let (at_service, at_axum, at_actix) =
            (self.service.address, self.floors.axum.address, self.floors.actix.address);
        let closed = |address, operation: &mut dyn Operation| {
            let load = load(address, connections, Pace::AtOnce, self.settings);
            let load = Load { warm_up: slice / 3, measured: slice, ..load };
            load.run(operation).expect("a service that answers")
        };
        let mut failed = 0;
        let mut of_service = || {
            let outcome = closed(at_service, &mut *self.of_service);
            failed += outcome.failed;
            outcome.per_second()
        };
        let mut of_floor = || closed(at_axum, &mut *self.of_floor).per_second();
        let (mut hashes, mut beside) = (None, None);
        let (per_second, floor) = match self.kind {
            Kind::Me => {
                let mut of_hello = || closed(at_axum, &mut self.hello).per_second();
                let mut of_actix = || closed(at_actix, &mut self.of_actix).per_second();
                let [hello, actix, floor, service] =
                    in_turn(turns, [&mut of_hello, &mut of_actix, &mut of_floor, &mut of_service]);
                beside = Some((hello, actix));
                (service, floor)
            }
            Kind::Login | Kind::Register => {
                let (mut by_argon2_rust, mut by_own) = (|| hashes_by("argon2-rust", slice), || own_hashes(slice));
                let [floor, argon2_rust, own, service] =
                    in_turn(turns, [&mut of_floor, &mut by_argon2_rust, &mut by_own, &mut of_service]);
                hashes = Some(Hashes { argon2_rust, own });
                (service, floor)
            }
            Kind::Introspect | Kind::Refresh => {
                let [floor, service] = in_turn(turns, [&mut of_floor, &mut of_service]);
                (service, floor)
            }
        };
        let is_me = self.kind == Kind::Me;
        let at = |address| load(address, connections, Pace::AtOnce, self.settings);
        let (mut hellos, mut services) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            hellos.extend(beside.map(|(hello, _)| sample(at(at_axum), hello, is_me, &mut self.hello)));
            services.push(sample(at(at_service), per_second, is_me, &mut *self.of_service));
        }
        let beside = beside.map(|(_, actix)| Beside { hello: Sample::middle(&hellos), actix });
        let mut service = Sample::middle(&services);
        service.failed += failed;
        Row { operation: self.kind.name(), connections, service, floor, hashes, beside }
    }
}

/// How long answers take at half of what was found to be the throughput, and perhaps at a fifth.
fn sample(load: Load, per_second: f64, relaxed: bool, operation: &mut dyn Operation) -> Sample {
    let mut failed = 0;
    let mut open = |part: f64| {
        let outcome = run(Load { pace: Pace::PerSecond(per_second * part), ..load }, operation);
        failed += outcome.failed;
        Latency::from(&outcome)
    };
    let (latency, relaxed) = (open(0.5), relaxed.then(|| open(0.2)));
    Sample { per_second, latency, relaxed, failed }
}
