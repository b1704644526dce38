//! What the environment says.

use crate::rounds::ROUNDS;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) warm_up: Duration,
    /// In each round of latencies.
    pub(crate) measured: Duration,
    /// Users at most; 0 for none.
    pub(crate) growth: u64,
    /// Whether to wait for the minute after which the hashers' memory has been given back.
    pub(crate) waits: bool,
    /// Whether better-auth is measured too.
    pub(crate) peers: bool,
}

impl Settings {
    pub(crate) fn read() -> Self {
        let quick = number("QUICK", 0.0) > 0.0;
        let seconds = number("LOAD_SECONDS", if quick { 0.3 } else { 1.0 });
        Self {
            warm_up: Duration::from_millis(300),
            measured: Duration::from_secs_f64(seconds),
            waits: !quick,
            peers: number("PEERS", 0.0) > 0.0,
            growth: number("GROWTH", if quick { 0.0 } else { 1e6 }) as u64,
        }
    }

    /// Of throughputs: how many, and how long each is; together as long as the rounds. Fewer for what hashes: in a
    /// tenth of a second it does so little that its count would be rounded to a tenth of itself.
    pub(crate) fn turns(&self, hashes: bool) -> (u32, Duration) {
        let in_a_round = if hashes { 2 } else { 10 };
        (ROUNDS as u32 * in_a_round, self.measured / in_a_round)
    }
}

fn number(name: &str, default: f64) -> f64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}
