//! What the figures should be, and whether they are.

use crate::figures::{Figures, Hashes, Row, Sample, StoreFigures, store_name};
use crate::growth::Growth;
use crate::operations::Kind;
use crate::peers::BetterAuth;
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
    /// Throughputs as ratios to what they are held against, at 64 connections.
    fn throughput(&self) -> Vec<Goal> {
        self.stores.iter().flat_map(|store| Kind::ALL.map(|kind| store.ratio(kind))).collect()
    }

    pub(crate) fn bars(&self) -> Vec<Bar> {
        let bar = |goal: Goal| Bar { label: goal.what, ratio: goal.found, goal: goal.limit };
        self.throughput().into_iter().map(bar).collect()
    }

    pub(crate) fn goals(&self) -> Vec<Goal> {
        let mut goals = self.throughput();
        goals.extend(self.stores.iter().flat_map(StoreFigures::goals));
        goals.extend(self.better_auth.iter().flat_map(BetterAuth::goals));
        let binary = self.binary_bytes as f64 / 1e6;
        goals.push(Goal::at_most("the binary".to_owned(), 15.0, binary, "MB"));
        goals
    }
}

impl BetterAuth {
    fn goals(&self) -> impl Iterator<Item = Goal> {
        let rows = self.rows.iter().filter(|row| row.kind.hashes() && row.connections == 64);
        rows.map(|row| Goal::at_least(format!("{}, to better-auth", row.kind.name()), 1.3, row.service / row.peer, "×"))
    }
}

impl StoreFigures {
    pub(crate) fn row(&self, kind: Kind, connections: usize) -> &Row {
        let mut rows = self.rows.iter();
        rows.find(|row| row.operation == kind.name() && row.connections == connections).expect("a measured operation")
    }

    fn hello(&self, connections: usize) -> Sample {
        self.row(Kind::Me, connections).beside.expect("measured beside it").hello
    }

    fn on(&self, what: &str) -> String {
        format!("{what}, {}", store_name(self.kind))
    }

    fn ratio(&self, kind: Kind) -> Goal {
        let row = self.row(kind, 64);
        let (floor, name, goal) = match (kind, self.kind) {
            (Kind::Me, _) => (self.hello(64).per_second, "hello", 0.6),
            (Kind::Refresh, StoreKind::Sqlite) => (self.statements.commits, "a commit", 0.8),
            (Kind::Refresh, StoreKind::Postgres) | (Kind::Introspect, _) => (row.floor, "its floor", 0.9),
            (Kind::Login | Kind::Register, _) => (row.floor, "its floor", 1.6),
        };
        let what = format!("{}, to {name}", self.on(kind.name()));
        Goal::at_least(what, goal, row.service.per_second / floor, "×")
    }

    /// The goal was set by the crate with its default features. The own hasher does not wipe after each hash, and with AVX2
    /// is another code, so by that it is harder.
    fn to_bare_hashes(&self, kind: Kind) -> [Goal; 2] {
        let row = self.row(kind, 64);
        let Hashes { argon2_rust, own } = row.hashes.expect("measured with what hashes");
        [("argon2-rust", argon2_rust), ("its own hasher", own)].map(|(name, hashes)| {
            let what = self.on(&format!("{} to bare hashes by {name}", kind.name()));
            Goal::at_least(what, 0.95, row.service.per_second / hashes, "×")
        })
    }

    fn goals(&self) -> Vec<Goal> {
        let on = |what| self.on(what);
        let mut goals: Vec<_> =
            [Kind::Login, Kind::Register].into_iter().flat_map(|kind| self.to_bare_hashes(kind)).collect();
        goals.extend(self.latency());
        let mib = |kib: u64| kib as f64 / MIB;
        let peak = |hashes| {
            let of_kind = self.memory.iter().filter(|(kind, _)| kind.hashes() == hashes);
            let peaks = of_kind.map(|(_, memory)| memory.peak);
            mib(peaks.max().unwrap_or_default())
        };
        goals.push(Goal::at_most(on("memory, idle"), 8.0, mib(self.idle.now), "MiB"));
        goals.push(Goal::at_most(on("memory, most without hashing"), 10.0, peak(false), "MiB"));
        goals.push(Goal::at_most(on("memory, most with one hashing thread"), 29.0, peak(true), "MiB"));
        goals.extend(self.after.map(|after| Goal::at_most(on("memory, a minute later"), 10.0, mib(after.now), "MiB")));
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        goals.push(Goal::at_most(on("start, existing store"), 100.0, ms(self.start.existing), "ms"));
        goals.push(Goal::at_most(on("start, empty store"), 500.0, ms(self.start.empty), "ms"));
        goals.push(Goal::at_most(on("me beside logins, one core, p99"), 50.0, self.isolation.sharing.p99, "ms"));
        if let Some(apart) = self.isolation.apart {
            goals.push(Goal::at_most(on("me beside logins, its own core, p99"), 5.0, apart.p99, "ms"));
        }
        goals.extend(self.growth());
        goals
    }

    /// Beside that of `hello` under the same load.
    fn latency(&self) -> Vec<Goal> {
        let relaxed = |sample: Sample| sample.relaxed.expect("asked at a fifth too").p99;
        let me = |connections| self.row(Kind::Me, connections).service;
        let at_most = |what, found: f64, hello: f64| Goal::at_most(self.on(what), hello + 0.3, found, "ms");
        vec![
            at_most("me, 1 connection, p99 (hello + 0.3)", me(1).latency.p99, self.hello(1).latency.p99),
            at_most("me, a fifth of capacity, p99 (hello + 0.3)", relaxed(me(64)), relaxed(self.hello(64))),
        ]
    }

    /// The slowest of the four against a thousand users.
    fn growth(&self) -> Vec<Goal> {
        let factor = |Growth { few, many }: &Growth| {
            let pairs = [
                (many.login, few.login),
                (many.refresh, few.refresh),
                (many.first_page, few.first_page),
                (many.deep_page, few.deep_page),
            ];
            pairs.into_iter().map(|(is, was)| is / was).fold(0.0, f64::max)
        };
        let goal = |growth: &Growth| {
            let users = growth.many.users;
            let allowed = if users > 1_000_000 { 1.6 } else { 1.3 };
            let what = self.on(&format!("growth to {} million users", users / 1_000_000));
            Goal::at_most(what, allowed, factor(growth), "×")
        };
        self.growth.iter().map(goal).collect()
    }
}
