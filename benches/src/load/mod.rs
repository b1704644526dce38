//! Load over keep-alive HTTP/1.1, from one thread that never sleeps while it measures.
//!
//! The generator has a core of its own and polls: waking up would cost more than most answers take, and would be
//! counted as theirs.

mod connection;
mod drive;
#[cfg(test)]
mod tests;

pub use connection::{Answer, Connection};

use hdrhistogram::Histogram;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// What is asked for, again and again.
pub trait Operation {
    /// Writes the next request of this connection.
    fn request(&mut self, connection: usize, into: &mut Vec<u8>);

    /// Whether that is the answer it should be.
    fn answered(&mut self, connection: usize, answer: &Answer<'_>) -> bool;
}

/// When the next request is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Closed loop: as soon as the connection has its answer. Tells how much a service can do.
    AtOnce,
    /// Open loop: so many a second, whether or not the service keeps up, as clients do who know nothing of each other.
    /// Tells how long an answer takes.
    PerSecond(f64),
}

#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub address: SocketAddr,
    pub connections: usize,
    pub pace: Pace,
    /// Not counted.
    pub warm_up: Duration,
    pub measured: Duration,
    /// Whether the generator shares its core and has to sleep while it waits.
    pub yielding: bool,
}

/// What came of a load.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Good answers within the measured time, or to what was due within it.
    pub answered: u64,
    /// Other answers, and requests without one.
    pub failed: u64,
    pub measured: Duration,
    /// In nanoseconds, good answers and others. With [`Pace::PerSecond`] each counts from when its request was due, not
    /// from when a connection was free to send it: else a service that stalls would be asked less while it does, and
    /// look quicker than it is (coordinated omission).
    pub latency: Histogram<u64>,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.measured.as_secs_f64()
    }

    /// In milliseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        self.latency.value_at_percentile(percent) as f64 / 1e6
    }
}

impl Load {
    /// # Errors
    /// If the service cannot be reached, breaks off a connection, or answers what is not HTTP/1.1.
    pub fn run(&self, operation: &mut dyn Operation) -> io::Result<Outcome> {
        drive::Drive::start(self)?.run(operation)
    }
}

/// One request on a connection of its own, and its answer: status and body.
///
/// # Errors
/// If the service cannot be reached or breaks off.
pub fn ask(address: SocketAddr, request: &[u8]) -> io::Result<(u16, String)> {
    let mut connection = Connection::open(address)?;
    connection.send(request)?;
    loop {
        let taken = connection.receive(|answer| (answer.status, String::from_utf8_lossy(&answer.body).into_owned()))?;
        if let Some(answer) = taken {
            return Ok(answer);
        }
        std::thread::yield_now();
    }
}

/// A request with a body or without one; `headers` end each with a line break.
pub fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}
