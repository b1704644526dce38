//! One password hash, by each implementation: how many logins a core can do at most.
//!
//! `taskset -c 1 cargo bench -p vestibule-benches --bench hash`
#![expect(clippy::expect_used, reason = "a bench that cannot be set up has to stop")]

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;
use vestibule_infrastructure::crypto::{Argon2Cost, Argon2Implementation, Argon2Trial, Hashing};

fn hashes(c: &mut Criterion) {
    let mut group = c.benchmark_group("hash");
    group.sample_size(20).measurement_time(Duration::from_secs(5));
    for (name, hashing) in [("fastest", Hashing::Fastest), ("reference", Hashing::Reference)] {
        let cost = Argon2Cost::MINIMUM;
        let choice = Argon2Implementation::choose(hashing, cost).expect("a hash");
        let mut trial = Argon2Trial::new(choice.implementation, cost);
        group.bench_function(format!("{name}/m=19456,t=2,p=1"), |b| b.iter(|| trial.hash().expect("a hash")));
    }
    group.finish();
}

criterion_group!(benches, hashes);
criterion_main!(benches);
