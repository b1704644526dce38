//! A service that is told to end before it serves.

use crate::place::{Place, Service};
use rustix::process::Signal;
use std::fs::File;
use std::time::{Duration, Instant};
use vestibule_testkit::{StoreKind, TestStore};

/// Less than anything waits for by itself: a lock on the schema for 30 s, one on a directory for ever.
const PROMPTLY: Duration = Duration::from_secs(15);

#[track_caller]
fn assert_ends_promptly(service: &mut Service) {
    let told = Instant::now();
    service.signal(Signal::TERM);
    assert_eq!(service.wait().code(), Some(0), "{:?}", service.whole_log());
    assert!(told.elapsed() < PROMPTLY, "{:?}", told.elapsed());
}

/// Somebody makes the function that a step makes too, in a transaction that does not end: the step waits half way.
#[tokio::test(flavor = "multi_thread")]
async fn r35_j139_told_to_end_during_a_migration_it_leaves_the_schema_as_it_was_before_the_step() {
    let store = TestStore::create(StoreKind::Postgres).await;
    store.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.expect("an empty database");
    let function = "CREATE FUNCTION audit_events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'";
    let held = store.hold(function).await;
    let place = Place::on(&store.url());
    let mut service = place.launch(&["serve", "--migrate"]);
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while store.number(waiting).await == 0 {}

    assert_ends_promptly(&mut service);
    let ended = Instant::now();
    while store.number(waiting).await > 0 {}
    assert!(ended.elapsed() < PROMPTLY, "the server went on with the step for {:?}", ended.elapsed());
    held.release().await;
    assert_eq!(store.number("SELECT count(*) FROM _sqlx_migrations").await, 5);
    assert_eq!(store.number("SELECT count(*) FROM pg_tables WHERE tablename = 'audit_events'").await, 0);
    place.run(&["migrate"]).succeeded();
    place.run(&["migrate", "--check"]).succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn r35_told_to_end_while_another_process_migrates_it_does_not_wait_for_it() {
    let store = TestStore::create(StoreKind::Postgres).await;
    store.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.expect("an empty database");
    let held = store.hold("CREATE TABLE users ()").await;
    let place = Place::on(&store.url());
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    let mut first = place.launch(&["serve", "--migrate"]);
    let taken = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = \
                 (SELECT oid FROM pg_database WHERE datname = current_database())";
    while store.number(taken).await == 0 {}
    let mut second = place.launch(&["serve", "--migrate"]);
    while store.number(waiting).await == 0 {}
    assert_ends_promptly(&mut second);
    assert_ends_promptly(&mut first);
    held.release().await;
}

#[test]
fn r35_told_to_end_while_another_process_opens_the_file_it_does_not_wait_for_it() {
    let place = Place::migrated();
    let directory = File::open(place.path("var")).unwrap();
    directory.lock().unwrap();
    let mut service = place.launch(&["serve"]);
    // The last that it does before it asks for the directory.
    while !place.path("var/vestibule.db.lock").exists() {}
    assert_ends_promptly(&mut service);
}
