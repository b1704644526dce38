//! Log lines on standard error.
//!
//! Written by a layer of our own: the one of `tracing-subscriber` spends on the line of a request two thirds of what
//! all else in `GET /users/me` takes, and writes each by itself, so that whoever does not read the log stops the
//! service. See docs/decisions/0016-log-lines.md.

mod fields;
mod line;
mod spool;
mod time;

use crate::config::LogFormat;
use line::Lines;
use spool::Spool;
use std::panic;
use std::sync::OnceLock;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

static SPOOL: OnceLock<Spool> = OnceLock::new();

/// Once, at the start.
pub(crate) fn start(format: LogFormat, filter: Targets) {
    let spool = SPOOL.get_or_init(Spool::start);
    let lines = Lines::new(format, |line| spool.push(line));
    // A second subscriber is a defect of no consequence: the first one goes on.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(filter).with(lines));
    panic::set_hook(Box::new(|panic| {
        // Only where: the message may quote what a client sent.
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, thread = std::thread::current().name(), "panic");
    }));
}

/// Writes whatever is still to be written when it is dropped: before the process ends.
pub(crate) struct Finish;

impl Drop for Finish {
    fn drop(&mut self) {
        if let Some(spool) = SPOOL.get() {
            spool.drain();
        }
    }
}
