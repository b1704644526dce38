use crate::fakes::{HandClock, World, now};
use std::sync::Arc;
use std::time::Duration;
use vestibule_domain::session::{EndReason, RefreshToken, SessionError, SignIn};
use vestibule_domain::{Clock, Settings, drift};

const SKEW: i64 = 20_000;

/// Two processes on one store. The clock of the second one is wrong by as much; how much, each has measured.
fn fleet(ahead: i64) -> [World; 2] {
    let right = World::default();
    let clock = Arc::new(HandClock::default());
    clock.advance_millis(ahead);
    let wrong = World::beside(&right.store, &clock, Settings::default());
    wrong.services.ports.drift.set_ahead_millis(ahead);
    right.register("alice", &[]);
    [right, wrong]
}

fn refresh(world: &World, token: &RefreshToken) -> Result<SignIn, SessionError> {
    now(world.services.sessions.refresh(Some(token.clone()), &world.context)).outcome
}

fn pass(fleet: &[World; 2], millis: i64) {
    for world in fleet {
        world.clock.advance_millis(millis);
    }
}

#[test]
fn f79_j134_a_lost_answer_logs_nobody_out_though_the_clocks_of_two_processes_differ() {
    for (ahead, first, second) in [(SKEW, 0, 1), (SKEW, 1, 0), (-SKEW, 0, 1), (-SKEW, 1, 0)] {
        let fleet = fleet(ahead);
        let sign_in = fleet[0].login("alice");
        let child = refresh(&fleet[first], &sign_in.refresh_token).unwrap();
        pass(&fleet, 10_000);
        let again = refresh(&fleet[second], &sign_in.refresh_token).unwrap();
        assert_eq!(again.refresh_token.hash(), child.refresh_token.hash(), "{ahead} ms, by {first} and {second}");
    }
}

#[test]
fn f77_j134_the_grace_is_no_longer_though_the_clocks_of_two_processes_differ() {
    for (ahead, first, second) in [(SKEW, 0, 1), (SKEW, 1, 0), (-SKEW, 0, 1), (-SKEW, 1, 0)] {
        let fleet = fleet(ahead);
        let sign_in = fleet[0].login("alice");
        refresh(&fleet[first], &sign_in.refresh_token).unwrap();
        pass(&fleet, 10_001);
        assert!(refresh(&fleet[second], &sign_in.refresh_token).is_err(), "{ahead} ms, by {first} and {second}");
        let ended = fleet[0].store.state().sessions[&sign_in.session.id].ended;
        assert_eq!(ended, Some(EndReason::RefreshTokenReused));
    }
}

/// Lets a store whose clock is behind by so much look at it half way through an answer that takes so long.
fn measured(behind: u64, took: u64) -> i64 {
    let world = World::default();
    let clock = Arc::clone(&world.clock);
    world.store.looks_at_clock(move || {
        clock.advance(Duration::from_millis(took / 2));
        let there = clock.now().minus(Duration::from_millis(behind));
        clock.advance(Duration::from_millis(took / 2));
        there
    });
    now(world.services.ports.measure_drift()).unwrap();
    world.services.ports.drift.ahead_millis()
}

#[test]
fn j134_the_drift_is_measured_whatever_the_way_to_the_store_takes() {
    for took in [0, 10, 1_000] {
        assert_eq!(measured(70_000, took), 70_000, "{took} ms");
    }
    assert_eq!(measured(70_000, 1_002), 0, "too long to tell");
}

#[test]
fn a_store_without_a_clock_of_its_own_does_not_drift() {
    let world = World::default();
    now(world.services.ports.measure_drift()).unwrap();
    assert_eq!(world.services.ports.drift.ahead_millis(), 0);
    assert_eq!(world.services.ports.store_time(), world.clock.now());
}

#[test]
fn a_limit_holds_in_both_directions() {
    let world = World::default();
    let drift = &world.services.ports.drift;
    for (ahead, exceeds) in [(5_000, false), (-5_000, false), (5_001, true), (-5_001, true), (i64::MIN, true)] {
        drift.set_ahead_millis(ahead);
        assert_eq!(drift.exceeds(drift::NOTEWORTHY), exceeds, "{ahead} ms");
    }
}
