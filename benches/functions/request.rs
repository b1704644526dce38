//! Whole requests, from the socket to the socket.

use crate::one_thread::{Connected, OneThread};
use criterion::Criterion;

pub(crate) fn requests(c: &mut Criterion, all: &OneThread) {
    let mut ask = |name, mut asking: Connected| {
        c.bench_function(name, |b| b.iter(|| all.runtime.block_on(asking.ask())));
    };
    ask("floor/hello", all.hello());
    ask("http/me", all.me());
}
