//! The service beside its floors.

use crate::figures::{Beside, Hashes, Latency, Row, Sample};
use crate::floors::{Floors, hashes_by, own_hashes};
use crate::operations::{Kind, ME, Same, hello, load, me, run};
use crate::rounds::{Contestant, ROUNDS, in_turn};
use crate::service::{People, Service};
use crate::settings::Settings;
use vestibule_benches::load::{Load, Operation, Pace};

pub(crate) const CONNECTIONS: [usize; 3] = [1, 16, 64];

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

pub(crate) fn rows(kind: Kind, service: &Service, people: &People, floors: &Floors, settings: &Settings) -> Vec<Row> {
    let (of_service, of_floor) = (kind.of_service(people), kind.of_floor(&floors.axum));
    let (hello, of_actix) = (hello(), me(ME, std::slice::from_ref(&floors.actix.token)));
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
        if let Some(Hashes { argon2_rust, own }) = row.hashes {
            println!("{:21} bare hashes: {argon2_rust:.1}/s by argon2-rust, {own:.1}/s by its own hasher", "");
        }
        row
    }

    /// The latencies at parts of the throughput.
    fn row(&mut self, connections: usize) -> Row {
        let Throughputs { service, failed, floor, hashes, hello, actix } = self.throughputs(connections);
        let (mut of_service, of_hello) = self.latencies(connections, service, hello);
        of_service.failed += failed;
        let beside = of_hello.zip(actix).map(|(hello, actix)| Beside { hello, actix });
        Row { operation: self.kind.name(), connections, service: of_service, floor, hashes, beside }
    }

    fn throughputs(&mut self, connections: usize) -> Throughputs {
        let (turns, slice) = self.settings.turns(self.kind.hashes());
        let (at_service, at_axum, at_actix) =
            (self.service.address, self.floors.axum.address, self.floors.actix.address);
        let closed = |turn, address, operation: &mut dyn Operation| {
            let load = load(address, connections, Pace::AtOnce, self.settings);
            // After the turns of the others the caches are theirs. Not always as long: answers of the hashers come in
            // threes, and would be cut at the same place each time.
            let warm_up = slice * (turns + turn) / (3 * turns);
            Load { warm_up, measured: slice, ..load }.run(operation).expect("a service that answers")
        };
        let mut failed = 0;
        let mut of_service = |turn| {
            let outcome = closed(turn, at_service, &mut *self.of_service);
            failed += outcome.failed;
            outcome.per_second()
        };
        let mut of_floor = |turn| closed(turn, at_axum, &mut *self.of_floor).per_second();
        let (mut hashes, mut hello, mut actix) = (None, None, None);
        let [floor, service] = match self.kind {
            Kind::Me => {
                let mut of_hello = |turn| closed(turn, at_axum, &mut self.hello).per_second();
                let mut of_actix = |turn| closed(turn, at_actix, &mut self.of_actix).per_second();
                let contestants: [Contestant<'_>; 4] = [&mut of_hello, &mut of_actix, &mut of_floor, &mut of_service];
                let [per_hello, per_actix, rest @ ..] = in_turn(turns, contestants);
                (hello, actix) = (Some(per_hello), Some(per_actix));
                rest
            }
            Kind::Login | Kind::Register => {
                let (mut by_argon2_rust, mut by_own) = (|_| hashes_by("argon2-rust", slice), |_| own_hashes(slice));
                let contestants: [Contestant<'_>; 4] =
                    [&mut by_argon2_rust, &mut by_own, &mut of_floor, &mut of_service];
                let [argon2_rust, own, rest @ ..] = in_turn(turns, contestants);
                hashes = Some(Hashes { argon2_rust, own });
                rest
            }
            Kind::Introspect | Kind::Refresh => in_turn(turns, [&mut of_floor, &mut of_service]),
        };
        Throughputs { service, failed, floor, hashes, hello, actix }
    }

    /// Of the service, and of `hello` if it has a throughput.
    fn latencies(&mut self, connections: usize, service: f64, hello: Option<f64>) -> (Sample, Option<Sample>) {
        let is_me = self.kind == Kind::Me;
        let at = |address| load(address, connections, Pace::AtOnce, self.settings);
        let (at_service, at_axum) = (at(self.service.address), at(self.floors.axum.address));
        let (mut of_service, mut of_hello) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            of_hello.extend(hello.map(|hello| sample(at_axum, hello, is_me, &mut self.hello)));
            of_service.push(sample(at_service, service, is_me, &mut *self.of_service));
        }
        (Sample::middle(&of_service), hello.map(|_| Sample::middle(&of_hello)))
    }
}

/// Answers a second.
struct Throughputs {
    service: f64,
    failed: u64,
    floor: f64,
    hashes: Option<Hashes>,
    hello: Option<f64>,
    actix: Option<f64>,
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
