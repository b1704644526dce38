//! What each function costs that many requests go through, beside what cannot be done for less.
//!
//! `cargo bench -p vestibule-benches --bench functions`; `make bench-quick` compares with the baseline.
#![expect(clippy::expect_used, reason = "a bench that cannot be set up has to stop")]

mod memory;
#[path = "../one_thread.rs"]
mod one_thread;
mod parse;
mod request;
mod store;
mod token;

use criterion::{Criterion, criterion_group, criterion_main};
use one_thread::OneThread;
use sha2::{Digest, Sha256};
use std::hint::black_box;

/// The yardstick for what has no floor of its own.
fn yardstick(c: &mut Criterion) {
    c.bench_function("floor/sha256", |b| b.iter(|| Sha256::digest(black_box([7; 64]))));
}

fn services(c: &mut Criterion) {
    let all = OneThread::start();
    request::requests(c, &all);
    memory::look_ups(c, &all);
    store::statements(c, &all);
}

criterion_group!(benches, yardstick, token::signatures, token::tokens, token::refresh_tokens, parse::parsers, services);
criterion_main!(benches);
