//! What a run found out.

use crate::growth::Growth;
use crate::isolation::Isolation;
use crate::operations::Kind;
use crate::peers::BetterAuth;
use std::time::Duration;
use vestibule_benches::load::Outcome;
use vestibule_benches::place::Memory;
use vestibule_testkit::StoreKind;

pub(crate) struct Figures {
    pub(crate) machine: String,
    pub(crate) binary_bytes: u64,
    /// Of one request, by its name.
    pub(crate) allocations: Vec<(&'static str, f64)>,
    /// Passwords a second by the crate `argon2`.
    pub(crate) reference_hashes: f64,
    pub(crate) stores: Vec<StoreFigures>,
    pub(crate) better_auth: Option<BetterAuth>,
}

/// Passwords a second, one thread, without a service around it.
#[derive(Clone, Copy)]
pub(crate) struct Hashes {
    /// The crate `argon2-rust` with its default features, by which the goal was set.
    pub(crate) argon2_rust: f64,
    /// Vestibule's own hasher.
    pub(crate) own: f64,
}

pub(crate) struct StoreFigures {
    pub(crate) kind: StoreKind,
    pub(crate) statements: Statements,
    pub(crate) start: Start,
    /// After a start, which computes a few hashes to see that they are right and how long they take.
    pub(crate) idle: Memory,
    pub(crate) memory: Vec<(Kind, Memory)>,
    /// A minute after the last hash.
    pub(crate) after: Option<Memory>,
    pub(crate) rows: Vec<Row>,
    pub(crate) isolation: Isolation,
    pub(crate) growth: Vec<Growth>,
}

/// A second, one client after the other, without HTTP.
pub(crate) struct Statements {
    pub(crate) selects: f64,
    pub(crate) commits: f64,
}

/// From the start of the process until `/health/ready` answers 200.
pub(crate) struct Start {
    pub(crate) empty: Duration,
    pub(crate) existing: Duration,
}

pub(crate) struct Row {
    pub(crate) operation: &'static str,
    pub(crate) connections: usize,
    pub(crate) service: Sample,
    /// A second.
    pub(crate) floor: f64,
    /// If the operation hashes.
    pub(crate) hashes: Option<Hashes>,
    /// Asked in turn with it, of `GET /users/me` only.
    pub(crate) beside: Option<Beside>,
}

#[derive(Clone, Copy)]
pub(crate) struct Beside {
    pub(crate) hello: Sample,
    /// `GET /users/me` on Actix, a second.
    pub(crate) actix: f64,
}

#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// Closed loop.
    pub(crate) per_second: f64,
    /// Open loop at half of that.
    pub(crate) latency: Latency,
    /// Open loop at a fifth of it, of `GET /users/me` and `hello` only.
    pub(crate) relaxed: Option<Latency>,
    /// In all turns and rounds.
    pub(crate) failed: u64,
}

/// In milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Latency {
    pub(crate) median: f64,
    pub(crate) p99: f64,
}

impl From<&Outcome> for Latency {
    fn from(outcome: &Outcome) -> Self {
        Self { median: outcome.percentile(50.0), p99: outcome.percentile(99.0) }
    }
}

pub(crate) fn store_name(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Postgres => "PostgreSQL",
        StoreKind::Sqlite => "SQLite",
    }
}
