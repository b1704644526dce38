//! What the figures should be, and whether they are.

use crate::figures::{Figures, Row, StoreFigures, store_name};
use crate::growth::Growth;
use crate::operations::Kind;
use vestibule_benches::plot::Bar;
use vestibule_testkit::StoreKind;

const MIB: f64 = 1024.0;

pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) limit: f64,
    pub(crate) found: f64,
    pub(crate) unit: &'static str,
    wants: Wants,
}

#[derive(Clone, Copy)]
enum Wants {
    AtLeast,
    AtMost,
}

impl Goal {
    fn at_least(what: String, limit: f64, found: f64, unit: &'static str) -> Self {
        Self { what, limit, found, unit, wants: Wants::AtLeast }
    }

    fn at_most(what: String, limit: f64, found: f64, unit: &'static str) -> Self {
        Self { what, limit, found, unit, wants: Wants::AtMost }
    }

    pub(crate) fn is_met(&self) -> bool {
        match self.wants {
            Wants::AtLeast => self.found >= self.limit,
            Wants::AtMost => self.found <= self.limit,
        }
    }

    pub(crate) fn sign(&self) -> &'static str {
        match self.wants {
            Wants::AtLeast => "≥",
            Wants::AtMost => "≤",
        }
    }
}

impl Figures {
    fn hello(&self, connections: usize) -> &crate::figures::Plain {
        self.plain.iter().find(|plain| plain.connections == connections).expect("measured at the same connections")
    }

    /// Throughputs as ratios to what they are held against, at 64 connections.
    fn throughput(&self) -> Vec<Goal> {
        self.stores.iter().flat_map(|store| Kind::ALL.map(|kind| self.ratio(store, kind))).collect()
    }

    fn ratio(&self, store: &StoreFigures, kind: Kind) -> Goal {
        let row = store.row(kind, 64);
        let (floor, name, goal) = match (kind, store.kind) {
            (Kind::Me, _) => (self.hello(64).hello.per_second, "hello", 0.6),
            (Kind::Refresh, StoreKind::Sqlite) => (store.statements.commits, "a commit", 0.8),
            (Kind::Refresh, StoreKind::Postgres) | (Kind::Introspect, _) => (row.floor, "its floor", 0.9),
            (Kind::Login | Kind::Register, _) => (row.floor, "its floor", 1.6),
        };
        let what = format!("{}, {}, to {name}", kind.name(), store_name(store.kind));
        Goal::at_least(what, goal, row.service.per_second / floor, "×")
    }

    pub(crate) fn bars(&self) -> Vec<Bar> {
        let bar = |goal: Goal| Bar { label: goal.what, ratio: goal.found, goal: goal.limit };
        self.throughput().into_iter().map(bar).collect()
    }

    pub(crate) fn goals(&self) -> Vec<Goal> {
        let mut goals = self.throughput();
        goals.extend(self.stores.iter().flat_map(|store| self.of_store(store)));
        let binary = self.binary_bytes as f64 / 1e6;
        goals.push(Goal::at_most("the binary".to_owned(), 15.0, binary, "MB"));
        goals
    }

    fn of_store(&self, store: &StoreFigures) -> Vec<Goal> {
        let on = |what: &str| format!("{what}, {}", store_name(store.kind));
        let mut goals = Vec::new();
        for kind in [Kind::Login, Kind::Register] {
            let of_hashes = store.row(kind, 64).service.per_second / self.hashes.own;
            goals.push(Goal::at_least(on(&format!("{} to a bare hash", kind.name())), 0.95, of_hashes, "×"));
        }
        goals.extend(self.latency(store));
        let mib = |kib: u64| kib as f64 / MIB;
        let peak = |hashes| {
            let is_hash = |name| name == Kind::Login.name() || name == Kind::Register.name();
            let peaks = store.memory.iter().filter(|(name, _)| is_hash(*name) == hashes).map(|(_, memory)| memory.peak);
            mib(peaks.max().unwrap_or_default())
        };
        goals.push(Goal::at_most(on("memory, idle"), 8.0, mib(store.idle.now), "MiB"));
        goals.push(Goal::at_most(on("memory, most without hashing"), 10.0, peak(false), "MiB"));
        goals.push(Goal::at_most(on("memory, most with one hashing thread"), 29.0, peak(true), "MiB"));
        goals.extend(store.after.map(|after| Goal::at_most(on("memory, a minute later"), 10.0, mib(after.now), "MiB")));
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        goals.push(Goal::at_most(on("start, existing store"), 100.0, ms(store.start.existing), "ms"));
        goals.push(Goal::at_most(on("start, empty store"), 500.0, ms(store.start.empty), "ms"));
        goals.push(Goal::at_most(on("me beside logins, one core, p99"), 50.0, store.isolation.sharing.p99, "ms"));
        if let Some(apart) = store.isolation.apart {
            goals.push(Goal::at_most(on("me beside logins, its own core, p99"), 5.0, apart.p99, "ms"));
        }
        goals.extend(growth(store));
        goals
    }

    /// Beside that of `hello` under the same load.
    fn latency(&self, store: &StoreFigures) -> Vec<Goal> {
        let on = |what: &str| format!("{what}, {}", store_name(store.kind));
        let (alone, most) = (store.row(Kind::Me, 1), store.row(Kind::Me, 64));
        let at_most = |what, found: f64, hello: f64| Goal::at_most(on(what), hello + 0.3, found, "ms");
        let hello = (self.hello(1).hello.latency, self.hello(64).hello_relaxed);
        let relaxed = most.relaxed.map(|relaxed| relaxed.p99).unwrap_or_default();
        vec![
            at_most("me, 1 connection, p99 (hello + 0.3)", alone.service.latency.p99, hello.0.p99),
            at_most("me, a fifth of capacity, p99 (hello + 0.3)", relaxed, hello.1.p99),
        ]
    }
}

impl StoreFigures {
    pub(crate) fn row(&self, kind: Kind, connections: usize) -> &Row {
        let mut rows = self.rows.iter();
        rows.find(|row| row.operation == kind.name() && row.connections == connections).expect("a measured operation")
    }
}

/// The slowest of the four against a thousand users.
fn growth(store: &StoreFigures) -> Vec<Goal> {
    let Some((first, larger)) = store.growth.split_first() else { return Vec::new() };
    let factor = |at: &Growth| {
        let pairs = [
            (at.login, first.login),
            (at.refresh, first.refresh),
            (at.first_page, first.first_page),
            (at.deep_page, first.deep_page),
        ];
        pairs.into_iter().map(|(is, was)| is / was).fold(0.0, f64::max)
    };
    let goal = |at: &Growth| {
        let allowed = if at.users > 1_000_000 { 1.6 } else { 1.3 };
        let what = format!("growth to {} million users, {}", at.users / 1_000_000, store_name(store.kind));
        Goal::at_most(what, allowed, factor(at), "×")
    };
    larger.iter().map(goal).collect()
}
