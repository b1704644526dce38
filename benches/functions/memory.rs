//! What is answered from memory.

use crate::one_thread::OneThread;
use criterion::Criterion;
use std::hint::black_box;
use vestibule_domain::Clock;
use vestibule_domain::access::Freshness;
use vestibule_domain::id::SessionId;

pub(crate) fn look_ups(c: &mut Criterion, all: &OneThread) {
    let (alice, services) = (&all.scene.alice, &all.scene.app.services);
    let session = SessionId::parse(alice.session_id()).expect("a session");
    let clock = all.scene.app.clock();
    // As requests do: whatever has to be fetched is there after the first.
    let authenticate = || {
        let caller = services.access.authenticate(black_box(alice.access_token()), Freshness::Feed);
        all.runtime.block_on(caller).expect("a caller")
    };
    c.bench_function("token/caller", |b| b.iter(authenticate));
    let snapshots = &services.ports.snapshots;
    assert!(snapshots.get(session, clock.monotonic()).is_some(), "the feed is not followed");
    c.bench_function("snapshot/get", |b| b.iter(|| snapshots.get(black_box(session), clock.monotonic())));
}
